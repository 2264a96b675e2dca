"""Carry out jobs on all cores: in this process, and in worker processes.

This process works as well, so that the first files are written while the workers load their
libraries, and a short run does not wait for them at all.
"""

import json
import pickle
import queue
import threading
from collections.abc import Iterator, Sequence

from cxrview.errors import CannotWrite, CxrviewError, RunStopped, WorkerStartError
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
_Message = list[Outcome] | CxrviewError | None
"""From a thread: outcomes, why it stopped, or None where it has finished."""


def carry_out_in_parallel(
    jobs: Sequence[Job], settings: CorrectionSettings, workers: int = 0
) -> Iterator[list[Outcome]]:
    """Carry out jobs; yield outcomes as they come, those of several files at a time.

    Args:
        jobs: each is carried out once.
        settings: of the run.
        workers: processes, this one among them; 0 takes one for each core.

    Raises:
        CannotWrite: the disk took no more.
        RunStopped: a worker process was killed, or does not answer.
    """
    tasks = _Tasks(jobs)
    processes = min(workers or available_cores(), len(tasks)) - 1
    messages: queue.SimpleQueue[_Message] = queue.SimpleQueue()
    feeders: list[_Feeder] = []
    try:
        for _ in range(processes):
            feeders.append(_Feeder(tasks, settings, messages))
            feeders[-1].start()
        running = len(feeders)
        while (task := tasks.take()) or running:
            if task:
                yield carry_out(task, settings)
            while running and (not task or not messages.empty()):
                message = messages.get()
                if isinstance(message, CxrviewError):
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
    """Hands tasks to one worker process, and its answers to a queue."""

    def __init__(
        self,
        tasks: _Tasks,
        settings: CorrectionSettings,
        messages: "queue.SimpleQueue[_Message]",
    ) -> None:
        super().__init__(daemon=True)
        self._tasks, self._messages = tasks, messages
        self._process = WorkerProcess("cxrview.writeback.worker", _message(settings))

    def run(self) -> None:
        """Feed the process until there are no more tasks."""
        try:
            if not self._process.is_ready():
                raise WorkerStartError(
                    "a worker process could not be started", "Use --workers 1, or free memory"
                )
            while task := self._tasks.take():
                self._messages.put(self._carry_out(task))
            self._messages.put(None)
        except CxrviewError as error:
            self._messages.put(error)
        except (OSError, ValueError):  # a broken pipe; a message that is cut
            self._messages.put(_process_ended())

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
