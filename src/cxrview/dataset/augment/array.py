"""Reads and writes all variants of many progenitors as one array on disk.

variants.npy     (n, 106, 256, 256) uint8, for np.load(..., mmap_mode="r")
index.parquet    one row per progenitor: row, file, partition
about.json       seed, edge, names of the variants, inputs; whether it is complete
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import PART, locked, writing
from cxrview.dataset.append import ABOUT, damaged_store, npy_header
from cxrview.errors import CannotWrite, UsageError
from cxrview.json_file import read_about, write_json
from cxrview.records.dataset import Materialised
from cxrview.terms import Partition

VARIANTS, INDEX = "variants.npy", "index.parquet"
FORMAT = 1
"""Increased when older versions could not read the files any more."""


def write_materialised(
    folder: Path,
    progenitors: Sequence[tuple[str, Partition]],
    shape: tuple[int, int, int],
    make: Callable[[int], NDArray[np.uint8]],
    conditions: Mapping[str, Any],
    *,
    overwrite: bool = False,
    watch: Callable[[int], None] = lambda done: None,
) -> None:
    """Write the variants of each progenitor in order; existing ones are not made again.

    If it is stopped, the same call resumes and ends with the same bytes.

    Args:
        folder: new, empty, or of the same call.
        progenitors: file and partition of each.
        shape: of what `make` returns: variants, rows, columns.
        make: takes the number of a progenitor, gives its variants, uint8.
        conditions: what the result depends on, by name, for JSON.
        overwrite: replace existing variants.
        watch: called with how many more progenitors are done.

    Raises:
        UsageError: the folder has other files or variants of other conditions, or another process
            writes it.
        CannotWrite: the disk has not enough free space, or is not writable.
    """
    about = {"format": FORMAT, **conditions, "progenitors": len(progenitors), "shape": [*shape]}
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            if _is_complete(folder, about, overwrite):
                watch(len(progenitors))
                return
            _write_variants(folder, (len(progenitors), *shape), make, watch)
            _write_index(folder / INDEX, progenitors)
            write_json(folder / ABOUT, about | {"complete": True})


def open_materialised(folder: Path) -> Materialised:
    """Open a complete array; its pixels are mapped and read on access.

    Raises:
        UsageError: there is none, it is incomplete, or its files do not fit together.
    """
    import pyarrow.parquet as pq

    about = _read_about(folder)
    if about is None:
        raise UsageError(f"{folder} has no variants", "Run cxrview augment STORE --materialise")
    if not about["complete"]:
        raise UsageError(f"{folder} is incomplete", "Run the same command again")
    try:
        rows = pq.read_table(folder / INDEX).to_pylist()
        return Materialised(
            files=tuple(row["file"] for row in rows),
            partitions=tuple(Partition(row["partition"]) for row in rows),
            variants=tuple(about["variants"]),
            pixels=np.load(folder / VARIANTS, mmap_mode="r"),
            about=about,
        )
    except (OSError, ValueError, KeyError) as error:  # Arrow's errors are ValueErrors
        raise damaged_store(folder, "Create it again with --overwrite") from error


def _is_complete(folder: Path, about: dict[str, Any], overwrite: bool) -> bool:
    """Check existing variants, or write about.json of new ones; are they complete?"""
    found = _read_about(folder)
    if found is None:
        if any(path.name != ABOUT + PART for path in folder.iterdir()):
            raise UsageError(f"{folder} has other files and not variants", "Choose a new folder")
    elif overwrite:
        for name in (INDEX, VARIANTS):
            (folder / name).unlink(missing_ok=True)
    else:
        changed = [name for name in about if found.get(name) != about[name]]
        if changed:
            raise UsageError(
                f"{folder} was made with other settings: {', '.join(changed)}",
                "Resume with the same ones, choose a new folder, or use --overwrite",
            )
        if found["complete"]:
            return True
    write_json(folder / ABOUT, about | {"complete": False})
    return False


def _write_variants(
    folder: Path,
    shape: tuple[int, int, int, int],
    make: Callable[[int], NDArray[np.uint8]],
    watch: Callable[[int], None],
) -> None:
    """Append progenitor by progenitor, from the first that is incomplete."""
    (folder / VARIANTS).touch()
    block = int(np.prod(shape[1:]))
    with (folder / VARIANTS).open("r+b") as file:
        file.write(npy_header(shape))
        complete = max(0, os.fstat(file.fileno()).st_size - file.tell()) // block
        # After a power failure the last one may be damaged, whatever its size.
        done = max(0, complete - 1)
        _need_free_space(folder, (shape[0] - complete) * block)
        file.truncate(file.tell() + done * block)
        file.seek(0, os.SEEK_END)
        watch(done)
        for number in range(done, shape[0]):
            file.write(make(number).tobytes())
            # Synced one by one, so that only the last can be damaged.
            file.flush()
            os.fsync(file.fileno())
            watch(1)


def _need_free_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise CannotWrite(
            f"{folder} has {free / 1e9:.1f} GB of free space and needs {needed / 1e9:.1f}",
            "Choose another folder, or train without it: variants are then made while training",
        )


def _write_index(path: Path, progenitors: Sequence[tuple[str, Partition]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "row": pa.array(range(len(progenitors)), pa.int32()),
            "file": pa.array([file for file, _ in progenitors], pa.string()),
            "partition": pa.array([str(partition) for _, partition in progenitors], pa.string()),
        }
    )
    pq.write_table(table, path, compression="zstd")


def _read_about(folder: Path) -> dict[str, Any] | None:
    return read_about(folder / ABOUT, version=FORMAT, needs=("variants",), what="variants")
