"""Find patients in a column of a table or in file paths, if headers have none: `PatientSource`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cxrview.errors import UsageError

EXAMPLE = r"'patient(\d+)'"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientSource:
    """A column of a table, or a pattern in files' paths; neither where both are empty.

    Raises:
        UsageError: both are given, or the pattern is not a regular expression with a group.
    """

    column: str = ""
    """Name of the column, regardless of capitals and outer spaces."""
    pattern: str = ""
    r"""Regular expression with a group, such as `patient(\d+)`: the first group is the patient."""

    def __post_init__(self) -> None:
        if self.column and self.pattern:
            raise UsageError("--patient-column and --patient-pattern exclude each other")
        try:
            groups = re.compile(self.pattern).groups
        except re.error as error:
            raise UsageError(
                f"--patient-pattern {self.pattern} is not a regular expression: {error}",
                f"For example {EXAMPLE}",
            ) from None
        if self.pattern and not groups:
            raise UsageError(
                f"--patient-pattern {self.pattern} has no group in parentheses",
                f"For example {EXAMPLE}: the first group is the patient",
            )

    def __bool__(self) -> bool:
        return bool(self.column or self.pattern)

    @property
    def words(self) -> str:
        """Description for messages, and for the record of what a result depends on."""
        if self.column:
            return f"column {self.column}"
        return f"pattern {self.pattern}" if self.pattern else ""

    def columns(self, known: Mapping[str, Any]) -> tuple[str, ...]:
        """Columns to read of a table with these columns."""
        return (self._key(known),) if self.column else ()

    def find(self, path: str, row: Mapping[str, Any]) -> str:
        """Find the patient of an image; empty if neither the cell nor the path has one.

        Args:
            path: of the image, with slashes, relative to the table or to the root of the study, so
                that folders above these do not match.
            row: of the table; may be empty.
        """
        if self.column:
            cell = row.get(self._key(row))
            return "" if cell is None else str(cell).strip()
        found = re.search(self.pattern, path) if self.pattern else None
        return ((found[1] if found else "") or "").strip()

    def need_column(self, columns: Mapping[str, Any], table: object) -> None:
        """Check that a table has the column.

        Raises:
            UsageError: the table has no column of that name.
        """
        if self.column and self._key(columns) not in columns:
            raise UsageError(
                f"{table} has no column {self.column}", f"It has {', '.join(map(str, columns))}"
            )

    def _key(self, row: Mapping[str, Any]) -> str:
        if self.column in row:
            return self.column
        wanted = self.column.strip().casefold()
        return next((k for k in row if k and k.strip().casefold() == wanted), self.column)
