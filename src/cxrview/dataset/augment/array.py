"""All variants of many progenitors in one array on disk, for training that waits for no processor.

variants.npy     (n, 106, 256, 256) uint8, for np.load(..., mmap_mode="r")
index.parquet    one row a progenitor: row, file, partition
about.json       seed, edge, names of the variants, what it was made from; complete or not
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import PART, atomic_path, locked, writing
from cxrview.dataset.append import ABOUT, npy_heading
from cxrview.errors import CannotWrite, UsageError
from cxrview.records import Materialised
from cxrview.terms import Partition

VARIANTS, INDEX = "variants.npy", "index.parquet"
FORMAT = 1
"""Raised when an older reader could not read what is written."""


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
    """Write the variants of each progenitor in turn; what stands whole is not made again.

    Stopped at any point, the same call goes on and ends with the same bytes.

    Args:
        folder: new, empty, or begun by the same call.
        progenitors: file and partition of each.
        shape: of what `make` returns: variants, rows, columns.
        make: gives the variants of the progenitor of that number, uint8.
        conditions: what the result depends on, by name, for JSON.
        overwrite: begin anew, whatever was materialised there.
        watch: called with how many more progenitors are done.

    Raises:
        UsageError: the folder holds something else, or was begun under other conditions, or
            another process is writing it.
        CannotWrite: there is no room, or the disk took no more.
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
            _write_about(folder, about | {"complete": True})


def open_materialised(folder: Path) -> Materialised:
    """Open a complete array; its pixels stay on the disk until they are looked at.

    Raises:
        UsageError: there is none, it is not complete, or its files do not fit together.
    """
    import pyarrow.parquet as pq

    about = _read_about(folder)
    if about is None:
        raise UsageError(f"{folder} holds no variants", "cxrview augment STORE --materialise")
    if not about["complete"]:
        raise UsageError(f"{folder} was begun and not finished", "Run the same command again")
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
        raise UsageError(
            f"{folder} is damaged: its files are not all there or do not fit together",
            "Make it anew with --overwrite",
        ) from error


def _is_complete(folder: Path, about: dict[str, Any], overwrite: bool) -> bool:
    """Whether nothing is left to do; one begun now says what it is begun under."""
    standing = _read_about(folder)
    if standing is None:
        if any(path.name != ABOUT + PART for path in folder.iterdir()):
            raise UsageError(f"{folder} holds other files and no variants", "Name a new folder")
    elif overwrite:
        for name in (INDEX, VARIANTS):
            (folder / name).unlink(missing_ok=True)
    else:
        changed = [name for name in about if standing.get(name) != about[name]]
        if changed:
            raise UsageError(
                f"{folder} was made under other conditions: {', '.join(changed)} differ",
                "Go on with the same ones, name a new folder, or begin anew with --overwrite",
            )
        if standing["complete"]:
            return True
    _write_about(folder, about | {"complete": False})
    return False


def _write_variants(
    folder: Path,
    shape: tuple[int, int, int, int],
    make: Callable[[int], NDArray[np.uint8]],
    watch: Callable[[int], None],
) -> None:
    """Append progenitor by progenitor, from the first that does not stand whole."""
    (folder / VARIANTS).touch()
    block = int(np.prod(shape[1:]))
    with (folder / VARIANTS).open("r+b") as file:
        file.write(npy_heading(shape))
        standing = max(0, os.fstat(file.fileno()).st_size - file.tell()) // block
        # After a power cut the last one may be torn, whatever its size.
        done = max(0, standing - 1)
        _refuse_if_no_room(folder, (shape[0] - standing) * block)
        file.truncate(file.tell() + done * block)
        file.seek(0, os.SEEK_END)
        watch(done)
        for number in range(done, shape[0]):
            file.write(make(number).tobytes())
            # Onto the disk one after the other, so that only the last can be torn.
            file.flush()
            os.fsync(file.fileno())
            watch(1)


def _refuse_if_no_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise CannotWrite(
            f"{folder} has room for {free / 1e9:.1f} GB and needs {needed / 1e9:.1f}",
            "Name another folder, or let the variants be made while training, as they are anyway",
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
    path = folder / ABOUT
    if not path.is_file():
        return None
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        known = (
            about["format"] == FORMAT
            and "variants" in about
            and isinstance(about["complete"], bool)
        )
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise UsageError(f"{path} is not that of variants of this version", "Name another folder")
    return dict(about)


def _write_about(folder: Path, about: Mapping[str, Any]) -> None:
    with atomic_path(folder / ABOUT) as part:
        part.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
