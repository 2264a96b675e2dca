"""A pool of processes that make pictures for the screen; a crash or a timeout fails one picture.

One thread serves each process. Pictures that a page waits for come before those rendered ahead.
"""

import logging
import os
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count

from cxrview.errors import DecoderCrashed, TimedOut
from cxrview.web.picture_worker import ANSWER, AUTO, FAILURE, JOB, MINMAX, SETTINGS
from cxrview.web.settings import PictureSettings
from cxrview.workers.process import WorkerProcess

_log = logging.getLogger(__name__)

WANTED, AHEAD, _LAST = 0, 1, -1
"""Priorities of a picture: a page waits for it; it is rendered ahead; the pool closes."""
_MOST_BYTES = 1 << 30


class NoPicture(Exception):
    """An image cannot be shown; the message has the reason, and names neither file nor patient."""


@dataclass(slots=True)
class Job:
    """A picture that was requested once or more often."""

    path: str
    edge: int
    window: str = MINMAX
    content_id: str = ""
    done: "Future[bytes]" = field(default_factory=Future)
    _begun: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_begun(self) -> bool:
        """Whether a thread has begun it."""
        return self._begun.locked()

    def begin(self) -> bool:
        """Begin it; False where another thread has, since a job may be in the queue twice."""
        return self._begun.acquire(blocking=False)


class PicturePool:
    """Makes pictures in processes, which are started with the first picture.

    Args:
        settings: how many, and what one picture may take.
    """

    def __init__(self, settings: PictureSettings) -> None:
        self._settings = settings
        self._queue: queue.PriorityQueue[tuple[int, int, Job | None]] = queue.PriorityQueue()
        self._number = count()
        self._lock = threading.Lock()
        self._threads: list[_WorkerThread] = []
        self._is_closed = False

    def submit(
        self,
        path: str,
        edge: int,
        priority: int = WANTED,
        *,
        window: str = MINMAX,
        content_id: str = "",
    ) -> Job:
        """Request a picture; `Job.done` gives its bytes or raises `NoPicture`."""
        job = Job(path, edge, window, content_id)
        self.enqueue(job, priority)
        return job

    def enqueue(self, job: Job, priority: int = WANTED) -> None:
        """Put a job into the queue, again if it is in it already."""
        with self._lock:
            if self._is_closed:
                raise NoPicture("the server is closing")
            if not self._threads:
                self._threads = [
                    _WorkerThread(self._queue, self._settings)
                    for _ in range(self._settings.picture_workers)
                ]
                for thread in self._threads:
                    thread.start()
        self._queue.put((priority, next(self._number), job))

    @property
    def waiting(self) -> int:
        """Jobs in the queue, about."""
        return self._queue.qsize()

    def close(self) -> None:
        """End every process, in the middle of a picture if need be."""
        with self._lock:
            self._is_closed = True
        for _ in self._threads:
            self._queue.put((_LAST, next(self._number), None))
        for thread in self._threads:
            thread.stop()
        while not self._queue.empty():
            job = self._queue.get()[2]
            if job is not None and job.begin():
                job.done.set_exception(NoPicture("the server is closing"))


class _WorkerThread(threading.Thread):
    """Serves one worker process."""

    def __init__(
        self,
        jobs: "queue.PriorityQueue[tuple[int, int, Job | None]]",
        settings: PictureSettings,
    ) -> None:
        super().__init__(daemon=True)
        self._jobs, self._settings = jobs, settings
        self._worker: PictureProcess | None = None

    def run(self) -> None:
        while (job := self._jobs.get()[2]) is not None:
            if not job.begin():
                continue
            try:
                job.done.set_result(self._make(job))
            except Exception as error:  # raised where the picture is waited for
                job.done.set_exception(error)
        self._end_worker()

    def stop(self) -> None:
        while self.is_alive():
            if worker := self._worker:
                worker.kill()
            self.join(0.1)

    def _make(self, job: Job) -> bytes:
        try:
            # It may have died since the last picture, of which this one is not the cause.
            if self._worker is None or not self._worker.is_alive():
                self._end_worker()
                self._worker = PictureProcess(self._settings)
            answer = self._worker.make(job, self._settings.picture_seconds)
        except TimeoutError:
            self._end_worker()
            raise NoPicture(f"{TimedOut.code}: reading it takes too long") from None
        except (EOFError, OSError):
            self._end_worker()
            raise NoPicture(f"{DecoderCrashed.code}: the process that read it died") from None
        if answer[:1] == FAILURE:
            raise NoPicture(answer[1:].decode(errors="replace"))
        return answer[1:]

    def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker:
            worker.kill()
            worker.end()


class PictureProcess(WorkerProcess):
    """A process that makes pictures.

    Args:
        settings: how much memory it may take, and whether it covers borders.
    """

    def __init__(self, settings: PictureSettings) -> None:
        packed = SETTINGS.pack(settings.picture_memory_bytes, settings.masks_border)
        super().__init__("cxrview.web.picture_worker", packed)

    def make(self, job: Job, seconds: float) -> bytes:
        """Make one picture.

        Raises:
            EOFError, OSError: the process died, or did not start.
            TimeoutError: it has not finished.
        """
        if not self.is_ready():  # it has not read any file, so that its words quote none
            _log.error("the process that makes pictures does not start: %s", self.last_words())
            raise EOFError
        name = os.fsencode(job.path)
        digest = job.content_id.encode()
        self.send(JOB.pack(len(name), job.edge, job.window == AUTO, digest) + name)
        reader = self.by_deadline(seconds)
        head = reader.receive(ANSWER.size)
        if len(head) < ANSWER.size:
            raise EOFError
        (length,) = ANSWER.unpack(head)
        answer = reader.receive(length) if length <= _MOST_BYTES else b""
        if not answer or len(answer) < length:
            raise EOFError
        return answer
