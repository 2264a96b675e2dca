"""What every test may ask for: the shared radiographs, and a program or a reason to skip."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is slow, not wrong.
# Where a run decides on a change, it does so by the same examples each time.
settings.register_profile(
    "patient", deadline=None, derandomize=bool(os.environ.get("CXRVIEW_NO_SKIP"))
)
settings.load_profile("patient")

DEBIAN_PACKAGE = {
    "dcmj2pnm": "dcmtk",
    "convert": "imagemagick",
    "chromium": "chromium",
    "firefox-esr": "firefox-esr",
    "nodejs": "nodejs",
    "initdb": "postgresql",
    "postgres": "postgresql",
    "opj_compress": "libopenjp2-tools",
}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real radiographs, which may not stand in the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CXRVIEW_DATA", beside))
    if not (folder / "labels.csv").is_file():
        pytest.skip("needs the shared radiographs: set CXRVIEW_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Find a program of Debian's by name, or skip and say which package brings it."""

    def find(name: str) -> str:
        # Debian keeps the programs of PostgreSQL's server off the path.
        servers = map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))
        found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *servers]))
        if found is None:
            pytest.skip(f"needs the program {name}: apt-get install {DEBIAN_PACKAGE[name]}")
        return found

    return find


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where every test must run, as in continuous integration, a skipped one is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CXRVIEW_NO_SKIP") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("a test was skipped, and CXRVIEW_NO_SKIP is set", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
