"""A prepared store on disk: labelled radiographs as the network takes them, in one folder.

    pixels.npy       (n, 256, 256) uint8, for np.load(..., mmap_mode="r")
    index.parquet    one row a picture: whose, from which file, with hashes, what its header says
    failures.csv     labelled files that could not be read
    about.json       what it was made from, and whether it is complete

While it is being made there is `progress.jsonl` as well, and about.json says so; see
`store.preparing`, which writes all of it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.csv_files import read_csv_rows, write_csv
from cxrview.dataset.append import ABOUT, PIXELS
from cxrview.errors import UsageError
from cxrview.records import Failure, Prepared, PreparedImage
from cxrview.terms import View

INDEX, FAILURES, PROGRESS = "index.parquet", "failures.csv", "progress.jsonl"
FORMAT = 2
"""Raised when an older reader could not read what is written, or a newer one would miss some."""

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
"""Name to Arrow type. Codes of warnings are joined by `;`; what is not known is empty."""

_FAILURE_COLUMNS = {"file": "path", "code": "code", "reason": "reason", "advice": "advice"}


def open_prepared(folder: Path) -> Prepared:
    """Open a complete store; its pixels stay on the disk until they are looked at.

    Args:
        folder: as `cxrview prepare --out` made it.

    Raises:
        UsageError: there is no store, it is not complete, or its files do not fit together.
    """
    about = read_about(folder)
    if about is None:
        if not folder.exists():
            raise UsageError(f"there is no folder {folder}", "Check the name")
        raise UsageError(f"{folder} holds no prepared images", "Make them with cxrview prepare")
    if not about["complete"]:
        raise UsageError(
            f"{folder} was begun and not finished", "Run the same cxrview prepare again"
        )
    try:
        store = Prepared(
            images=tuple(_read_index(folder / INDEX)),
            pixels=_map_pixels(folder / PIXELS),
            failures=tuple(_read_failures(folder / FAILURES)),
            about=about,
        )
        if (len(store.images), len(store.failures)) != (about["images"], about["failures"]):
            raise ValueError("there are not as many rows as the store says of itself")
        return store
    except (OSError, ValueError, KeyError, IndexError) as error:  # Arrow's errors are ValueErrors
        raise UsageError(
            f"{folder} is damaged: its files are not all there or do not fit together",
            "Make it anew with cxrview prepare --overwrite",
        ) from error


def read_about(folder: Path) -> dict[str, Any] | None:
    """Read what a store says of itself; None where there is none.

    Raises:
        UsageError: what is there is no store of this format.
    """
    if holds_former_store(folder):
        raise UsageError(
            f"{folder} was prepared by an earlier version, which did not keep what headers say",
            "Make it anew with cxrview prepare --overwrite",
        )
    path = folder / ABOUT
    if not path.is_file():
        return None
    about = _read_json(path)
    if about.get("format") != FORMAT or not isinstance(about.get("complete"), bool):
        raise UsageError(
            f"{path} is not that of a prepared store of this version",
            "Name another folder, or make the store anew",
        )
    return about


def holds_former_store(folder: Path) -> bool:
    """Whether an earlier version made a prepared store there, complete or not."""
    about = _read_json(folder / ABOUT)
    # Variants and pictures have an about.json of format 1 too.
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
    """Write `file, code, reason, advice` as CSV; the heading alone where there are none."""
    names = _FAILURE_COLUMNS.values()
    write_csv(path, list(_FAILURE_COLUMNS), ([getattr(f, n) for n in names] for f in failures))


def _read_json(path: Path) -> dict[str, Any]:
    """Nothing where there is no such file, or no object in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


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
    if shape[0] == 0:  # nothing cannot be mapped
        return np.empty(shape, np.uint8)
    pixels: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return pixels


def _read_failures(path: Path) -> Iterable[Failure]:
    for row in read_csv_rows(path):
        yield Failure(**{to: row[name] for name, to in _FAILURE_COLUMNS.items()})
