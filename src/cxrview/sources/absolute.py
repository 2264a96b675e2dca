"""One form of a path for all ways to write it, for results of runs that stood elsewhere."""

import os
import re

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")


def absolute(path: str, folder: str = "") -> str:
    """A path from the root on, without asking the disk; a URL as it is, but `file://x` as `x`.

    Args:
        path: as a run found it.
        folder: where a relative path begins; where we stand if empty.
    """
    # abspath, not Path.resolve: it follows links, and each link is a row of its own.
    if path.startswith("/"):
        return os.path.abspath(path)  # noqa: PTH100
    before, chained, last = path.rpartition("::")
    if chained and _URL.match(before):  # zip://film.dcm::films.zip
        return f"{before}{chained}{absolute(last, folder)}"
    if path.startswith("file://"):
        return absolute(path.removeprefix("file://"), folder)
    if _URL.match(path):
        return path
    return os.path.abspath(os.path.join(folder, path))  # noqa: PTH100, PTH118 (odd bytes)
