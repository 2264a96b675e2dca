"""Carry out jobs on all cores: in threads of this process, and in worker processes.

This process works as well, so that the first files are written while the workers load their
libraries, and a short run does not wait for them at all. A copy spends more than half of its time
in the system or in a checksum, where Python runs other threads: two of them use two cores.
"""

import json
import pickle
import queue
import threading
from collections.abc import Iterator, Sequence

from cxrview.errors import CannotWrite, RunStopped, WorkerStartError
from cxrview.workers.cores import available_cores
from cxrview.workers.process import WorkerProcess
from cxrview.writeback.jobs import Job, Outcome
from cxrview.writeback.journal import entry_outcome
from cxrview.writeback.settings import CorrectionSettings
from cxrview.writeback.worker import LENGTH, carry_out

FILES_PER_TASK = 8
"""Sent to a worker process at a time."""
_TASK_SECONDS = 3600.0
"""A worker that has not finished its files by then hangs at a disk that does not answer."""
_Message = list[Outcome] | BaseException | None
"""From a thread: outcomes, why it stopped, or None where it has finished."""


def carry_out_in_parallel(
    jobs: Sequence[Job], settings: CorrectionSettings, workers: int = 0, *, threads: int = 1
) -> Iterator[list[Outcome]]:
    """Carry out jobs; yield outcomes as they come, those of several files at a time.

    Args:
        jobs: each is carried out once.
        settings: of the run.
        workers: threads of this process and worker processes; 0 takes one for each core.
        threads: of these, at the most, in this process.

    Raises:
        CannotWrite: the disk took no more.
        RunStopped: a worker process was killed, or does not answer.
    """
    tasks = _Tasks(jobs)
    count = min(workers or available_cores(), len(tasks))
    messages: queue.SimpleQueue[_Message] = queue.SimpleQueue()
    feeders: list[_Feeder] = []
    try:
        for number in range(1, count):
            kind = _ThreadFeeder if number < threads else _ProcessFeeder
            feeders.append(kind(tasks, settings, messages))
            feeders[-1].start()
        running = len(feeders)
        while (task := tasks.take()) or running:
            if task:
                yield carry_out(task, settings)
            while running and (not task or not messages.empty()):
                message = messages.get()
                if isinstance(message, BaseException):
                    raise message
                running -= message is None
                yield message or []
    finally:
        tasks.close()
        for feeder in feeders:
            feeder.stop()


class _Tasks:
    """The jobs in portions, for several threads."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs, self._next, self._lock = jobs, 0, threading.Lock()

    def __len__(self) -> int:
        return -(-len(self._jobs) // FILES_PER_TASK)

    def take(self) -> Sequence[Job]:
        """The next portion; empty where there are no more."""
        with self._lock:
            begin = self._next
            self._next = min(begin + FILES_PER_TASK, len(self._jobs))
            return self._jobs[begin : self._next]

    def close(self) -> None:
        """Hand out no more."""
        with self._lock:
            self._next = len(self._jobs)


class _Feeder(threading.Thread):
    """Has tasks carried out, and puts their outcomes into a queue."""

    def __init__(
        self,
        tasks: _Tasks,
        settings: CorrectionSettings,
        messages: "queue.SimpleQueue[_Message]",
    ) -> None:
        super().__init__(daemon=True)
        self._tasks, self._settings, self._messages = tasks, settings, messages

    def run(self) -> None:
        """Work until there are no more tasks."""
        try:
            self.prepare()
            while task := self._tasks.take():
                self._messages.put(self.carry_out(task))
            self._messages.put(None)
        except BaseException as error:  # the thread that waits raises it
            self._messages.put(error)

    def prepare(self) -> None:
        """Wait until the first task can be carried out."""

    def carry_out(self, task: Sequence[Job]) -> list[Outcome]:
        """Carry out one task."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the thread."""
        self.join()


class _ThreadFeeder(_Feeder):
    """Carries out tasks itself."""

    def carry_out(self, task: Sequence[Job]) -> list[Outcome]:
        """Carry out one task."""
        return carry_out(task, self._settings)


class _ProcessFeeder(_Feeder):
    """Hands tasks to one worker process."""

    def __init__(
        self,
        tasks: _Tasks,
        settings: CorrectionSettings,
        messages: "queue.SimpleQueue[_Message]",
    ) -> None:
        super().__init__(tasks, settings, messages)
        self._process = WorkerProcess("cxrview.writeback.worker", _message(settings))

    def prepare(self) -> None:
        """Wait until the process has loaded its libraries."""
        if not self._process.is_ready():
            raise WorkerStartError(
                "a worker process could not be started", "Use --workers 1, or free memory"
            )

    def carry_out(self, task: Sequence[Job]) -> list[Outcome]:
        """Send the task, and wait for its outcomes."""
        try:
            return self._carry_out(task)
        except (OSError, ValueError) as error:  # a broken pipe; a message that is cut
            raise _process_ended() from error

    def _carry_out(self, task: Sequence[Job]) -> list[Outcome]:
        self._process.send(_message(task))
        pipe = self._process.by_deadline(_TASK_SECONDS)
        head = pipe.receive(LENGTH.size)
        if len(head) < LENGTH.size:
            raise _process_ended()
        answer = json.loads(pipe.receive(*LENGTH.unpack(head)))
        if "cannot_write" in answer:
            raise CannotWrite(*answer["cannot_write"])
        return [entry_outcome(entry) for entry in answer["outcomes"]]

    def stop(self) -> None:
        """End the process; what it has in hand is not finished."""
        self._process.kill()
        self.join()
        self._process.end()


def _message(content: object) -> bytes:
    data = pickle.dumps(content)
    return LENGTH.pack(len(data)) + data


def _process_ended() -> RunStopped:
    return RunStopped(
        "a worker process ended unexpectedly, probably for lack of memory",
        "Continue with --resume, and fewer --workers",
    )
