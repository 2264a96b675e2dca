"""Whether the folders that a run began with are still there, or their disk went away meanwhile.

A disk that drops out leaves a folder that is empty, missing or broken. To go on would list all that
is left as unreadable, and call the result whole.
"""

import os
from collections.abc import Iterable

from cxrview.errors import CannotOpen, OutOfReach
from cxrview.image.address import local_path
from cxrview.records import Failure, Prediction
from cxrview.store.rows import printable


class Reach:
    """The folders among some paths that hold anything now.

    Args:
        named: as the command got them. URLs, globs and single files are not watched.
    """

    def __init__(self, named: Iterable[str]) -> None:
        self._folders = [path for path in named if (local := local_path(path)) and _holds(local)]

    def check(self, outcomes: Iterable[Prediction | Failure], advice: str) -> None:
        """Look at the folders where a file could not be opened; else no disk is asked.

        Raises:
            OutOfReach: one of them is empty, gone, or can no longer be listed.
        """
        if any(isinstance(one, Failure) and one.code == CannotOpen.code for one in outcomes):
            for path in self._folders:
                if not _holds(local_path(path)):
                    raise OutOfReach(
                        f"{printable(path)} was there, and is empty or out of reach now",
                        f"Mount it. {advice}",
                    )


def _holds(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return False
