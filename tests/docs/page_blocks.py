"""Reads and runs the console and Python blocks of the pages.

HTML comments on a page, which no reader sees, say what a block needs:

    <!-- setup: COMMANDS -->           are run by bash at this place; `example` is example_files.py
    <!-- data: NAME... -->             the next block needs these files of the shared radiographs,
                                       which may not be in the repository; the rest of the page is
                                       skipped where they are missing
    <!-- needs: LIBRARY: COMMAND -->   the next block is left out where a library is missing
    <!-- not run: REASON -->           the next block is not run; its options must exist
    <!-- long: REASON -->              the next block is run where CXRVIEW_LONG_BLOCKS is set; else
                                       its options must exist
    <!-- numbers vary: REASON -->      the next block prints other numbers in another folder
    <!-- until Ctrl-C -->              the next block serves until it is interrupted
    <!-- after: PAGE -->               the page is run in the folder of another one, after it
    <!-- folder: the repository -->    the page is run in a copy of the repository, and installs
                                       from it, so that it needs the network

Output on a page must be printed; `...` stands for anything, a line of its own for any lines.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
STEP = re.compile(
    r"^```(?P<language>console|python)\n(?P<block>.*?)^```$"
    r"|<!-- (?P<what>setup|data|needs|not run|long|numbers vary|folder|after)"
    r"(:\s(?P<value>.*?))?-->"
    r"|<!-- (?P<serves>until Ctrl-C) -->",
    re.MULTILINE | re.DOTALL,
)
TRAINING = (
    "assess",
    "augment",
    "choose",
    "fast-model",
    "finetune",
    "prepare",
    "pretrain",
    "quantise",
    "reproduce",
    "robustness",
    "split",
    "train",
)
"""Pages of commands that train and measure models."""
LANGUAGES = ("console", "python", "text", "dockerfile", "json", "toml")
READY_SECONDS = 60
BLOCK_SECONDS = 900
LONG_BLOCKS = "CXRVIEW_LONG_BLOCKS"
LONG_BLOCK_SECONDS = 4 * 3600


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block of a page, or commands of a comment."""

    language: str
    text: str
    needs: str = ""
    data: str = ""
    not_run: str = ""
    long: str = ""
    numbers_vary: str = ""
    serves: bool = False

    @property
    def left_out(self) -> bool:
        """Whether it is not run here."""
        return bool(self.not_run or (self.long and LONG_BLOCKS not in os.environ))

    @property
    def commands(self) -> str:
        """The commands of a console block, without prompts and output."""
        if self.language != "console":
            return self.text
        return "".join(line for line, is_command in self._lines() if is_command)

    @property
    def output(self) -> list[str]:
        """The lines that are printed."""
        if self.language != "console":
            return []
        return [line.rstrip() for line, is_command in self._lines() if not is_command]

    def _lines(self) -> Iterator[tuple[str, bool]]:
        continues = False
        for line in self.text.splitlines(keepends=True):
            is_command = continues or line.startswith("$ ")
            continues = is_command and line.endswith("\\\n")
            yield line.removeprefix("$ ") if is_command else line, is_command


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page in their order."""
    found, marks = [], {}
    for step in STEP.finditer(page.read_text(encoding="utf-8")):
        if step["what"] == "setup":
            found.append(Block(language="bash", text=step["value"]))
        elif step["what"] in ("folder", "after"):
            continue
        elif step["what"]:
            marks[step["what"].replace(" ", "_")] = step["value"].strip()
        elif step["serves"]:
            marks["serves"] = True
        else:
            found.append(Block(language=step["language"], text=step["block"], **marks))
            marks = {}
    return found


WITH_BLOCKS = [page for page in PAGES if blocks_of(page)]


def before(page: Path) -> Path | None:
    """The page that is run before a page, in the same folder."""
    for step in STEP.finditer(page.read_text(encoding="utf-8")):
        if step["what"] == "after":
            return (page.parent / step["value"].strip()).resolve()
    return None


def chapters() -> list[list[Path]]:
    """The pages that are run in one folder each, in their order."""
    found = [[page] for page in WITH_BLOCKS if not before(page)]
    later = [page for page in WITH_BLOCKS if before(page)]
    while later:
        page = next(one for one in later if before(one) not in later)
        later.remove(page)
        chapter = next(one for one in found if before(page) in one)
        chapter.insert(chapter.index(before(page)) + 1, page)
    return found


def chapters_of(group: str) -> list[list[Path]]:
    """Those whose first page is a guide, of a command, or of training."""
    return [one for one in chapters() if group_of(one[0]) == group]


def group_of(page: Path) -> str:
    """Pages are divided among files of tests, since a file is run by one process."""
    if page.parent != DOCS:
        return "guides"
    return "training" if page.stem in TRAINING else "commands"


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def names_of(chapter: list[Path]) -> str:
    return "+".join(map(name_of, chapter))


def run_chapter(chapter: list[Path], folder: Path, request: pytest.FixtureRequest) -> None:
    """Run the blocks of pages in one folder; what they print must be what the pages show."""
    missing = []
    if "<!-- folder: the repository -->" in chapter[0].read_text(encoding="utf-8"):
        request.getfixturevalue("network")
        copy_repository(folder)

    for block in [block for page in chapter for block in blocks_of(page)]:
        if block.left_out:
            continue
        if block.data:
            lay_out(request.getfixturevalue("shared_data"), block.data.split(), folder)
        if block.needs and not is_installed(block.needs):
            missing.append(block.needs)
            continue
        printed = run(block, folder)
        is_as_shown = matches(block.output, printed, numbers_vary=bool(block.numbers_vary))
        assert is_as_shown, f"{block.text}\n-- printed --\n{printed}"
        assert printed or block.language != "python", f"prints nothing:\n{block.text}"

    if missing:
        pytest.skip("; ".join(dict.fromkeys(f"needs {one}" for one in missing)))


def copy_repository(into: Path) -> None:
    """Every file that git knows or would add."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    names = [name for name in listing.decode().split("\0") if name and (ROOT / name).is_file()]
    for name in names:
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())


