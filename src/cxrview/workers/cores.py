"""Share the processor's cores between decode workers and the model.

Each computation holds a core, so that no more run than there are cores. The shares follow from the
work: fixed shares would leave cores idle, since some archives decode slowly and others hardly need
decoding.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
        "OPJ_NUM_THREADS",
    ),
    "1",
)
"""Environment of a worker process, which holds one core: libraries in it start no threads."""
HOLDERS_TO_ONE_THAT_WAITS = 8
"""Number of holders of a core of which about one does not compute, since it is starting, or its
result is in a pipe. Measured on two cores, which were idle for an eighth of the time."""
QUOTA = Path("/sys/fs/cgroup/cpu.max")


class Cores:
    """A semaphore of cores, with priorities.

    Args:
        count: of cores, at least 1.
        spare: further holders, to make up for those that hold a core and wait.
    """

    def __init__(self, count: int, spare: int = 0) -> None:
        self.count = count
        self._spare = spare
        self._free = count + spare
        self.model_waits = self.decoding_waits = 0
        """Number of batches and files that wait for a core."""
        self._starting = 0
        lock = threading.Lock()
        self._for_model, self._for_decoding, self._to_start = (
            threading.Condition(lock) for _ in range(3)
        )

    @contextmanager
    def for_decoding(self) -> Iterator[None]:
        """Hold a core while a file is decoded."""
        with self._for_decoding:
            self.decoding_waits += 1
            try:
                # The model has priority, since its results free memory.
                self._for_decoding.wait_for(lambda: self._free > self.model_waits)
                self._free -= 1
            finally:
                self.decoding_waits -= 1
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def for_starting(self, is_over: Callable[[], bool]) -> Iterator[None]:
        """Hold a core while one more worker loads its libraries.

        Only idle cores are used, and at most half of them: further workers are for files that
        wait for storage, and must not delay any result.

        Args:
            is_over: checked at first, when a core becomes idle, and at `wake`; once true, the wait
                ends.
        """
        with self._to_start:
            self._to_start.wait_for(lambda: is_over() or self._can_start())
            self._free -= 1
            self._starting += 1
        try:
            yield
        finally:
            with self._to_start:
                self._starting -= 1
            self._give_back()

    def _can_start(self) -> bool:
        idle = self._free - self._spare - self.model_waits - self.decoding_waits
        return idle > 0 and 2 * self._starting < self.count

    def wake(self) -> None:
        """Make all threads that wait to start check `is_over` again."""
        with self._to_start:
            self._to_start.notify_all()

    @contextmanager
    def for_model(self) -> Iterator[None]:
        """Hold a core while the model runs."""
        with self._for_model:
            self.model_waits += 1
            try:
                self._for_model.wait_for(lambda: self._free > 0)
                self._free -= 1
            finally:
                self.model_waits -= 1
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        """Notify one waiting thread of each kind: of dozens, all but one would wake for nothing.

        The core is not reserved for it, so that a running thread can take it at once. A thread
        must not stop waiting without a core, or the notification would be lost: no thread that
        waits here is ever interrupted.
        """
        with self._to_start:
            self._free += 1
            self._for_model.notify()
            self._for_decoding.notify()
            if self._can_start():
                self._to_start.notify_all()


def cores_for(workers: int | None) -> Cores:
    """Return the cores for a number of workers; None for all, and never more than there are.

    With fewer workers than cores, no more than these hold one: the rest is for other programs.
    """
    here = available_cores()
    # More would not run faster, and each takes memory for the model.
    count = min(workers or here, here)
    return Cores(count, ceil(count / HOLDERS_TO_ONE_THAT_WAITS) if count == here else 0)


def available_cores(quota: Path = QUOTA) -> int:
    """Count the cores that this process may use, which can be fewer than the machine has.

    Args:
        quota: file with the CPU quota of a container (`docker run --cpus`).
    """
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, _quota(quota)))


def _quota(file: Path) -> int:
    """Return the cores in the quota of a container, rounded; all if there is no quota."""
    try:
        share, period = file.read_text().split()
        return max(1, round(int(share) / int(period)))
    except (OSError, ValueError):  # no such file, or `max`
        return os.cpu_count() or 1
