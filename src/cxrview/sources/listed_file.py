"""The name by which a file that a table lists is found here, whatever system wrote the table."""

import os
import re
from collections.abc import Callable


def found_name(name: str, is_there: Callable[[str], bool]) -> str:
    r"""Give the name under which a listed file is there.

    Args:
        name: as it stands in the table.
        is_there: whether there is a file of a name.

    Returns:
        The name as it stands where that is there, or where neither is; else that with slashes for
        the backslashes of Windows: `films\1.png` is `films/1.png`.
    """
    if "\\" not in name or is_there(name):
        return name
    slashed = name.replace("\\", "/")
    return slashed if is_there(slashed) else name


def is_of_windows(name: str) -> bool:
    r"""Whether a name begins with a drive (`C:\`) or a share (`\\server`) that is not here."""
    return os.name != "nt" and bool(re.match(r"[A-Za-z]:[\\/]|\\\\[^\\]", name))


RELATIVE = "Name files relative to the table, not by a drive or share of Windows"
"""Advice where `is_of_windows`."""
