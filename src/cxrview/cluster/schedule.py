"""Give the blocks of a job to workers until each is finished once."""

from collections import Counter, deque
from collections.abc import Callable, Container

import cxrview.errors
from cxrview.cluster.engine import Answer, Workers
from cxrview.cluster.job import OtherSession
from cxrview.cluster.ledger import FinishedBlock
from cxrview.cluster.listing import Lister
from cxrview.cluster.worker import Refused
from cxrview.errors import CxrviewError, RunStopped, UsageError
from cxrview.wording import plural

WAIT_SECONDS = 0.5
MOST_DEATHS = 4
"""Workers that may die at the same block: decoders run in processes of their own, so that it is
rarely the block's fault."""
LONGEST_WITHOUT = 120
"""Waits (about a minute) for a machine, after all workers were lost."""
TAKEN_AHEAD = 64
"""Numbers of blocks that are taken from the lister ahead of their turn."""


def finish_blocks(
    workers: Workers,
    lister: Lister,
    finished: Container[int],
    on_finished: Callable[[FinishedBlock], None],
    is_time_up: Callable[[], bool],
    on_notice: Callable[[str], None],
) -> bool:
    """Have every block of a lister finished by a worker.

    Args:
        workers: of the run.
        lister: started.
        finished: numbers of blocks that an earlier run has finished.
        on_finished: called with each block that was finished.
        is_time_up: once it returns True, no further block is begun; those in work are finished.
        on_notice: called with a sentence for the user about a machine that is not used.

    Returns:
        Whether all blocks are finished; False if the time was up.

    Raises:
        RunStopped: no machine can do the work, workers die at the same block, or another run has
            continued the job.
        CxrviewError: an error of the lister, or of every machine.
    """
    return _Schedule(workers, lister, finished, on_finished, is_time_up, on_notice).run()


class _Schedule:
    def __init__(
        self,
        workers: Workers,
        lister: Lister,
        finished: Container[int],
        on_finished: Callable[[FinishedBlock], None],
        is_time_up: Callable[[], bool],
        on_notice: Callable[[str], None],
    ) -> None:
        self._workers, self._lister, self._finished = workers, lister, finished
        self._on_finished, self._is_time_up, self._on_notice = on_finished, is_time_up, on_notice
        self._to_do: deque[int] = deque()
        self._in_work = 0
        self._is_listed = False
        self._deaths: Counter[int] = Counter()
        self._without = 0
        self._noticed: set[str] = set()

    def run(self) -> bool:
        is_stopping = False
        while True:
            self._workers.look()
            is_stopping = is_stopping or self._is_time_up()
            if is_stopping:
                self._lister.stop()
            else:
                self._take()
                while self._to_do and self._workers.submit(self._to_do[0]):
                    self._to_do.popleft()
                    self._in_work += 1
            if not self._in_work and is_stopping:
                return False
            if not self._in_work and self._is_listed and not self._to_do:
                if self._lister.error:
                    raise self._lister.error
                return True
            for number, answer in self._workers.wait(WAIT_SECONDS):
                self._in_work -= 1
                self._settle(number, answer)
            self._report_unfit()
            self._need_workers()

    def _take(self) -> None:
        """Take the numbers of new blocks from the lister."""
        while not self._is_listed and len(self._to_do) < TAKEN_AHEAD:
            if self._lister.new.empty():
                return
            number = self._lister.new.get()
            if number is None:
                self._is_listed = True
            elif number not in self._finished:
                self._to_do.append(number)

    def _settle(self, number: int, answer: Answer) -> None:
        if isinstance(answer, FinishedBlock):
            self._on_finished(answer)
            return
        self._to_do.appendleft(number)
        if isinstance(answer, Refused):
            if answer.kind == OtherSession.__name__:
                raise OtherSession(answer.reason, answer.advice)
            return
        self._deaths[number] += 1
        if self._deaths[number] >= MOST_DEATHS:
            raise RunStopped(
                f"{plural(MOST_DEATHS, 'worker')} died while they had block {number} "
                f"({answer.reason})",
                "Check the memory of the machines and the logs of Ray, and run the same command "
                "with --resume",
            )

    def _report_unfit(self) -> None:
        for address, refused in self._workers.unfit.items():
            if address not in self._noticed:
                self._noticed.add(address)
                self._on_notice(f"machine {address} is not used: {refused.reason}")

    def _need_workers(self) -> None:
        """Raise if no machine can work: at once if all refused, else after a while."""
        if self._workers.has_workers:
            self._without = 0
            return
        self._without += 1
        if refused := next(iter(self._workers.unfit.values()), None):
            raise _error_of(refused)
        if self._without >= LONGEST_WITHOUT:
            raise RunStopped(
                "the cluster has no machine that can work",
                "Check that cxrview is installed on its machines, in the same version; then run "
                "the same command with --resume",
            )


def _error_of(refused: Refused) -> CxrviewError:
    kind = getattr(cxrview.errors, refused.kind, RunStopped)
    if issubclass(kind, UsageError | RunStopped):
        error: CxrviewError = kind(refused.reason, refused.advice)
        return error
    return RunStopped(refused.reason, refused.advice)
