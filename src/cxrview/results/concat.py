"""Concatenates results into one: the shards of several machines, or the nights of one machine.

The rows go through a journal, as in a run, so that counts and the marks of duplicate images are
those of a single run. Shards of one night are merged by path: for a folder, the table is byte for
byte that of a run without shards. Nights follow one another in the order of the arguments.
"""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any

from cxrview.errors import CannotWrite, UsageError
from cxrview.results.columns import (
    COLUMNS,
    MERGED_COLUMNS,
    ORIGIN,
    ORIGIN_MODEL,
    Row,
    from_printable,
    printable,
)
from cxrview.results.concat_conditions import (
    KNOWN,
    PATHS,
    PATIENTS,
    SHARD,
    check_agreement,
    joined_conditions,
)
from cxrview.results.files import Outputs
from cxrview.results.journal import Conditions, Journal
from cxrview.results.journal_errors import temporary_files_failed
from cxrview.results.rekey import Patients
from cxrview.results.side_files import need_own_summary, run_folder
from cxrview.results.summary import RunSummary, count_outcomes, write_result
from cxrview.results.tables import each_failure, each_row, has_column
from cxrview.sources.order import FoundOrder, SortKey
from cxrview.sources.paths import absolute
from cxrview.sources.shard import Shard
from cxrview.wording import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A result to be joined, with the facts that its summary holds."""

    outputs: Outputs
    conditions: Conditions
    is_complete: bool
    named_again: int
    seconds: float
    folder: str
    """What relative paths are relative to; the working folder if empty."""

    @property
    def shard(self) -> str:
        """Such as 3/8; `all` for a run without shards."""
        return self.conditions.get(SHARD, "all")

    @property
    def shards(self) -> list[str]:
        """The shards it holds: several, if it was joined itself while others were missing."""
        return self.shard.split(" + ")

    @property
    def is_first(self) -> bool:
        """Whether the run had no --known."""
        return self.conditions.get(KNOWN, "none") == "none"

    @property
    def paths(self) -> str:
        """The arguments of the run."""
        return self.conditions.get(PATHS, "")


Night = list[Part]
"""Shards of one run, or the one result of a run without shards."""


def concat_results(
    tables: Sequence[Path],
    out: Outputs,
    *,
    allow_missing: bool = False,
    allow_doubled: bool = False,
    allow_different: bool = False,
    patients: Patients | None = None,
) -> RunSummary:
    """Join finished results into one table, one file of failures and one summary.

    Args:
        tables: results in any format, files or folders of parts, each with failures and summary
            beside it. Memory does not grow with their rows.
        out: the joined result; one that exists is replaced.
        allow_missing: join although shards are missing, or a run was stopped before its end.
        allow_doubled: join although a shard comes twice, or two results have a row for one
        path; the first row is kept.
        allow_different: join results with different settings, such as another precision; the
            summary lists all values of each. The paths of one night's shards, and the patients'
            key, must still agree.
            patients: `Rekey` or `WithoutPatients`, to join results under other keys; None leaves
            all rows unchanged.

    Raises:
        UsageError: a result cannot be read, was made with other settings, is missing or comes
            twice; a relative path names different files in two of them; or failures and summary at
            `out` belong to another result.
        RunStopped: the disk of the result or of temporary files is full.
    """
    parts = [read_part(table) for table in tables]
    _keep_apart(parts, out)
    out.check_side_files()
    nights = _nights(parts)
    conditions = _agreed(parts, nights, patients, allow_different)
    conditions |= {SHARD: _shards(parts, allow_missing, allow_doubled)}
    if not allow_missing:
        _need_complete(parts)
    journal = Journal(None, conditions)
    folders = {part.folder for part in parts}
    names = _Names() if len(folders) > 1 else None
    try:
        columns = _columns(parts)
        rows_of = partial(_rows_of, patients=patients, columns=columns)
        repeated = journal.adopt_rows(_in_order(nights, rows_of, names))
        if patients:
            patients.need_all()
            conditions |= {PATIENTS: patients.condition}
        if repeated and not allow_doubled:
            raise UsageError(
                f"{plural(repeated, 'file has', 'files have')} a row in more than one result",
                "Name each result once, or keep the first row of each with --allow-doubled",
            )
        journal.adopt_failures(_in_order(nights, _failures_of, names))
        summary = count_outcomes(
            journal,
            read_now=0,
            named_again=sum(part.named_again for part in parts),
            seconds=sum(part.seconds for part in parts),
            is_complete=all(part.is_complete for part in parts),
        )
        folder = folders.pop() if len(folders) == 1 else ""
        write_result(out, journal, summary, conditions, folder, columns=columns)
    except sqlite3.OperationalError as error:  # of the journal, which is all in temporary files
        raise temporary_files_failed("the results cannot be joined", error) from error
    except OSError as error:
        raise CannotWrite(
            f"{out.table} cannot be written: {error}", "Free disk space there"
        ) from error
    finally:
        journal.close()
        if names:
            names.close()
    return summary


def read_part(table: Path) -> Part:
    """Read the summary beside a result.

    Raises:
        UsageError: the result or its own summary does not exist.
    """
    if not table.exists():  # before the ending of the name is checked
        raise UsageError(f"result {table} does not exist", "Check the name")
    outputs = Outputs(table=table, in_parts=table.is_dir())
    need_own_summary(table)
    try:
        summary: dict[str, Any] = json.loads(outputs.summary.read_text(encoding="utf-8"))
        return Part(
            outputs=outputs,
            conditions={str(name): str(value) for name, value in summary["conditions"].items()},
            is_complete=bool(summary["is_complete"]),
            named_again=int(summary["named_again"]),
            seconds=float(summary["seconds"]),
            folder=run_folder(table),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{outputs.summary} cannot be read, which describes {table}",
            "Copy failures and summary along with each result",
        ) from error


def _keep_apart(parts: Sequence[Part], out: Outputs) -> None:
    """Raise UsageError if a file of a result to be joined would be overwritten."""
    written = {path.resolve() for path in out.complete()}
    for part in parts:
        if written & {path.resolve() for path in part.outputs.complete()}:
            raise UsageError(
                f"{out.table} would overwrite {part.outputs.table}, which is to be joined",
                "Choose another --out",
            )


def _nights(parts: Sequence[Part]) -> list[Night]:
    """Sort results into nights: the first of each shard, the second of each, and so on.

    Two results of one shard that were both made without --known are not two nights: the shard
    was read twice.
    """
    nights: list[Night] = []
    nights_of: Counter[str] = Counter()
    for part in parts:
        number = max(nights_of[name] for name in part.shards)
        if number and part.is_first and part.shard != "all":
            number = 0
        else:
            nights_of.update(dict.fromkeys(part.shards, 1))
        nights.extend([] for _ in range(number + 1 - len(nights)))
        nights[number].append(part)
    return nights


def _agreed(
    parts: Sequence[Part], nights: Sequence[Night], patients: Patients | None, allow_different: bool
) -> Conditions:
    """Check that all conditions agree, and return those of the joined result."""
    may_differ = {SHARD, KNOWN} | ({PATIENTS} if patients else set())
    if allow_different:
        may_differ |= {name for part in parts for name in part.conditions} - {PATHS, PATIENTS}
    for part in parts[1:]:
        check_agreement(
            _name_and_conditions(parts[0]),
            _name_and_conditions(part),
            may_differ={PATHS, *may_differ},
        )
    for first, *others in nights:
        for part in others:
            check_agreement(
                _name_and_conditions(first), _name_and_conditions(part), may_differ=may_differ
            )
    return joined_conditions([part.conditions for part in parts])


def _name_and_conditions(part: Part) -> tuple[str, Conditions]:
    return str(part.outputs.table), part.conditions


def _shards(parts: Sequence[Part], allow_missing: bool, allow_doubled: bool) -> str:
    """Return which shards the joined result holds: `all`, or a list of them."""
    names = [name for part in parts for name in part.shards]
    if "all" in names:
        if set(names) != {"all"}:
            raise UsageError(
                "shards cannot be joined with a result without shards", "Join the shards first"
            )
        return "all"
    shards = [Shard.named(name) for name in names]
    count = shards[0].count
    if any(shard.count != count for shard in shards):
        raise UsageError("the results are shards of different numbers of shards")
    numbers = [shard.number for shard in shards]
    # Later nights of a shard are not duplicates; duplicate rows are detected one by one.
    first = [Shard.named(name).number for part in parts if part.is_first for name in part.shards]
    doubled = sorted({number for number in first if first.count(number) > 1})
    if doubled and not allow_doubled:
        raise UsageError(
            f"there is more than one result of {_named(doubled, count)}",
            "Name each result once, or keep the first row of each file with --allow-doubled",
        )
    missing = sorted(set(range(1, count + 1)) - set(numbers))
    if missing and not allow_missing:
        raise UsageError(
            f"no result was given for {_named(missing, count)}",
            "Name all of them, or join what there is with --allow-missing",
        )
    return " + ".join(f"{n}/{count}" for n in sorted(set(numbers))) if missing else "all"


def _named(numbers: Sequence[int], count: int) -> str:
    return "shard " + ", ".join(f"{number}/{count}" for number in numbers)


def _need_complete(parts: Sequence[Part]) -> None:
    for part in parts:
        if not part.is_complete:
            raise UsageError(
                f"{part.outputs.table} is incomplete",
                "Complete it with --resume, or join what there is with --allow-missing",
            )


def _columns(parts: Sequence[Part]) -> Mapping[str, str]:
    """The columns of the joined table, with `view_origin` if any result has readers' labels."""
    is_merged = any(has_column(part.outputs.table, ORIGIN) for part in parts)
    return MERGED_COLUMNS if is_merged else COLUMNS


