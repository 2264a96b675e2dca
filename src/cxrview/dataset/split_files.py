"""Reads and writes a split as CSV or Parquet, one row per image."""

from collections.abc import Iterable
from pathlib import Path

from cxrview.atomic_files import atomic_path, raising_cannot_write
from cxrview.csv_files import write_csv
from cxrview.errors import UsageError
from cxrview.records.dataset import Label, PreparedImage, Split
from cxrview.sources.csv_rows import FILE_COLUMNS, read_csv
from cxrview.terms import Partition

SPLIT_COLUMNS = ("file", "partition", "by", "seed", "source", "study", "patient", "view")
"""The first two are required for reading; `by` is `patient` by default."""
_FAULTS_NAMED = 10


def split_format(path: Path) -> str:
    """Give the format of a file by the ending of its name.

    Raises:
        UsageError: the ending is neither .csv nor .parquet.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in ("csv", "parquet"):
        raise UsageError(f"{path} is neither .csv nor .parquet", "Use one of these endings")
    return ending


def write_split(path: Path, split: Split, images: Iterable[Label | PreparedImage]) -> None:
    """Write the images that have a partition, in order of file names, atomically.

    Raises:
        UsageError: the ending is neither .csv nor .parquet.
        CannotWrite: the folder is missing, or the disk is full or not writable.
    """
    kind = split_format(path)
    rows: list[tuple[str, ...]] = [
        (i.file, str(split.partitions[i.file]), split.by, _text(split.seed))
        + (i.source, i.study, i.patient, str(i.view))
        for i in sorted(images, key=lambda image: image.file)
        if i.file in split.partitions
    ]
    with raising_cannot_write(path), atomic_path(path) as part:
        (_write_csv if kind == "csv" else _write_parquet)(part, rows)


def read_split(path: Path) -> Split:
    """Read a split; `check_split` checks it.

    Args:
        path: .csv or .parquet with `file` and `partition`, and `by` and `seed` if known. Other
            columns are ignored, since patients come from labels or store.

    Raises:
        UsageError: it cannot be read, a column is missing, or a row is not valid: its partition is
            unknown, its file is repeated, or `by` or `seed` differ from the first row. The
            message gives the first ten such rows and the number of the others.
    """
    try:
        rows = _read_csv(path) if split_format(path) == "csv" else _read_parquet(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # Arrow's errors are ValueErrors
        raise UsageError(f"{path} is not a valid {path.suffix} table") from error
    partitions: dict[str, Partition] = {}
    faults = []
    for number, row in enumerate(rows, start=1):
        fault = _fault(row, rows[0], partitions)
        if fault:
            faults.append(f"row {number}: {fault}")
        else:
            partitions[row["file"]] = Partition(row["partition"])
    if faults:
        more = len(faults) - _FAULTS_NAMED
        tail = f"; and {more} more" if more > 0 else ""
        raise UsageError(f"{path}: {'; '.join(faults[:_FAULTS_NAMED])}{tail}")
    if not partitions:
        raise UsageError(f"{path} names no image")
    return _split(path, partitions, rows[0])


def _fault(
    row: dict[str, str], first: dict[str, str], partitions: dict[str, Partition]
) -> str | None:
    if row["partition"] not in set(Partition):
        return "its partition is not training, validation or test"
    if row["file"] in partitions:
        return f"file {row['file']} is repeated"
    for name in ("by", "seed"):
        if row.get(name) != first.get(name):
            return f"{name} differs from the first row"
    return None


def _split(path: Path, partitions: dict[str, Partition], row: dict[str, str]) -> Split:
    try:
        seed = row.get("seed")
        return Split(
            partitions=partitions,
            by=row.get("by") or "patient",
            seed=int(seed) if seed else None,
        )
    except ValueError as error:
        raise UsageError(
            f"{path}: by must be patient, image or rule, and seed a whole number or empty"
        ) from error


def _text(seed: int | None) -> str:
    return "" if seed is None else str(seed)


def _write_csv(path: Path, rows: list[tuple[str, ...]]) -> None:
    write_csv(path, SPLIT_COLUMNS, rows)


def _write_parquet(path: Path, rows: list[tuple[str, ...]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in SPLIT_COLUMNS])
    dicts = [dict(zip(SPLIT_COLUMNS, row, strict=True)) for row in rows]
    pq.write_table(pa.Table.from_pylist(dicts, schema=schema), path, compression="zstd")


def _read_csv(path: Path) -> list[dict[str, str]]:
    names = {"file": FILE_COLUMNS, "partition": ("split",), "by": (), "seed": ()}
    return [row for _, row in read_csv(path, names, needed=("file", "partition")).rows]


def _read_parquet(path: Path) -> list[dict[str, str]]:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    _need_columns(path, table.column_names)
    rows = table.select([name for name in SPLIT_COLUMNS if name in table.column_names]).to_pylist()
    return [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows]


def _need_columns(path: Path, names: Iterable[str]) -> None:
    missing = {"file", "partition"} - set(names)
    if missing:
        raise UsageError(f"{path} has no column {', '.join(sorted(missing))}")
