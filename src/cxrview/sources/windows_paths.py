"""Find files that a table lists, also if the table was written on Windows."""

import os
import re
from collections.abc import Callable


def existing_name(name: str, is_there: Callable[[str], bool]) -> str:
    r"""Return the name under which a listed file exists.

    Args:
        name: as in the table.
        is_there: whether a file with a name exists.

    Returns:
        The name as in the table, unless only the name with slashes in place of the backslashes of
        Windows exists: `films\1.png` is `films/1.png`.
    """
    if "\\" not in name or is_there(name):
        return name
    slashed = name.replace("\\", "/")
    return slashed if is_there(slashed) else name


def is_windows_path(name: str) -> bool:
    r"""Whether a name begins with a drive (`C:\`) or a share (`\\server`)."""
    return os.name != "nt" and bool(re.match(r"[A-Za-z]:[\\/]|\\\\[^\\]", name))


RELATIVE = "Name files relative to the table, not by a drive or share of Windows"
"""Advice for names of which `is_windows_path` is true."""
