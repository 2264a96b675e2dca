"""What every test may ask for: the shared radiographs, and a program or a reason to skip."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Threads of OpenMP wait for each other in a busy loop, which takes the cores from other tests: a
# training took three times the processor time beside other work. Set before PyTorch is imported,
# here and in the programs that tests start.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = [
    "fixtures.archives",
    "fixtures.browsers",
    "fixtures.figures",
    "fixtures.page_scripts",
    "fixtures.visitors",
]

# A busy machine is slow, not wrong.
# Where a run decides on a change, it does so by the same examples each time.
settings.register_profile(
    "patient", deadline=None, derandomize=bool(os.environ.get("CXRVIEW_NO_SKIP"))
)
settings.load_profile("patient")

LONG_FILES = (
    "docs/test_pages.py",
    "paper/test_reproduce.py",
    "docs/test_command_pages.py",
    "train/test_release.py",
    "cluster/test_ray.py",
    "docs/test_training_pages.py",
    "annotate/web/browser/test_layout.py",
    "faults/test_faults.py",
    "cli/shared/test_run_options.py",
    "service/test_faults.py",
    "cli/test_classify.py",
    "annotate/web/browser/test_grid_faults.py",
    "annotate/web/browser/test_clumsy_hands.py",
    "annotate/web/browser/test_accessible.py",
    "classify/test_weights.py",
    "annotate/web/browser/test_tabs.py",
    "annotate/web/browser/test_nothing_lost.py",
    "annotate/web/browser/test_reading.py",
    "paper/test_finetune_distributed.py",
    "train/test_distributed.py",
)
"""Files of tests that run for more than a minute in CI, the longest first (`--durations=0`).

The training pages come after the study that they wait for, which test_reproduce makes.
"""
ANSWER_SECONDS = 60
NEEDS = re.compile(r"needs (?P<what>[^:(]+)(: (?P<how>.+?))?( \((?P<but>.+)\))?", re.DOTALL)
"""How a test says why it is skipped: `needs WHAT: COMMAND THAT BRINGS IT (WHAT WAS FOUND)`."""
APT = "apt-get install "


@dataclass(frozen=True)
class Program:
    """A program of Debian's, and how it is told from others of its name."""

    package: str
    names: tuple[str, ...]
    ask: str
    """The option that has it say what it is."""
    answer: str
    """A pattern that is found in what it says then, on either stream."""

    def is_not(self, file: str) -> str:
        """Why a file is not this program; empty where it is."""
        command = [file, self.ask]
        try:
            said = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ANSWER_SECONDS
            )
        except OSError as error:
            return f"{file} does not start: {error.strerror}"
        except subprocess.TimeoutExpired:
            return f"{file} {self.ask} did not end within {ANSWER_SECONDS} s"
        if re.search(self.answer, (said.stdout + said.stderr).decode(errors="replace"), re.M):
            return ""
        if said.returncode < 0 or said.returncode in (126, 127):  # as shells say that of a script
            return f"{file} does not start: exit code {said.returncode}"
        return f"{file} is another program, or another version"


PROGRAMS = {
    "dcmj2pnm": Program("dcmtk", ("dcmj2pnm",), "--version", r"^\$dcmtk: dcmj2pnm "),
    "dciodvfy": Program("dicom3tools", ("dciodvfy",), "-version", "^dicom3tools Version"),
    "dsrdump": Program("dcmtk", ("dsrdump",), "--version", r"^\$dcmtk: dsrdump "),
    "dcmdump": Program("dcmtk", ("dcmdump",), "--version", r"^\$dcmtk: dcmdump "),
    # What is compared pixel by pixel was compared with version 6.
    "ImageMagick 6": Program(
        "imagemagick",
        ("convert", "convert-im6", "convert-im6.q16"),
        "-version",
        r"^Version: ImageMagick 6\.",
    ),
    "ImageMagick": Program(
        "imagemagick",
        ("convert", "convert-im6", "convert-im6.q16", "magick"),
        "-version",
        r"^Version: ImageMagick \d",
    ),
    "chromium": Program(
        "chromium",
        ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        "--version",
        r"^(Chromium|Google Chrome) \d",
    ),
    "initdb": Program("postgresql", ("initdb",), "--version", r"^initdb \(PostgreSQL\) \d"),
    "postgres": Program("postgresql", ("postgres",), "--version", r"^postgres \(PostgreSQL\) \d"),
    "firefox-esr": Program(
        "firefox-esr", ("firefox-esr", "firefox"), "--version", r"^Mozilla Firefox \d"
    ),
    "nodejs": Program("nodejs", ("node", "nodejs"), "--version", r"^v\d+\.\d+"),
    "Orthanc": Program("orthanc", ("Orthanc",), "--version", r"Orthanc \d"),
    "storescp": Program("dcmtk", ("storescp",), "--version", r"^\$dcmtk: storescp "),
    "storescu": Program("dcmtk", ("storescu",), "--version", r"^\$dcmtk: storescu "),
    "opj_compress": Program("libopenjp2-tools", ("opj_compress",), "-h", "OpenJPEG"),
}


