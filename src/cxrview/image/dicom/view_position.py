"""Determine the view that a header names, by a table of terms that a user can replace.

The table `view_positions.csv` has the columns kind (position or code), value, scheme, view and
note, and its version in the first line. A term with an empty view is neither frontal nor lateral.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.terms import View

_COLUMNS = ["kind", "value", "scheme", "view", "note"]
_OLD_SCHEMES = frozenset(["SRT", "SNM3", "99SDM"])
"""Names of the coding scheme SNOMED-RT (PS3.16 section 8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderViewTable:
    """Mapping from values of the header to frontal, lateral or neither."""

    version: str
    positions: Mapping[str, View | None]
    """Views by View Position in capitals, words separated by single spaces."""
    codes: Mapping[tuple[str, str], View | None]
    """Views by code value and scheme."""

    def view_of(self, position: str, code: str) -> tuple[View | None, tuple[str, ...]]:
        """Return the view that the header names.

        Args:
            position: View Position (0018,5101) as in the file; several values joined by
                backslashes.
            code: first item of View Code Sequence (0054,0220) as `value^scheme`.

        Returns:
            The view of the code, or that of the position if the code has none; and the warning
            `header_contradicts_itself` if both have one and they differ.

        Source:
            PS3.3 C.8.11.5.1.1: View Code Sequence replaces View Position.
        """
        by_code = self._of_code(code)
        by_position = self._of_positions(position)
        if by_code and by_position and by_code is not by_position:
            return by_code, ("header_contradicts_itself",)
        return by_code or by_position, ()

    def _of_code(self, code: str) -> View | None:
        value, _, scheme = code.partition("^")
        scheme = "SRT" if scheme in _OLD_SCHEMES else scheme
        return self.codes.get((value, scheme))

    def _of_positions(self, position: str) -> View | None:
        """Return the view on which all known values agree."""
        views = {self.positions.get(normal(value)) for value in position.split("\\")} - {None}
        return views.pop() if len(views) == 1 else None


def normal(position: str) -> str:
    """Convert to capitals, with single spaces in place of all but letters and digits."""
    return re.sub(r"[\W_]+", " ", position).strip().upper()


def view_of_word(word: str) -> View | None:
    """Return the view of a word in a label, by the shipped table.

    Args:
        word: such as `frontal`, `PA`, `lateral` or `L LAT`, in any capitals.

    Returns:
        None for a word that the table does not have, or that names neither view, such as `LLD`.
    """
    return load_table().positions.get(normal(word))


@cache
def load_table(path: Path | None = None) -> HeaderViewTable:
    """Load the mapping table.

    Args:
        path: a file to use instead of the shipped one, with the same columns.

    Raises:
        UsageError: the file cannot be read, or has an invalid row.
    """
    try:
        if path is None:
            shipped = resources.files("cxrview.image.dicom") / "view_positions.csv"
            text = shipped.read_text("utf-8")
        else:
            text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the mapping table {path} cannot be read") from error
    return _read_table(text, path)


def _read_table(text: str, path: Path | None) -> HeaderViewTable:
    first, *lines = text.splitlines() or [""]
    version = first.removeprefix("# version:").strip() if first.startswith("# version:") else ""
    rows = csv.DictReader(lines if version else [first, *lines])
    if rows.fieldnames != _COLUMNS:
        raise UsageError(
            f"the mapping table {path} has other columns", f"Use the columns {','.join(_COLUMNS)}"
        )
    positions: dict[str, View | None] = {}
    codes: dict[tuple[str, str], View | None] = {}
    for row in rows:
        if None in row or None in row.values():
            raise UsageError(f"the mapping table {path} has a row with more or fewer cells")
        view = _view(row["view"], path)
        if row["kind"] == "position":
            positions[normal(row["value"])] = view
        elif row["kind"] == "code":
            codes[row["value"], row["scheme"]] = view
        else:
            raise UsageError(f"the mapping table {path} has a row of an unknown kind")
    return HeaderViewTable(version=version, positions=positions, codes=codes)


def _view(name: str | None, path: Path | None) -> View | None:
    try:
        return View(name) if name else None
    except ValueError as error:
        raise UsageError(
            f"the mapping table {path} names a view that is neither frontal nor lateral"
        ) from error
