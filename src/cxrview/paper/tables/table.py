"""A table of a page as words: what each cell says is settled before a template sees it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a caption; the template adds the scale's words to every caption."""

    name: str
    """Its anchor on the page."""
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Cells in the order of the columns; the first is what the row is about. A cell breaks where
    it holds a line feed and nowhere else."""
    numbers: frozenset[int] = frozenset()
    """Columns that stand flush right."""
    marked: frozenset[int] = frozenset()
    """Rows that stand out, such as the chosen candidate."""
    notes: tuple[str, ...] = ()
    """Below it, a paragraph each."""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.name}: a row has other columns than the head")
