"""Memory and open files of a program and of all processes that it started."""

import os
import random
import signal
import statistics
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS_BETWEEN_SAMPLES = 5.0
SAMPLES_A_MINUTE = round(60 / SECONDS_BETWEEN_SAMPLES)


def family(pid: int) -> list[int]:
    """Return a process and all that it started, directly or not."""
    children: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children += map(int, (thread / "children").read_text().split())
    return [pid, *(below for child in children for below in family(child))]


def rss_mb(pid: int) -> float:
    """Return the resident memory of one process; shared pages count in each."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def open_files(pid: int) -> list[str]:
    """Return what the open files of one process are, as the system names them."""
    names = []
    with suppress(OSError):
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # it was closed after it was listed
                names.append(str(handle.readlink()))
    return names


def kill_a_child(pid: int) -> bool:
    """Kill a random process that the program started, at once; return whether there was one."""
    children = family(pid)[1:]
    if children:
        with suppress(ProcessLookupError):
            os.kill(random.choice(children), signal.SIGKILL)
    return bool(children)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a program held at one moment."""

    main_mb: float
    """Resident memory of the process that was started."""
    all_mb: float
    """And of all its processes together."""
    handles: int
    """Open files of all of them, without those that are counted apart."""
    inputs: int
    """Open files and folders of what the program reads."""
    sqlite: int
    """Files that SQLite opens when it first needs them: rollback journals and temporary files."""


class Sampler(threading.Thread):
    """Samples a program and its processes until it is stopped.

    Args:
        pid: of the process that was started.
        seconds: between samples.
        inputs: the folder that it reads.
    """

    def __init__(
        self, pid: int, seconds: float = SECONDS_BETWEEN_SAMPLES, inputs: Path | None = None
    ) -> None:
        super().__init__(daemon=True)
        self.samples: list[Sample] = []
        self._pid, self._seconds, self._inputs = pid, seconds, inputs
        self._ended = threading.Event()

    def run(self) -> None:
        """Take samples."""
        while not self._ended.wait(self._seconds):
            self.samples.append(sample(self._pid, self._inputs))

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self.join()


def sample(pid: int, inputs: Path | None = None) -> Sample:
    """Look at a program once."""
    members = family(pid)
    sizes = [rss_mb(member) for member in members]
    files = [name for member in members for name in open_files(member)]
    read = sum(bool(inputs) and name.startswith(str(inputs.resolve())) for name in files)
    of_sqlite = sum("etilqs_" in name or name.endswith("-journal") for name in files)
    return Sample(
        main_mb=sizes[0],
        all_mb=sum(sizes),
        handles=len(files) - read - of_sqlite,
        inputs=read,
        sqlite=of_sqlite,
    )


def summary(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return medians of each fifth, the peak, and the change from the second fifth to the last.

    The first fifth is left out: in it, processes start and fill their buffers. Of open files the
    lowest count of each minute is taken: a file that is not closed raises it for good.
    """
    measured = {
        "all_mb": [one.all_mb for one in samples],
        "main_mb": [one.main_mb for one in samples],
        "handles": _lowest([float(one.handles) for one in samples]),
    }
    return {
        name: {
            "by_fifth": [round(level, 1) for level in levels],
            "peak": round(max(getattr(one, name) for one in samples), 1),
            "change": round(levels[-1] / levels[1] - 1, 3),
        }
        for name, values in measured.items()
        for levels in [_fifths(values)]
    }


def _lowest(values: Sequence[float]) -> list[float]:
    """Return the lowest of each minute; of shorter stretches, if there are not ten minutes."""
    size = max(1, min(SAMPLES_A_MINUTE, len(values) // 10))
    return [min(values[at : at + size]) for at in range(0, len(values), size)]


def _fifths(values: Sequence[float]) -> list[float]:
    size = max(1, len(values) // 5)
    return [statistics.median(values[at : at + size]) for at in range(0, 5 * size, size)]
