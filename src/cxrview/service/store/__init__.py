"""The queue on the disk: SQLite for the bookkeeping, plain files for the objects.

A database holds who waits for what, because states must change together and survive a crash, which
is what transactions are for. Objects are plain files, because they are large, never change, are
written as they arrive, and are read by the decode processes and sent by name; in a database each
would be copied twice, and removing them would leave a large file behind.
"""

from cxrview.service.store.store import Store

__all__ = ["Store"]
