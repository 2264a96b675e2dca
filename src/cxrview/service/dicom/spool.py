"""Objects are written to the disk while they arrive.

pynetdicom can write the data set of a C-STORE request to a temporary file as it arrives
(`STORE_RECV_CHUNKED_DATASET`). That file lies where the system keeps temporary files, it stays
there if the sender aborts, and a full disk ends the thread that reads from the connection, so that
the sender gets no answer. `Spool` takes its place: it is a file on the disk of the queue, an error
of the disk is kept until the request can be answered, and it removes itself.
"""

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from pynetdicom import _config, dimse_messages


class Spool:
    """An object that is being received: the file that pynetdicom writes to.

    Args:
        path: of the file, which is created.
        most_bytes: more than these are not kept.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.name = str(path)
        self.file = self  # pynetdicom flushes `file`
        self.path, self._most_bytes = path, most_bytes
        self.size = 0
        self.error: OSError | None = None
        """Why it is not complete on the disk."""
        self._file: IO[bytes] | None = None
        try:
            self._file = path.open("xb")
        except OSError as error:
            self.error = error

    @property
    def is_too_large(self) -> bool:
        """Whether it has more bytes than are kept."""
        return self.size > self._most_bytes

    def write(self, data: bytes) -> int:
        """Append data, unless an earlier piece could not be written."""
        self.size += len(data)
        if self._file and not self.error and not self.is_too_large:
            try:
                self._file.write(data)
            except OSError as error:
                self.error = error
        return len(data)

    def tell(self) -> int:
        """The number of bytes written."""
        return self.size

    def flush(self) -> None:
        """Leave it to `close`: pynetdicom flushes after each piece."""

    def close(self) -> None:
        """Write what is left; it may be repeated."""
        file, self._file = self._file, None
        if file:
            try:
                file.close()
            except OSError as error:
                self.error = self.error or error

    def discard(self) -> None:
        """Remove the file, unless it was taken over by another name."""
        self.close()
        self.path.unlink(missing_ok=True)

    def __del__(self) -> None:
        self.discard()


def spool_to(new_part: Callable[[], Path], most_bytes: int) -> None:
    """Have pynetdicom write the objects that it receives to the disk of the queue.

    pynetdicom has one place for all servers of a process.

    Args:
        new_part: gives the name of a new file.
        most_bytes: of one object.
    """

    def new_spool(**_: Any) -> Spool:
        return Spool(new_part(), most_bytes)

    _config.STORE_RECV_CHUNKED_DATASET = True
    vars(dimse_messages)["NamedTemporaryFile"] = new_spool
