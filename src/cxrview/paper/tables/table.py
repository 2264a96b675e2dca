"""A table of the page as text, so that the template only prints it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a caption; the template adds the scale to every caption."""

    name: str
    """Anchor on the page."""
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Cells in the order of the columns; the first is the row's heading. A cell breaks only at line
    feeds."""
    numbers: frozenset[int] = frozenset()
    """Columns that are aligned right."""
    marked: frozenset[int] = frozenset()
    """Highlighted rows, such as the chosen candidate."""
    notes: tuple[str, ...] = ()
    """Paragraphs below the table."""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.name}: a row does not have the columns of the header")
