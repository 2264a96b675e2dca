"""Processes that make pictures for the screen, and what becomes of those that die.

One thread serves each process. What somebody waits for goes before what is made ahead.
"""

import os
import queue
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection

from cxrview.annotate.web.picture_worker import AUTO, FAILURE, JOB, MINMAX, READY
from cxrview.annotate.web.settings import ServeSettings
from cxrview.errors import DecoderCrashed, TimedOut
from cxrview.workers.cores import ONE_THREAD

WANTED, AHEAD, _LAST = 0, 1, -1
_MOST_BYTES = 1 << 30
_START_SECONDS = 60.0


class NoPicture(Exception):
    """An image that gives no picture; its message names why, and neither file nor patient."""


@dataclass(slots=True)
class Job:
    """One picture that is asked for, perhaps by several."""

    path: str
    edge: int
    window: str = MINMAX
    content_id: str = ""
    done: "Future[bytes]" = field(default_factory=Future)
    _begun: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_begun(self) -> bool:
        """Whether somebody is at it, or has been."""
        return self._begun.locked()

    def begin(self) -> bool:
        """Take it on; False where somebody has, since it may stand in the queue twice."""
        return self._begun.acquire(blocking=False)


class PicturePool:
    """Makes pictures in processes, which are started with the first one.

    Args:
        settings: how many, and what one picture may take.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._queue: queue.PriorityQueue[tuple[int, int, Job | None]] = queue.PriorityQueue()
        self._number = count()
        self._lock = threading.Lock()
        self._threads: list[_Server] = []
        self._is_closed = False

    def ask(
        self,
        path: str,
        edge: int,
        priority: int = WANTED,
        *,
        window: str = MINMAX,
        content_id: str = "",
    ) -> Job:
        """Have a picture made; `Job.done` gives its bytes or raises `NoPicture`."""
        job = Job(path, edge, window, content_id)
        self.hurry(job, priority)
        return job

    def hurry(self, job: Job, priority: int = WANTED) -> None:
        """Put a job into the queue, once more if it stands in it already."""
        with self._lock:
            if self._is_closed:
                raise NoPicture("the server is closing")
            if not self._threads:
                self._threads = [
                    _Server(self._queue, self._settings)
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


class _Server(threading.Thread):
    """The parent's side of one process."""

    def __init__(
        self,
        jobs: "queue.PriorityQueue[tuple[int, int, Job | None]]",
        settings: ServeSettings,
    ) -> None:
        super().__init__(daemon=True)
        self._jobs, self._settings = jobs, settings
        self._worker: _Worker | None = None

    def run(self) -> None:
        while (job := self._jobs.get()[2]) is not None:
            if not job.begin():
                continue
            try:
                job.done.set_result(self._make(job))
            except Exception as error:  # handed on to whoever waits
                job.done.set_exception(error)
        self._end_worker()

    def stop(self) -> None:
        while self.is_alive():
            if worker := self._worker:
                worker.kill()
            self.join(0.1)

    def _make(self, job: Job) -> bytes:
        try:
            # One may have died since the last picture, which is not this one's fault.
            if self._worker is None or not self._worker.is_alive():
                self._end_worker()
                self._worker = _Worker(self._settings.picture_memory_bytes)
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
            worker.end()


class _Worker:
    """One process and the socket to it."""

    def __init__(self, memory_bytes: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            number = str(theirs.fileno())
            self._process = subprocess.Popen(
                # -P: nothing is imported from the folder that the user happens to stand in.
                [sys.executable, "-P", "-m", "cxrview.annotate.web.picture_worker"]
                + [number, str(memory_bytes)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C on the terminal is for the parent to act on
                env={**os.environ, **ONE_THREAD},
            )
        self._socket = Connection(ours.detach())
        self._is_ready = False

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def make(self, job: Job, seconds: float) -> bytes:
        """Have one picture made.

        Raises:
            EOFError, OSError: the process died.
            TimeoutError: it is still at it.
        """
        if not self._is_ready:
            self._is_ready = self._receive(_START_SECONDS) == READY
        head = JOB.pack(job.edge, job.window == AUTO, job.content_id.encode())
        self._socket.send_bytes(head + os.fsencode(job.path))
        return self._receive(seconds)

    def kill(self) -> None:
        """Send it SIGKILL; safe from any thread."""
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._socket.close()

    def _receive(self, seconds: float) -> bytes:
        if not self._socket.poll(seconds):
            raise TimeoutError
        return self._socket.recv_bytes(_MOST_BYTES)
