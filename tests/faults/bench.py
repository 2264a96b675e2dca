"""A drawn archive, commands that are started on it, and what a fault injection counts."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom

from cxrview.phantom.archive import draw_archive

OTHER_VIEW = {"PA": "LL", "AP": "LL", "LL": "PA", "RL": "PA"}
WAIT_SECONDS = 600


@dataclass
class Counts:
    """What happened in all runs of one fault.

    Attributes:
        fault: its name.
        runs: how often a command was disturbed and then resumed until it was complete.
        seen: how often something happened, such as a kill in one stage of the work.
        problems: what must not happen, one text for each.
    """

    fault: str
    runs: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def check(self, is_fine: bool, problem: str) -> None:
        """Record a problem of this run, unless everything is fine."""
        if not is_fine:
            self.problems.append(f"run {self.runs}: {problem}")

    def report(self) -> dict[str, Any]:
        """Return what is printed as JSON; `passed` is False if there was a problem."""
        return {
            "fault": self.fault,
            "runs": self.runs,
            **dict(sorted(self.seen.items())),
            "problems": self.problems[:20],
            "passed": self.runs > 0 and not self.problems,
        }


class Bench:
    """A folder with an archive, in which commands run.

    Args:
        folder: for everything; must be empty.
        images: readable images in the archive, besides five files that fail.
    """

    def __init__(self, folder: Path, images: int) -> None:
        self.folder, self.archive = folder, folder / "archive"
        self.log = folder / "commands.log"
        draw_films(self.archive, images)

    def start(
        self,
        *words: str | Path,
        before: Sequence[str] = (),
        environment: dict[str, str] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start cxrview in a new session; its output goes to the log.

        Args:
            words: the command and its arguments.
            before: a program that starts it, such as `setpriv`.
            environment: further variables.
        """
        command = [*before, sys.executable, "-m", "cxrview", *map(str, words)]
        own = {"XDG_CONFIG_HOME": str(self.folder / "settings"), "OMP_WAIT_POLICY": "passive"}
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(command)}\n".encode())
            log.flush()
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=os.environ | own | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run(self, *words: str | Path, **more: Any) -> int:
        """Run cxrview to its end; return its exit code."""
        return self.start(*words, **more).wait(WAIT_SECONDS)

    def said(self, since: int) -> str:
        """Return the log from a position on."""
        return self.log.read_bytes()[since:].decode(errors="replace")

    def position(self) -> int:
        """Return the present length of the log."""
        return self.log.stat().st_size if self.log.exists() else 0

    def new_folder(self) -> Path:
        """Return a new, empty folder for the output of one run."""
        folder = self.folder / "output"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder


def draw_films(folder: Path, images: int) -> None:
    """Draw a few radiographs, and write each many times, as images of their own.

    Every second one names the other view in its header, so that a write-back corrects it. Five
    more files fail: two are truncated, one is empty, one is a text, one is a broken link.
    """
    drawn = folder.with_name("drawn")
    syntaxes = ["native", "rle", "jpeg-lossless"]
    draw_archive(
        drawn,
        patients=2,
        size=(128, 104),
        header_faults=["none"],
        seed=5,
        syntaxes=syntaxes,
        strangers=False,
        damages=[],
    )
    sources = [pydicom.dcmread(path) for path in sorted(drawn.rglob("IM*"))]
    for number in range(images):
        film = sources[number // 2 % len(sources)]
        film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        film.SeriesInstanceUID, film.StudyInstanceUID = f"1.2.4.{number}", f"1.2.5.{number}"
        if number % 2:
            film.ViewPosition = OTHER_VIEW[film.ViewPosition]
            film.pop("ViewCodeSequence", None)
        path = folder / f"{number % 7}" / f"{number:05}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        film.save_as(path)
        if number % 2:
            film.ViewPosition = OTHER_VIEW[film.ViewPosition]
    content = path.read_bytes()
    (folder / "0" / "cut-1.dcm").write_bytes(content[: len(content) // 2])
    (folder / "3" / "cut-2.dcm").write_bytes(content[:200])
    (folder / "3" / "empty.dcm").touch()
    (folder / "5" / "notes.dcm").write_text("not a picture")
    (folder / "6" / "link.dcm").symlink_to("nowhere")


def session_members(session: int) -> list[int]:
    """Return the process ids of a session that have not ended."""
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            members.append(int(folder.name))
    return members


def wait_for_session(session: int, seconds: float = 30.0) -> list[int]:
    """Wait until no process of a session is left; return those that are left, and kill them."""
    end = time.monotonic() + seconds
    while members := session_members(session):
        if time.monotonic() > end:
            for member in members:
                os.kill(member, signal.SIGKILL)
            return members
        time.sleep(0.02)
    return []
