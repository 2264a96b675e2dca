"""Which paths a glob names: `*`, `?` and `[]` within a name, `**` for folders of any depth."""

import fnmatch
import re
from collections.abc import Sequence

WILDCARD = re.compile(r"[*?\[]")
"""What makes a glob of a name; a name that is there is itself and no glob."""


def split_glob(pattern: str) -> tuple[str, tuple[str, ...]]:
    """Split a glob into the folder before its first wildcard and the parts from there on."""
    parts = pattern.split("/")
    first = next(k for k, part in enumerate(parts) if WILDCARD.search(part))
    base = "/".join(parts[:first])
    if first and not base:
        base = "/"
    return base, tuple(part for part in parts[first:] if part)


def matches(names: Sequence[str], parts: Sequence[str], *, or_below: bool = False) -> bool:
    """Whether a glob names a path.

    Names that begin with a dot match only where the glob has the dot.

    Args:
        names: of the path, folder after folder.
        parts: of the glob, likewise; `**` stands for any number of names.
        or_below: what lies in a folder that the glob names counts as well.
    """
    if not parts:
        return or_below or not names
    if parts[0] == "**" and matches(names, parts[1:], or_below=or_below):
        return True
    if not names or (names[0].startswith(".") and not parts[0].startswith(".")):
        return False
    if parts[0] == "**":
        return matches(names[1:], parts, or_below=or_below)
    is_named = fnmatch.fnmatchcase(names[0], parts[0])
    return is_named and matches(names[1:], parts[1:], or_below=or_below)
