"""Writes rows as Parquet, CSV or JSON lines, whole or not at all."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

from cxrview.errors import UsageError
from cxrview.store.rows import COLUMNS, FAILURE_COLUMNS, Row
from cxrview.store.whole import telling, whole

ROW_GROUP = 10_000
"""Rows in memory at a time."""


def table_format(path: Path) -> str:
    """The format that a name asks for: its ending.

    Raises:
        UsageError: the ending is none of .parquet, .csv, .jsonl.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in _WRITERS:
        raise UsageError(
            f"{path} ends in none of .parquet, .csv and .jsonl",
            "Name the result by the format that it should have, or - for standard output",
        )
    return ending


def write_table(path: Path, rows: Iterable[Row]) -> None:
    """Write rows with the COLUMNS of a result, in the format of the name.

    The file appears under its name only when it is whole; one that stood there is replaced.
    """
    write = _WRITERS[table_format(path)]
    with whole(path) as part:
        write(part, rows)


def write_failures(path: Path, rows: Iterable[Row]) -> None:
    """Write failure rows as CSV; a file with the heading alone where there are none."""
    with whole(path) as part:
        _write_csv(part, rows, FAILURE_COLUMNS)


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Write the counts of a run as indented JSON."""
    with whole(path) as part:
        part.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def write_json_lines(out: IO[str], rows: Iterable[Row]) -> None:
    """Write one JSON object a line."""
    for row in rows:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_rows(path: Path, most: int) -> list[Row]:
    """Read the first rows of a table in any of the formats, with the types of COLUMNS."""
    kind = table_format(path)
    if kind == "parquet":
        import pyarrow.parquet as pq

        first = next(pq.ParquetFile(path).iter_batches(most), None)
        return [] if first is None else list(first.to_pylist())
    with path.open(newline="", encoding="utf-8") as file:
        if kind == "jsonl":
            return [json.loads(line) for line in islice(file, most)]
        return [_typed(row) for row in islice(csv.DictReader(file), most)]


def _typed(row: dict[str, str]) -> Row:
    """A CSV row with its numbers as numbers and its empty cells as None."""
    make = {"int16": int, "int32": int, "float64": float, "string": str}
    return {name: make[COLUMNS[name]](text) if text else None for name, text in row.items()}


def _write_csv(
    path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = tuple(COLUMNS)
) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """Write a small table of any columns as CSV, whole or not at all.

    Args:
        path: .csv; a table that stands there is replaced.
        rows: all with the same columns.
        columns: need to be given where there may be no row.

    Raises:
        CannotWrite: the disk took no more.
    """
    rows = list(rows)
    with telling(path), whole(path) as part:
        _write_csv(part, rows, columns or list(rows[0]))


def _write_jsonl(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        write_json_lines(file, rows)


def _write_parquet(path: Path, rows: Iterable[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in COLUMNS.items()])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        ahead = iter(rows)
        while group := list(islice(ahead, ROW_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


_WRITERS = {"parquet": _write_parquet, "csv": _write_csv, "jsonl": _write_jsonl}
