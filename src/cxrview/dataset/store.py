"""Reads a prepared store: the squashed pixels and labels of radiographs in one folder.

    pixels.npy       (n, 256, 256) uint8, for np.load(..., mmap_mode="r")
    index.parquet    one row per image: file, patient, labels, hashes, header facts
    failures.csv     labelled files that could not be read
    about.json       the inputs, and whether the store is complete

An incomplete store also has `progress.jsonl`; `dataset.store_writer` writes all files.
"""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview import json_file
from cxrview.csv_files import read_csv_rows, write_csv
from cxrview.dataset.append import ABOUT, PIXELS, damaged_store
from cxrview.errors import UsageError
from cxrview.records.classification import Failure
from cxrview.records.dataset import Prepared, PreparedImage
from cxrview.terms import View

INDEX, FAILURES, PROGRESS = "index.parquet", "failures.csv", "progress.jsonl"
FORMAT = 2
"""Increased when older versions could not read the files, or newer ones need more."""

INDEX_COLUMNS = {
    "row": "int32",
    "file": "string",
    "source": "string",
    "study": "string",
    "patient": "string",
    "view": "string",
    "file_sha256": "string",
    "pixel_sha256": "string",
    "warnings": "string",
    "has_header": "bool",
    "manufacturer": "string",
    "header_view": "string",
}
"""Arrow types by name. Warning codes are joined by `;`; unknown values are empty."""

_FAILURE_COLUMNS = {"file": "path", "code": "code", "reason": "reason", "advice": "advice"}


def open_prepared(folder: Path) -> Prepared:
    """Open a complete store; its pixels are mapped and read on access.

    Args:
        folder: of `cxrview prepare --out`.

    Raises:
        UsageError: the store is missing or incomplete, or its files do not fit together.
    """
    about = read_about(folder)
    if about is None:
        if not folder.exists():
            raise UsageError(f"folder {folder} does not exist", "Check the name")
        raise UsageError(f"{folder} is not a prepared store", "Create one with cxrview prepare")
    if not about["complete"]:
        raise UsageError(f"{folder} is incomplete", "Run the same cxrview prepare again")
    try:
        store = Prepared(
            images=tuple(_read_index(folder / INDEX)),
            pixels=_map_pixels(folder / PIXELS),
            failures=tuple(_read_failures(folder / FAILURES)),
            about=about,
        )
        if (len(store.images), len(store.failures)) != (about["images"], about["failures"]):
            raise ValueError("the numbers of rows differ from about.json")
        return store
    except (OSError, ValueError, KeyError, IndexError) as error:  # Arrow's errors are ValueErrors
        advice = "Create it again with cxrview prepare --overwrite"
        raise damaged_store(folder, advice) from error


def read_about(folder: Path) -> dict[str, Any] | None:
    """Read about.json of a store; None if there is none.

    Raises:
        UsageError: the folder does not have a store of this format.
    """
    if has_former_store(folder):
        raise UsageError(
            f"{folder} was prepared by an earlier version, which did not store header facts",
            "Create it again with cxrview prepare --overwrite",
        )
    return json_file.read_about(folder / ABOUT, version=FORMAT, what="a prepared store")


def has_former_store(folder: Path) -> bool:
    """Whether the folder has a prepared store of an earlier version, complete or not."""
    try:
        about = json_file.read_json(folder / ABOUT)
    except (OSError, ValueError):
        return False
    # Variants and pictures also have an about.json of format 1.
    return about.get("format") == 1 and {"labels_sha256", "reader"} <= about.keys()


def write_index(path: Path, images: Iterable[PreparedImage]) -> None:
    """Write the rows as Parquet with INDEX_COLUMNS."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in INDEX_COLUMNS.items()])
    rows = [
        asdict(image)
        | {"warnings": ";".join(image.warnings), "header_view": image.header_view or ""}
        for image in images
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd")


def write_prepare_failures(path: Path, failures: Iterable[Failure]) -> None:
    """Write `file, code, reason, advice` as CSV; only the header row if there are no failures."""
    names = _FAILURE_COLUMNS.values()
    write_csv(path, list(_FAILURE_COLUMNS), ([getattr(f, n) for n in names] for f in failures))


def _read_index(path: Path) -> Iterable[PreparedImage]:
    import pyarrow.parquet as pq

    for number, row in enumerate(pq.read_table(path).to_pylist()):
        if row["row"] != number:
            raise ValueError("the index does not number its rows from 0")
        codes = tuple(filter(None, row.pop("warnings").split(";")))
        claimed = View(row["header_view"]) if row["header_view"] else None
        known = {"view": View(row["view"]), "header_view": claimed, "warnings": codes}
        yield PreparedImage(**(row | known))


def _map_pixels(path: Path) -> NDArray[np.uint8]:
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if len(shape) != 3 or dtype != np.uint8:
        raise ValueError("the pixels are not (n, rows, columns) uint8")
    if shape[0] == 0:  # an empty array cannot be mapped
        return np.empty(shape, np.uint8)
    pixels: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return pixels


def _read_failures(path: Path) -> Iterable[Failure]:
    for row in read_csv_rows(path):
        yield Failure(**{to: row[name] for name, to in _FAILURE_COLUMNS.items()})