def pytest_configure() -> None:
    """Let the programs that tests start hear the signals that a background or nohup ignores."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest files first: one that starts last would leave all but one core idle.

    pytest-xdist gives a file's tests to one worker (`--dist loadfile`), so that a module's fixtures
    are made once, and hands files out in this order.
    """
    tests = Path(__file__).parent
    order = {tests / file: number for number, file in enumerate(LONG_FILES)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real radiographs, which may not stand in the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CXRVIEW_DATA", beside))
    if not (folder / "labels.csv").is_file():
        pytest.skip("needs the shared radiographs: set CXRVIEW_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the processes of pytest-xdist share, for what is made once for all tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared by tests"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Find a program by its name in PROGRAMS, or skip and say which package brings it."""

    def find(name: str) -> str:
        found, but = _find(name, os.environ.get("PATH", os.defpath))
        if not found:
            note = f" ({but})" if but else ""
            pytest.skip(f"needs {name}: {APT}{PROGRAMS[name].package}{note}")
        return found

    return find


@cache
def _find(name: str, path: str) -> tuple[str, str]:
    """The file of a program, or why one of its name is not it; both empty where there is none."""
    wanted = PROGRAMS[name]
    # Debian keeps the programs of PostgreSQL's server off the path.
    servers = map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))
    folders = [folder for folder in [*path.split(os.pathsep), *servers] if folder]
    but = ""
    for called in wanted.names:
        for folder in folders:  # another program of this name may come first
            if file := shutil.which(called, path=folder):
                if not (why_not := wanted.is_not(file)):
                    return file, ""
                but = but or why_not
    return "", but


@pytest.hookimpl(wrapper=True, tryfirst=True)  # so that nothing is printed below it but the counts
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None]:
    """Say in one line, last of all, what was skipped for want of what, and what brings it."""
    result = yield
    skipped = terminalreporter.stats.get("skipped", ())
    if line := _wanting(report.longrepr[2] for report in skipped):
        terminalreporter.write_line(line, yellow=True)
    return result


def _wanting(reasons: Iterable[str]) -> str:
    """One line of all that tests were skipped for want of; empty where none was."""
    programs, packages, others = [], set(), []
    for reason in sorted({reason.removeprefix("Skipped: ") for reason in reasons}):
        found = NEEDS.fullmatch(reason)
        what, how, but = found.group("what", "how", "but") if found else (reason, None, None)
        if how and how.startswith(APT):
            programs.append(f"{what} [{but}]" if but else what)
            packages.add(how.removeprefix(APT))
        else:
            more = how or but
            others.append(f"{what} ({more})" if more else what)
    first = [f"{', '.join(programs)} ({APT}{' '.join(sorted(packages))})"] if programs else []
    return f"skipped for want of: {'; '.join(first + others)}" if first or others else ""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where every test must run, as in continuous integration, a skipped one is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    only_failures = session.exitstatus == pytest.ExitCode.TESTS_FAILED
    if os.environ.get("CXRVIEW_NO_SKIP") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("a test was skipped, and CXRVIEW_NO_SKIP is set", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        only_failures = False
    if reporter and (cache := getattr(session.config, "cache", None)):  # for .ci/failed_again.py
        cache.set("cxrview/only_failures", only_failures)
