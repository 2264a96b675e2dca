"""A place for an annotation study: SQLite's file, or a PostgreSQL server of the tests' own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from cxrview.records import AnnotationStudy


@pytest.fixture(scope="session")
def postgresql(program: Callable[[str], str]) -> Iterator[Callable[[], str]]:
    """Gives the URL of a new, empty schema of one server whenever it is called."""
    psycopg = pytest.importorskip(
        "psycopg", reason="needs the extra postgresql: pip install '.[postgresql]'"
    )
    initdb, postgres = program("initdb"), program("postgres")
    as_whom = _another_than_root()
    # Short, since a socket's path may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="cxrview-pg-"))
    if as_whom:
        shutil.chown(folder, **as_whom)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "cwd": "/", **as_whom}
    data = ["-D", str(folder / "data")]
    # In no language: the caller's may not be installed.
    plain = ["--no-locale", "--encoding=UTF8", "--auth=trust", "--no-sync"]
    made = subprocess.run([initdb, *data, "-U", "tests", *plain], text=True, **quiet)
    if made.returncode:
        shutil.rmtree(folder)
        pytest.skip(f"needs an initdb that makes a cluster ({' '.join(made.stderr.split())})")
    options = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off"}
    given = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([postgres, *data, *given], **{**quiet, "stderr": log})
    base = f"postgresql://tests@/postgres?host={folder}"
    try:
        _wait_for(lambda: psycopg.connect(base).close(), server, psycopg.OperationalError)

        def new_schema() -> str:
            name = f"study_{uuid4().hex}"
            with psycopg.connect(base, autocommit=True) as connection:
                connection.execute(f"CREATE SCHEMA {name}")
            options = f"host={folder}&options=-csearch_path%3D{name}"
            return f"postgresql+psycopg://tests@/postgres?{options}"

        yield new_schema
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        server.wait(timeout=30)
        shutil.rmtree(folder)


def _another_than_root() -> dict[str, str]:
    """Whom to run PostgreSQL as, which refuses root; nobody else where we are not root."""
    if os.geteuid():
        return {}
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("needs the user postgres, since we are root: apt-get install postgresql")
    return {"user": "postgres", "group": "postgres"}


def _wait_for(
    connect: Callable[[], None], server: subprocess.Popen[bytes], refused: type[Exception]
) -> None:
    for _ in range(1200):  # two minutes: a busy machine is slow, not wrong
        try:
            return connect()
        except refused:
            assert server.poll() is None, "PostgreSQL did not start"
            time.sleep(0.1)
    raise TimeoutError("PostgreSQL did not answer")


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a new study, in either database."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql")()
    return str(tmp_path / "study.sqlite")


@pytest.fixture
def study() -> AnnotationStudy:
    """A study with everything set that may be."""
    return AnnotationStudy(
        study_id="5" * 32,
        name="two readers",
        created=datetime(2017, 4, 1, 12, tzinfo=UTC),
        seed=2**63 - 1,
        repeat_share=0.1,
        root="/archive/\udcff",
        about={"sample": 400, "stratify": ["decision", "source"]},
    )
