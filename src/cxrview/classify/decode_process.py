"""The parent's side of one decode worker: jobs, waits and time limits."""

import os
import pickle
from collections.abc import Callable
from contextlib import nullcontext

from cxrview.classify.decode_worker import GO, JOB, OPENED, SIZE
from cxrview.classify.read_settings import ReadSettings
from cxrview.classify.wire import DecodedImage, unpack
from cxrview.records.classification import Failure
from cxrview.workers.cores import Cores
from cxrview.workers.process import WorkerProcess


class DecodeProcess(WorkerProcess):
    """A process that decodes files.

    Args:
        settings: how it reads files.
    """

    def __init__(self, settings: ReadSettings) -> None:
        super().__init__("cxrview.classify.decode_worker", pickle.dumps(settings))

    def decode(
        self,
        path: str,
        timeout_s: float,
        cores: Cores,
        *,
        opens_ahead: bool,
        wait_for: Callable[[int], None] | None = None,
    ) -> tuple[DecodedImage | Failure, float]:
        """Decode one file.

        Args:
            path: of the file.
            timeout_s: seconds it may take, not counting waits for a core or for the rate limit.
            cores: lends a core for decoding.
            opens_ahead: open the file before a core is available.
            wait_for: called with the file's size before it is opened; returns when that many bytes
            may be read, or raises.

        Returns:
            The outcome, and the seconds that the worker took.

        Raises:
            BrokenPipeError: the worker was dead before.
            EOFError: the worker died while it read the file.
            TimeoutError: the worker did not finish in time.
        """
        left = timeout_s
        if wait_for:
            self._send_job(path, tells_size=True, opens_ahead=opens_ahead)
            reader = self.by_deadline(left)
            size = reader.receive(SIZE.size)
            if len(size) < SIZE.size:
                raise EOFError
            left = reader.left()
            wait_for(*SIZE.unpack(size))
        with nullcontext() if opens_ahead else cores.for_decoding():
            if wait_for:
                self._send_go()
            else:
                self._send_job(path, tells_size=False, opens_ahead=opens_ahead)
            reader = self.by_deadline(left)
            if not opens_ahead or reader.receive(len(OPENED)) != OPENED:
                return unpack(reader), timeout_s - reader.left()
            left = reader.left()
        with cores.for_decoding():
            self._send_go()
            reader = self.by_deadline(left)
            return unpack(reader), timeout_s - reader.left()

    def _send_job(self, path: str, *, tells_size: bool, opens_ahead: bool) -> None:
        name = os.fsencode(path)
        self.send(JOB.pack(len(name), tells_size, opens_ahead) + name)

    def _send_go(self) -> None:
        try:
            self.send(GO)
        except BrokenPipeError:  # it died after it opened the file, which may be the cause
            raise EOFError from None