def run(block: Block, folder: Path) -> str:
    """Run a block in a folder and return what it printed."""
    if block.language == "python":
        command = [sys.executable, "-W", "error", "-c", block.text]
    else:
        command = ["bash", "-euo", "pipefail", "-c", block.commands]
    environment = {
        **os.environ,
        "PATH": f"{folder.parent / 'programs'}{os.pathsep}{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(folder.parent / "settings"),
        "COLUMNS": "120",
        "PIP_NO_COMPILE": "1",  # most of an installation's time, for modules that are not imported
    }
    environment.pop("MAKEFLAGS", None)
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    if block.serves:
        return interrupted(process)
    try:
        seconds = LONG_BLOCK_SECONDS if block.long else BLOCK_SECONDS
        printed, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert process.returncode == 0, f"{block.text}\n{printed}"
    return printed


def interrupted(process: "subprocess.Popen[str]") -> str:
    """What a server prints until it is ready; it must then end by Ctrl-C."""
    assert process.stdout is not None
    ready = process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=READY_SECONDS)
    assert process.returncode in (0, 130), ready + rest
    return ready + rest


def matches(expected: list[str], printed: str, *, numbers_vary: bool = False) -> bool:
    """Whether lines were printed in this order.

    `...` is anything, and a PFI, which has three decimals, any PFI: its last digits depend on the
    processor. Where numbers vary, any number is as good as another.
    """
    found = iter(line.rstrip() for line in printed.splitlines())
    wanted = [".*".join(map(re.escape, line.split("..."))) for line in expected if line.strip(".")]
    patterns = [re.sub(r"\d+\\\.\d{3}\b", r"\\d+\\.\\d{3}", line) for line in wanted]
    if numbers_vary:
        patterns = [re.sub(r"(\\ )*-?\d+(\\\.\d+)?", r" *-?[\\d.]+", line) for line in wanted]
    return all(any(re.fullmatch(line, one) for one in found) for line in patterns)


def lay_out(shared: Path, names: list[str], folder: Path) -> None:
    """Put links to shared files and folders into a folder, by their last names."""
    for name in names:
        assert (shared / name).exists(), f"{name} is not among the shared radiographs"
        (folder / Path(name).name).symlink_to(shared / name)


def is_installed(need: str) -> bool:
    """Whether a library is on this machine: `LIBRARY: COMMAND THAT INSTALLS IT`."""
    library, _, command = need.partition(": ")
    assert command, f"say how to get it: <!-- needs: {library}: COMMAND -->"
    return find_spec(library) is not None