def _rows_of(part: Part, patients: Patients | None, columns: Mapping[str, str]) -> Iterator[Row]:
    rows = each_row(part.outputs.table, tuple(columns))
    if ORIGIN in columns:
        rows = (row | {ORIGIN: row[ORIGIN] or ORIGIN_MODEL} for row in rows)
    if patients is None:
        return rows
    return patients.change(rows, part.conditions.get(PATIENTS, ""), part.folder)


def _failures_of(part: Part) -> Iterator[Row]:
    return each_failure(part.outputs.failures)


class _Names:
    """The relative paths of results that were made in several folders, in temporary files."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE name (path TEXT PRIMARY KEY, key BLOB) WITHOUT ROWID")

    def need_one_file(self, path: str, key: bytes) -> None:
        """Check that a path names the same file as in the results before.

        Raises:
            UsageError: it names another file than in an earlier result.
        """
        if os.fsencode(from_printable(path)) == key:  # an absolute path
            return
        if self._db.execute("INSERT OR IGNORE INTO name VALUES (?, ?)", (path, key)).rowcount:
            return
        (before,) = self._db.execute("SELECT key FROM name WHERE path = ?", (path,)).fetchone()
        if before != key:
            raise UsageError(
                f"the results were made in several folders, where {path} names different files: "
                f"{printable(os.fsdecode(before))} and {printable(os.fsdecode(key))}",
                "Keep these results apart, or classify one of them again by absolute paths",
            )

    def close(self) -> None:
        """Delete them."""
        self._db.close()


def _in_order(
    nights: Sequence[Night], rows_of: Callable[[Part], Iterator[Row]], names: _Names | None
) -> Iterator[tuple[bytes, Row]]:
    """Yield rows, each with the key of its file: its path is relative to the folder of its part."""
    for night in nights:
        order = FoundOrder(night[0].paths)
        placed = (_placed(rows_of(part), part.folder, order) for part in night)
        for _, key, row in merge(*placed, key=itemgetter(0)):
            if names:
                names.need_one_file(row["path"], key)
            yield key, row


def _placed(
    rows: Iterable[Row], folder: str, order: FoundOrder
) -> Iterator[tuple[SortKey, bytes, Row]]:
    for row in rows:
        path = absolute(from_printable(row["path"]), folder)
        yield order.place_of(path), os.fsencode(path), row
