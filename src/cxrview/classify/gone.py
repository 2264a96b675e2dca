"""What earlier runs read and this one did not find: deleted, or only out of reach?

A disk that is not mounted is an empty folder. To take its files for deleted would throw away the
work of nights, so that only a few files that vanish one by one are believed to be gone.
"""

import os
from collections.abc import Sequence

from cxrview.errors import OutOfReach
from cxrview.results.columns import printable
from cxrview.results.journal import Conditions, Journal
from cxrview.sources.order import read_arguments
from cxrview.sources.path_key import path_key
from cxrview.wording import plural

FEW, FEW_PERCENT = 10, 1
"""Ours: so many files may vanish unasked, or that share of those done, whichever is more."""


def count_gone(journal: Journal, conditions: Conditions, done: int) -> int:
    """Count the files that an earlier run is done with and this one, over all, did not find.

    Args:
        journal: of a run that has come upon all files there are.
        conditions: of the run.
        done: how many files were done with before this run.

    Raises:
        OutOfReach: they may well be there and cannot be seen: they are many, or all that a PATH
            held, or they lie in a folder that cannot be listed.
    """
    count, first = 0, b""
    for key in journal.gone():
        count, first = count + 1, first or key
    if count and (
        count > max(FEW, done * FEW_PERCENT // 100)
        or count == done
        or _are_hidden(
            journal, [path_key(one) for one in read_arguments(conditions.get("paths", ""))]
        )
    ):
        of = f"of {plural(done, 'file')} read before"
        raise OutOfReach(
            f"{plural(count, f'{of} is', f'{of} are')} not found any more, such as "
            f"{printable(os.fsdecode(first))}",
            "Nothing was dropped. Mount what is missing and go on with --resume; if the files "
            "are gone for good, --resume --forget-missing drops them",
        )
    return count


def _are_hidden(journal: Journal, named: Sequence[bytes]) -> bool:
    """Whether some lie in a folder that could not be listed, or were all of a PATH."""
    for key in list(journal.gone()):
        # The finder gives out a folder as if it were a file only where it cannot list it.
        if any(journal.has_found(folder) for folder in _folders_above(key)):
            return True
        if any(_is_below(key, path) and not journal.has_found_below(path) for path in named):
            return True
    return False


def _folders_above(key: bytes) -> list[bytes]:
    names = key.split(b"/")
    return [b"/".join(names[:k]) for k in range(1, len(names))]


def _is_below(key: bytes, folder: bytes) -> bool:
    return key.startswith(folder.rstrip(b"/") + b"/")
