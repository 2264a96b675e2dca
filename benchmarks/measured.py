"""Runs a command and measures seconds, processor time and peak memory of all its processes."""

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from process_tree import family

SECONDS_BETWEEN_LOOKS = 1.0
"""Seconds between samples. A sample walks all pages of a process: ten per second took a tenth of
the measured time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of one command."""

    seconds: float
    core_seconds: float
    """Processor time of all its processes."""
    peak_bytes: int
    """Peak memory of all its processes; shared memory counts once (PSS)."""
    first_row_seconds: float | None
    """Until the first byte on standard output; None without output."""
    output: str


def run(arguments: list[str], environment: dict[str, str] | None = None) -> Cost:
    """Run Python with arguments; exit code 1 means listed failures and is a valid result.

    Raises:
        RuntimeError: the command failed; the end of its output is in the message.
    """
    before = _children_seconds()
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        peak = _Peak(process.pid)
        peak.start()
        assert process.stdout
        first = process.stdout.readline()
        first_row = time.perf_counter() - began if first else None
        output = first + process.stdout.read()
        code = process.wait()
        seconds = time.perf_counter() - began
        peak.stop()
        if code not in (0, 1):
            errors.seek(0)
            raise RuntimeError(f"exit code {code} of {arguments[:3]}: {errors.read()[-500:]}")
    return Cost(
        seconds=seconds,
        core_seconds=_children_seconds() - before,
        peak_bytes=peak.bytes,
        first_row_seconds=first_row,
        output=output,
    )


def classify(folder: str, table: Path, options: list[str] | None = None) -> Cost:
    """Measure the command from files on disk to rows on disk, with start-up."""
    arguments = ["-m", "cxrview", "classify", folder, "--out", str(table), "--overwrite"]
    return run([*arguments, *(options or [])])


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Peak(threading.Thread):
    """Samples the memory of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.bytes = 0
        self._pid, self._ended = pid, threading.Event()

    def run(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
            self.bytes = max(self.bytes, sum(_bytes_of(pid) for pid in family(self._pid)))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _bytes_of(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
