"""A result of millions of rows: a folder of Parquet files of one row group each.

    views/part-00000.parquet, views/part-00001.parquet, ...

`pyarrow.dataset` and polars open such a folder as one table. The rows stand in the order of the
names.
"""

import os
import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from cxrview.atomic_files import PART
from cxrview.results.columns import Row
from cxrview.results.tables import ROW_GROUP, write_table

_OURS = re.compile(r"part-\d{5,}\.parquet(\.part)?")


def write_parts(folder: Path, rows: Iterable[Row]) -> None:
    """Write rows with the COLUMNS of a result as a folder of parts.

    The folder appears under its name only when it is whole; parts that stood there are replaced.

    Raises:
        OSError: the disk took no more, or files other than parts stand there.
    """
    making = folder.with_name(folder.name + PART)
    _remove_parts(making)
    making.mkdir()
    ahead = iter(rows)
    number, group = 0, list(islice(ahead, ROW_GROUP))
    while group or not number:  # a result without rows has its columns all the same
        write_table(making / f"part-{number:05}.parquet", group)
        number, group = number + 1, list(islice(ahead, ROW_GROUP))
    _sync(making)
    # Nothing is lost in between: the journal goes only when the new folder stands.
    _remove_parts(folder)
    making.rename(folder)
    _sync(folder.parent)


def foreign_files(folder: Path) -> list[str]:
    """Names in a folder that are no parts of a result, sorted."""
    return sorted(name for name in os.listdir(folder) if not _OURS.fullmatch(name))  # noqa: PTH208 (names)


def _remove_parts(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            if _OURS.fullmatch(path.name):
                path.unlink()
        folder.rmdir()  # fails where anybody put something else


def _sync(folder: Path) -> None:
    """Put the names of a folder onto the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
