"""Write the labels and readings of an annotation study as CSV or Parquet tables."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cxrview.atomic_files import atomic_path, raising_cannot_write
from cxrview.errors import UsageError
from cxrview.results.tables import write_rows

LABEL_COLUMNS = {
    "file": "string",
    "patient": "string",
    "view": "string",
    "study": "string",
    "source": "string",
    "label": "string",
    "settled": "string",
    "readings": "int32",
    "reason": "string",
    "image_id": "string",
    "stratum": "string",
    "weight": "float64",
}
"""Name to Arrow type; the first five are those of a labels file."""
READING_COLUMNS = {
    "reading_id": "int64",
    "uid": "string",
    "reader": "string",
    "image_id": "string",
    "file": "string",
    "round": "string",
    "occasion": "int32",
    "act": "string",
    "label": "string",
    "reason": "string",
    "note": "string",
    "undoes": "string",
    "how": "string",
    "shown": "string",
    "made": "string",
    "received": "string",
    "milliseconds": "int64",
    "display": "string",
    "skew_seconds": "float64",
    "late": "bool",
    "withdrawn": "bool",
}
"""Name to Arrow type, for every action of every reader: times in ISO 8601, view settings in JSON.
`late`: it reached the server after the blind round was closed. `withdrawn`: it does not count."""


def label_format(path: Path) -> str:
    """Return the format of a file by the ending of its name.

    Raises:
        UsageError: the ending is not .csv, .parquet or .json.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in ("csv", "parquet", "json"):
        raise UsageError(
            f"{path} does not end in .csv, .parquet or .json",
            "Choose such a name; .json is the format of Label Studio",
        )
    return ending


def write_label_table(
    path: Path, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]
) -> None:
    """Write rows as CSV or Parquet, complete or not at all; unknown values are empty or null.

    Args:
        path: .csv or .parquet; an existing table is replaced.
        rows: with those columns.
        columns: LABEL_COLUMNS or READING_COLUMNS.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    if label_format(path) == "csv":
        write_rows(path, rows, list(columns))
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])
    table = pa.Table.from_pylist([{k: _known(v) for k, v in r.items()} for r in rows], schema)
    with raising_cannot_write(path), atomic_path(path) as part:
        pq.write_table(table, part, compression="zstd")


def _known(value: Any) -> Any:
    """Return an enumeration as text, and an empty text as None."""
    return (str(value) or None) if isinstance(value, str) else value
