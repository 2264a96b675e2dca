"""Write persons' decisions as CSV for a spreadsheet, and read them back.

The file has one row an image, with COLUMNS. Cells that a spreadsheet would take for a formula begin
with an apostrophe, which is removed again when the file is read.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from cxrview.atomic_files import atomic_path_in_new_folder, raising_cannot_write
from cxrview.csv_files import write_csv
from cxrview.errors import UsageError
from cxrview.records.review_decision import ReviewDecision, contradictions
from cxrview.sources.csv_rows import read_csv
from cxrview.terms import Projection, Ruling, View
from cxrview.wording import plural

COLUMNS = (
    "path",
    "content_id",
    "proposed",
    "decision",
    "view",
    "projection",
    "reader",
    "decided_at",
    "note",
)
"""Of the CSV file, in this order."""
MOST_MISTAKES = 100
"""Mistakes that a message lists; the others are counted."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_CONTENT_ID = re.compile(r"[0-9a-f]{32}")
_WHEN = "a time such as 2026-03-01T14:05:00+00:00"
_Term = TypeVar("_Term", bound=StrEnum)


def write_decisions(path: Path, decisions: Iterable[ReviewDecision]) -> None:
    """Write decisions as a CSV file; an existing one is replaced when the new one is complete.

    Args:
        path: of the file; its folder is created.
        decisions: in the order of the rows.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    with raising_cannot_write(path), atomic_path_in_new_folder(path) as part:
        write_csv(part, COLUMNS, (decision_cells(one) for one in decisions))


def decision_cells(decision: ReviewDecision) -> list[str]:
    """The cells of a decision, in the order of COLUMNS; none of them is a formula."""
    values = (getattr(decision, name) for name in COLUMNS)
    return [_neutral(_text(value)) for value in values]


def read_decisions(path: Path) -> list[ReviewDecision]:
    """Read a file of `write_decisions`, perhaps edited by hand in a spreadsheet.

    Cells are separated by commas, semicolons or tabs, with a byte order mark or without. Columns
    may be in another order, and there may be others. A time without an offset is in UTC.

    Args:
        path: of the CSV file.

    Returns:
        One decision an image, in the order of the file. The last row of an image counts.

    Raises:
        UsageError: the file cannot be read, a column is missing, or rows have mistakes. The message
            gives line and column of each mistake, what kind of value is there and what is allowed;
            it does not quote the cell, which may name a patient.
    """
    table = read_csv(path, dict.fromkeys(COLUMNS, ()), needed=COLUMNS)
    if doubled := sorted(name for name in COLUMNS if table.columns.count(table.named[name]) > 1):
        raise UsageError(f"{path}: column {', '.join(doubled)} occurs twice", "Remove one of them")
    decisions: dict[str, ReviewDecision] = {}
    mistakes: list[str] = []
    for line, cells in table.rows:
        row = _Row(line=line, cells=cells)
        decision = row.read()
        mistakes += row.mistakes
        if decision:
            decisions[decision.path] = decision
    if mistakes:
        raise UsageError(
            f"{path} has {plural(len(mistakes), 'mistake')}:\n" + "\n".join(_listed(mistakes)),
            "Correct these cells, then run the command again",
        )
    return list(decisions.values())


@dataclass(slots=True, kw_only=True)
class _Row:
    """One row, and the mistakes in it."""

    line: int
    cells: Mapping[str, str]
    mistakes: list[str] = field(default_factory=list)

    def read(self) -> ReviewDecision | None:
        """The decision; None if there is a mistake in it."""
        if None in self.cells:
            self._report("(none)", "there are cells beyond the last column", "quotes around commas")
        path = _literal(self.cells["path"])
        if not path:
            self._refuse("path", "", "the path of an image")
        content_id = self.cells["content_id"].strip().lower()
        if content_id and not _CONTENT_ID.fullmatch(content_id):
            self._refuse("content_id", content_id, "32 hexadecimal digits, or an empty cell")
        proposed = self._term("proposed", View)
        ruling = self._term("decision", Ruling)
        view = self._term("view", View)
        projection = self._term("projection", Projection)
        decided_at = self._time()
        if ruling is None and not self.cells["decision"].strip():
            allowed = f"{_one_of(Ruling)}; delete the row if nothing is decided"
            self._refuse("decision", "", allowed)
        if self.mistakes or ruling is None or decided_at is None:
            return None
        if ruling is Ruling.ACCEPT and view is None:
            view = proposed
        for column, reason, allowed in contradictions(ruling, proposed, view, projection):
            self._report(column, reason, allowed)
        if self.mistakes:
            return None
        return ReviewDecision(
            path=path,
            content_id=content_id,
            proposed=proposed,
            decision=ruling,
            view=view,
            projection=projection,
            reader=_literal(self.cells["reader"]),
            decided_at=decided_at,
            note=_literal(self.cells["note"]),
        )

    def _term(self, column: str, terms: type[_Term]) -> _Term | None:
        cell = self.cells[column].strip()
        if not cell:
            return None
        for term in terms:
            if term.value.casefold() == cell.casefold():
                return term
        is_optional = column != "decision"
        self._refuse(column, cell, _one_of(terms) + (" or an empty cell" if is_optional else ""))
        return None

    def _time(self) -> datetime | None:
        cell = self.cells["decided_at"].strip()
        try:
            found = datetime.fromisoformat(cell)
            found = found.replace(tzinfo=UTC) if found.utcoffset() is None else found
            return found.astimezone(UTC)
        except (ValueError, OverflowError):
            self._refuse("decided_at", cell, _WHEN)
            return None

    def _refuse(self, column: str, cell: str, allowed: str) -> None:
        self._report(column, f"it is {_kind(cell)}", allowed)

    def _report(self, column: str, reason: str, allowed: str) -> None:
        self.mistakes.append(f"  line {self.line}, {column}: {reason}; allowed: {allowed}")


def _kind(cell: str) -> str:
    """What a cell holds, without quoting it."""
    if not cell:
        return "empty"
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return f"a text of {plural(len(cell), 'character')}"
    return "a number"


def _one_of(terms: type[StrEnum]) -> str:
    return ", ".join(term.value for term in terms)


def _listed(mistakes: list[str]) -> list[str]:
    rest = len(mistakes) - MOST_MISTAKES
    return [*mistakes[:MOST_MISTAKES], f"  and {rest} more"] if rest > 0 else mistakes


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _neutral(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _literal(cell: str) -> str:
    """Undo `_neutral`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
