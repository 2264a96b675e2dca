"""Read readings made outside of cxrview: a CSV, a labels file, or an export of Label Studio."""

from datetime import UTC, datetime
from pathlib import Path

from cxrview.annotate.formats.label_studio import read_label_studio
from cxrview.errors import UsageError
from cxrview.records.annotation import ImportedReading
from cxrview.sources.csv_rows import FILE_COLUMNS, VIEW_COLUMNS, read_csv

_NAMES = {
    "file": FILE_COLUMNS,
    "label": VIEW_COLUMNS,
    **{name: () for name in ("reader", "reason", "note", "made", "act")},
}


def read_imported_readings(path: Path, reader: str | None = None) -> list[ImportedReading]:
    """Read every reading of a file, sorted by time if the file has times.

    Args:
        path: `.json`, an export of Label Studio; or `.csv` as `read_csv` reads it, with `file`,
            `label` or `view`, and optionally `reader`, `reason`, `note` and `made` (ISO 8601; UTC
            if it has no zone). Other columns are ignored.
            reader: of all rows; needed if a CSV has no column `reader`, such as a labels file.

    Raises:
        UsageError: the file cannot be read, or lacks an image's file, its label, or its reader.
    """
    ending = path.suffix.lower()
    if ending not in (".csv", ".json"):
        raise UsageError(f"{path} does not end in .csv or .json", "Name it by its format")
    try:
        if ending == ".csv":
            return _read_csv(path, reader)
        if reader:
            raise UsageError("Label Studio's export names its readers: use --rename instead")
        return read_label_studio(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _read_csv(path: Path, reader: str | None) -> list[ImportedReading]:
    found = read_csv(path, _NAMES)
    if "act" in found.named:
        raise UsageError(
            f"{path} is an export of every action, undone ones as well, and not a table of labels",
            "Import the table of settled labels of that study",
        )
    if missing := {"file", "label"} - set(found.named):
        raise UsageError(f"{path}: no column {', '.join(sorted(missing))}", found.columns_in_words)
    if ("reader" in found.named) == bool(reader):
        raise UsageError(
            f"{path} names its readers: leave out --reader"
            if reader
            else f"{path}: no column reader",
            ""
            if reader
            else f"Name the reader of all rows with --reader. {found.columns_in_words}",
        )
    readings = [_reading(path, line, row, reader) for line, row in found.rows]
    return sorted(readings, key=lambda one: one.made or datetime.min.replace(tzinfo=UTC))


def _reading(path: Path, line: int, row: dict[str, str], reader: str | None) -> ImportedReading:
    if None in row:
        raise UsageError(f"{path}: line {line}: more cells than columns")
    who = reader or row["reader"].strip()
    if not row["file"] or not who:
        raise UsageError(f"{path}: line {line}: no {'reader' if row['file'] else 'file'}")
    return ImportedReading(
        where=f"line {line}",
        file=row["file"],
        reader=who,
        says=row["label"].strip(),
        reason=row.get("reason", "").strip(),
        note=row.get("note", ""),
        made=_moment(path, line, row.get("made", "").strip()),
    )


def _moment(path: Path, line: int, text: str) -> datetime | None:
    if not text:
        return None
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{path}: line {line}: made is not a time", "Write it such as 2017-03-01T09:30:00Z"
        ) from None
    return (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC)
