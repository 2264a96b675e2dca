"""A small annotation study for tests: its images, readers and readings, and the databases."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cxrview.records.annotation import (
    EXCLUSION_REASONS,
    AnnotationStudy,
    LabelChoice,
    Reader,
    Reading,
    StudyImage,
)
from cxrview.terms import Action, ReadingRound, Role

NOON = datetime(2017, 4, 1, 12, tzinfo=UTC)

MakeStudy = Callable[..., AnnotationStudy]
Say = Callable[..., Reading]


@pytest.fixture
def create_study() -> MakeStudy:
    """A study of the paper's two labels, or of those that are named."""

    def make(*labels: str, **facts: Any) -> AnnotationStudy:
        if labels:
            facts["choices"] = tuple(LabelChoice(name=x, key=x[0].lower()) for x in labels)
        return AnnotationStudy(**{"study_id": "7" * 32, "name": "tried", "created": NOON, **facts})

    return make


@pytest.fixture
def study(create_study: MakeStudy) -> AnnotationStudy:
    """Two readings an image, frontal or lateral."""
    return create_study()


@pytest.fixture
def images() -> tuple[StudyImage, ...]:
    """Two hundred of them."""
    return tuple(StudyImage(image_id=f"{n:016x}", path=f"{n}.dcm") for n in range(200))


@pytest.fixture
def readers() -> tuple[Reader, ...]:
    """1 and 2 read, 2 and 3 adjudicate: 2 is the paper's senior reader."""
    roles = ({Role.READER}, {Role.READER, Role.ADJUDICATOR}, {Role.ADJUDICATOR})
    return tuple(
        Reader(reader_id=n, name=f"reader {n}", roles=frozenset(held))
        for n, held in enumerate(roles, start=1)
    )


@pytest.fixture
def new_say() -> Callable[[], Say]:
    """Begins to count anew at each call, as every example of hypothesis must."""
    return _new_say


@pytest.fixture
def say() -> Say:
    """One more reading, made a second after the last.

    `say(1, "a", "frontal")` labels, `say(1, "a", "duplicate")` excludes, `say(1, "a", Action.FLAG)`
    does what is left.
    """
    return _new_say()


def _new_say() -> Say:
    numbers = count(1)

    def say(reader_id: int, image_id: str, said: str | Action, **facts: Any) -> Reading:
        n = next(numbers)
        if isinstance(said, Action):
            what = {"act": said}
        elif said in EXCLUSION_REASONS:
            what = {"act": Action.EXCLUDE, "reason": said}
        else:
            what = {"act": Action.LABEL, "label": said}
        known = {"reading_id": n, "uid": f"{n}", "round": ReadingRound.BLIND}
        when = {"made": NOON + timedelta(seconds=n)}
        whose = {"reader_id": reader_id, "image_id": image_id}
        return Reading(**{**known, **when, **whose, **what, **facts})

    return say


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
