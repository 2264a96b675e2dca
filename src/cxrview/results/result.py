"""`Result`, which `cxrview.classify` returns: rows and failures as tables, read when needed."""

import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS, FAILURE_COLUMNS, MERGED_COLUMNS, ORIGIN, Row
from cxrview.results.files import Outputs
from cxrview.results.side_files import need_own_summary
from cxrview.results.summary import RunSummary, read_summary
from cxrview.results.tables import each_failure, each_row, files_of, has_column

if TYPE_CHECKING:
    import pandas
    import pyarrow

_INTERRUPTED = 130
_AT_A_TIME = 10_000
_FAILURE_TYPES = dict.fromkeys(FAILURE_COLUMNS, "string")


class LazyTable:
    """A table that is read from the disk each time it is needed.

    Args:
        read: reads it.
    """

    def __init__(self, read: "Callable[[], pyarrow.Table]") -> None:
        self._read = read

    def to_arrow(self) -> "pyarrow.Table":
        """Read the table as a `pyarrow.Table`."""
        return self._read()

    def to_pandas(self) -> "pandas.DataFrame":
        """Read the table as a `pandas.DataFrame`; an unknown value is None or NaN.

        Raises:
            ImportError: pandas is not installed; cxrview does not install it.
        """
        try:
            import pandas  # noqa: F401 (pyarrow imports it)
        except ImportError as error:
            raise ImportError(
                "to_pandas needs pandas, which is not installed. Install it with: pip install "
                "pandas; to_arrow needs nothing more",
                name="pandas",
            ) from error
        return self._read().to_pandas()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a run over an archive.

    Attributes:
        summary: counts of the files; `print(result.summary)` gives one line.
        failures: the files without a row: `path`, `code`, `reason`, `advice`, all text.
        path: the table on the disk, a file or a folder of Parquet parts; None without `out`, and
            where an earlier result stays there because this run stopped before its end.
        rows: the table of `to_arrow` and `to_pandas`.
    """

    summary: RunSummary
    rows: LazyTable
    failures: LazyTable
    path: Path | None = None

    def to_arrow(self) -> "pyarrow.Table":
        """Read the rows as a `pyarrow.Table`: one per image, the columns of `views.parquet`.

        The columns are described in docs/classify.md. `pfi` and `chest` are percentages, 0 to 100.
        """
        return self.rows.to_arrow()

    def to_pandas(self) -> "pandas.DataFrame":
        """Read the rows as a `pandas.DataFrame`: one per image, the columns of `views.parquet`.

        Raises:
            ImportError: pandas is not installed; cxrview does not install it.
        """
        return self.rows.to_pandas()

    @property
    def exit_code(self) -> int:
        """The exit code of the command: 0 done, 1 done with failures, 130 interrupted."""
        if self.summary.is_complete or self.summary.is_time_up:
            return self.summary.exit_code
        return _INTERRUPTED

    def __repr__(self) -> str:
        return f"<Result{f' {self.path}' if self.path else ''}: {self.summary}>"


def read_result(path: str | Path) -> Result:
    """Open a result that an earlier run wrote.

    Args:
        path: the table: `.parquet`, `.csv`, `.jsonl`, or a folder of Parquet parts.

    Returns:
        The result; its tables are read when needed. Its `summary.read_now` is 0.

    Raises:
        UsageError: the result does not exist, or its summary is missing or belongs to another one.
    """
    table = Path(path)
    files_of(table)
    need_own_summary(table)
    return result_on_disk(Outputs(table=table, in_parts=table.is_dir()))


def result_on_disk(out: Outputs, summary: RunSummary | None = None) -> Result:
    """Return the result in these files.

    Args:
        out: its files.
        summary: of the run; None reads it from the summary file.
    """
    return Result(
        summary=summary or read_summary(out.summary),
        rows=LazyTable(lambda: _read_rows(out.table)),
        failures=LazyTable(lambda: _from_rows(each_failure(out.failures), _FAILURE_TYPES)),
        path=out.table,
    )


def result_in_file(summary: RunSummary, rows: IO[bytes], failures: IO[bytes]) -> Result:
    """Return the result in two open Parquet files that have no name."""
    return Result(summary=summary, rows=_table_in_file(rows), failures=_table_in_file(failures))


def _table_in_file(file: IO[bytes]) -> LazyTable:
    """Return the table in an open file, which is closed when the table is garbage-collected."""
    table = LazyTable(lambda: _read_parquet(file))
    weakref.finalize(table, file.close)
    return table


def result_in_stream(summary: RunSummary) -> Result:
    """Return a result whose rows were written to a stream and cannot be read again."""

    def refuse() -> Any:
        raise UsageError(
            "the rows of this result were written to a stream", "Give out a file to read them again"
        )

    return Result(summary=summary, rows=LazyTable(refuse), failures=LazyTable(refuse))


def _read_rows(table: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = files_of(table)
    if all(file.suffix.lower() == ".parquet" for file in files):
        parts = [pq.read_table(file, partitioning=None) for file in files]
        return pa.concat_tables([_with_later_columns(part) for part in parts])
    types = MERGED_COLUMNS if has_column(table, ORIGIN) else COLUMNS
    return _from_rows(each_row(table, tuple(types)), types)


def _with_later_columns(table: Any) -> Any:
    """Add the columns that an earlier version did not write, without values, in their places."""
    import pyarrow as pa

    others = [name for name in table.column_names if name not in COLUMNS]
    for name, kind in COLUMNS.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), pa.type_for_alias(kind)))
    return table.select([*COLUMNS, *others])


def _from_rows(rows: Iterator[Row], types: dict[str, str]) -> Any:
    import pyarrow as pa

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in types.items()])
    batches = []
    while some := list(islice(rows, _AT_A_TIME)):
        batches.append(pa.RecordBatch.from_pylist(some, schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


def _read_parquet(file: IO[bytes]) -> Any:
    import pyarrow.parquet as pq

    file.seek(0)
    return pq.read_table(file)
