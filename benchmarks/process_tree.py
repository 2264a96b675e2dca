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


def handles(pid: int) -> int:
    """Return the number of open files of one process."""
    with suppress(OSError):
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return 0


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
    """Open files of all of them."""


class Sampler(threading.Thread):
    """Samples a program and its processes until it is stopped.

    Args:
        pid: of the process that was started.
        seconds: between samples.
    """

    def __init__(self, pid: int, seconds: float = 5.0) -> None:
        super().__init__(daemon=True)
        self.samples: list[Sample] = []
        self._pid, self._seconds, self._ended = pid, seconds, threading.Event()

    def run(self) -> None:
        """Take samples."""
        while not self._ended.wait(self._seconds):
            self.samples.append(sample(self._pid))

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self.join()


def sample(pid: int) -> Sample:
    """Look at a program once."""
    members = family(pid)
    sizes = [rss_mb(member) for member in members]
    return Sample(main_mb=sizes[0], all_mb=sum(sizes), handles=sum(map(handles, members)))


def summary(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return medians of each fifth, the peak, and the change from the second fifth to the last.

    The first fifth is left out: in it, processes start and fill their buffers.
    """
    return {
        name: {
            "by_fifth": [round(level, 1) for level in levels],
            "peak": round(max(values), 1),
            "change": round(levels[-1] / levels[1] - 1, 3),
        }
        for name in ("all_mb", "main_mb", "handles")
        for values in [[float(getattr(one, name)) for one in samples]]
        for levels in [_fifths(values)]
    }


def _fifths(values: Sequence[float]) -> list[float]:
    size = max(1, len(values) // 5)
    return [statistics.median(values[at : at + size]) for at in range(0, 5 * size, size)]
