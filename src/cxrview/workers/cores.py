"""The one owner of the processor's cores: lends them to decode workers and to the network.

Whoever computes holds a core meanwhile, so that both together have no more at work than
there are. What each takes of them follows from what there is to do: a fixed share would idle
where an archive decodes slowly, or where it hardly needs decoding.
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
"""Environment of a decode worker, which holds one core: no library in it starts threads."""
HOLDERS_TO_ONE_THAT_WAITS = 8
"""Of so many who hold a core, about one does not compute: it is being woken, or what it has done
travels through a pipe. Measured on two cores, which stood still for an eighth of the time."""
QUOTA = Path("/sys/fs/cgroup/cpu.max")


class Cores:
    """So many cores, lent one at a time.

    Args:
        count: of cores, at least 1.
        spare: so many more may hold one, to make up for those who hold one and wait.
    """

    def __init__(self, count: int, spare: int = 0) -> None:
        self.count = count
        self._spare = spare
        self._free = count + spare
        self.network_waits = self.decoding_waits = 0
        """Batches and files that wait for a core."""
        self._starting = 0
        lock = threading.Lock()
        self._for_network, self._for_decoding, self._to_start = (
            threading.Condition(lock) for _ in range(3)
        )

    @contextmanager
    def for_decoding(self) -> Iterator[None]:
        """Hold a core while a file is decoded."""
        with self._for_decoding:
            self.decoding_waits += 1
            try:
                # The network goes first: what it has answered no longer takes memory.
                self._for_decoding.wait_for(lambda: self._free > self.network_waits)
                self._free -= 1
            finally:
                self.decoding_waits -= 1
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def for_starting(self, is_over: Callable[[], bool]) -> Iterator[None]:
        """Hold a core while one more reader loads its libraries.

        It gets one that nobody else waits for, and never has more than half of them: that files
        wait for storage is why there should be more readers, and no row should wait for them.

        Args:
            is_over: looked at first, when there is a core to start on, and at `wake`: no core is
                waited for then.
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
        idle = self._free - self._spare - self.network_waits - self.decoding_waits
        return idle > 0 and 2 * self._starting < self.count

    def wake(self) -> None:
        """Have all who wait to start look again."""
        with self._to_start:
            self._to_start.notify_all()

    @contextmanager
    def for_the_network(self) -> Iterator[None]:
        """Hold a core while the network answers."""
        with self._for_network:
            self.network_waits += 1
            try:
                self._for_network.wait_for(lambda: self._free > 0)
                self._free -= 1
            finally:
                self.network_waits -= 1
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        """Wake one of each who can use it: of dozens who wait, all but one would wake for nothing.

        The core is not handed over, so that whoever is awake need not wait until they are. Nobody
        who waits may leave without a core, or one that was meant for another would stand still:
        no thread that waits here is ever interrupted.
        """
        with self._to_start:
            self._free += 1
            self._for_network.notify()
            self._for_decoding.notify()
            if self._can_start():
                self._to_start.notify_all()


def cores_for(workers: int | None) -> Cores:
    """The cores that so many workers keep busy; all where None, and never more than there are.

    Who asks for fewer leaves the others alone: then there is none to spare.
    """
    here = available_cores()
    # More than there are would only take turns, and each takes memory for the network.
    count = min(workers or here, here)
    return Cores(count, ceil(count / HOLDERS_TO_ONE_THAT_WAITS) if count == here else 0)


def available_cores(quota: Path = QUOTA) -> int:
    """Cores that this process may use, which can be fewer than the machine has.

    Args:
        quota: where the kernel tells how much a container may take (`docker run --cpus`).
    """
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, _quota(quota)))


def _quota(file: Path) -> int:
    """Cores that a container may fill, rounded; all where nothing is said."""
    try:
        share, period = file.read_text().split()
        return max(1, round(int(share) / int(period)))
    except (OSError, ValueError):  # no such file, or `max`
        return os.cpu_count() or 1
