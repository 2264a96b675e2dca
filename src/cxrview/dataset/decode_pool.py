"""Decode labelled files in worker processes, in their order; a crash or a hang fails one file."""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from cxrview.dataset.decode import Squashed
from cxrview.dataset.decode_worker import AS_PUBLISHED, LENGTH, PLAIN, unpack
from cxrview.errors import DecoderCrashed, TimedOut, WorkerStartError
from cxrview.image.failure import failure_of
from cxrview.records.classification import Failure
from cxrview.workers.process import WorkerProcess

_AHEAD = 8
"""Files submitted for each worker, so that none is idle."""
_FILE_SECONDS = 3600.0
"""Time after which a worker hangs, such as at a disk that does not answer."""


def squash_files(
    paths: Iterable[Path], *, as_published: bool = False, workers: int = 2
) -> Iterator[Squashed | Failure]:
    """Decode every file to the model's square; yield one outcome for each, in order.

    A worker that dies costs the file that it was reading, which becomes a `decoder_crash`.

    Args:
        paths: regular files.
        as_published: see `squash_file`.
        workers: number of processes, at least 1.

    Raises:
        WorkerStartError: the worker processes cannot be started.
    """
    processes = _Processes(as_published)
    threads = ThreadPoolExecutor(workers)
    waiting: deque[Future[Squashed | Failure]] = deque()
    try:
        for path in paths:
            waiting.append(threads.submit(processes.squash, path))
            if len(waiting) >= workers * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        processes.end()
        threads.shutdown()


class _Processes:
    """The worker processes of a pool, one for each of its threads."""

    def __init__(self, as_published: bool) -> None:
        self._settings = AS_PUBLISHED if as_published else PLAIN
        self._of_thread = threading.local()
        self._all: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._is_ended = False

    def squash(self, path: Path) -> Squashed | Failure:
        """Decode one file in the process of this thread, which is started again if it died."""
        process = self._ready_process()
        name = os.fsencode(path)
        try:
            process.send(LENGTH.pack(len(name)) + name)
            return unpack(process.by_deadline(_FILE_SECONDS))
        except (BrokenPipeError, EOFError):
            self._give_up(process)
            error = DecoderCrashed(str(path), "the process that read it died")
            return failure_of(str(path), error)
        except TimeoutError:
            self._give_up(process)
            seconds = f"{_FILE_SECONDS:g}"
            return failure_of(
                str(path), TimedOut(str(path), f"reading it took longer than {seconds} s")
            )

    def _give_up(self, process: WorkerProcess) -> None:
        """Replace the process before the next file; one that is ending may still be alive."""
        process.kill()
        self._of_thread.process = None

    def _ready_process(self) -> WorkerProcess:
        process: WorkerProcess | None = getattr(self._of_thread, "process", None)
        if process is None or not process.is_alive():
            process = self._start()
            self._of_thread.process = process
            if not process.is_ready():
                raise WorkerStartError(
                    f"the processes that read files cannot be started ({process.last_words()})",
                    "Check memory and the installation, and run the same command again",
                )
        return process

    def _start(self) -> WorkerProcess:
        with self._lock:
            if self._is_ended:
                raise WorkerStartError("the pool of processes was closed")
            process = WorkerProcess("cxrview.dataset.decode_worker", self._settings)
            self._all.append(process)
        return process

    def end(self) -> None:
        """End all processes, even in the middle of a file."""
        with self._lock:
            self._is_ended = True
        for process in self._all:
            process.kill()
            process.end()
