"""Keep answers to requests from being lost in pynetdicom."""

import threading
from typing import Any

from pynetdicom.association import Association


class _Checkpoint(threading.Event):
    """The event by which a request pauses the thread of an association.

    Args:
        lock: held by that thread while it looks for a message.
    """

    def __init__(self, lock: threading.Lock) -> None:
        super().__init__()
        self._looking = lock
        self.set()

    def clear(self) -> None:
        """Pause the thread, which does not look for a message any more when this returns."""
        with self._looking:
            super().clear()


def keep_answers(association: Association) -> Association:
    """Have all requests on an association get their answers.

    Every association of pynetdicom has a thread that takes requests of the other side. A request of
    our side pauses it, but pynetdicom 3.0.4 takes it for paused when it is just about to go on. If
    it is slow then, as on a busy machine, it takes the answer and drops it, and the request ends
    after `dimse_timeout`. With this, it looks for no message from the moment at which a request
    begins.

    Args:
        association: that our side opened, and on which it has not sent anything.

    Returns:
        The same association.
    """
    looking = threading.Lock()
    checkpoint = _Checkpoint(looking)
    provider: Any = association.dimse
    take = provider.get_msg

    def get_message(block: bool = False) -> Any:
        if block:  # by a request of our side
            return take(block=True)
        with looking:
            return take() if checkpoint.is_set() else (None, None)

    provider.get_msg = get_message
    association._reactor_checkpoint = checkpoint
    return association
