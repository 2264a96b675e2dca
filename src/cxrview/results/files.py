"""The files of one result: where they stand, and whether they may be written."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cxrview.errors import UsageError
from cxrview.results.side_files import (
    FAILURES_ENDING,
    JOURNAL_ENDING,
    SUMMARY_ENDING,
    beside,
    need_free_names,
)
from cxrview.results.tables import foreign_files, table_format


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The files of one result, all named after its table.

    Raises:
        UsageError: the name asks for no format of a result.
    """

    table: Path
    """A text is taken too, and means what it means on the command line: `views/` is a folder of
    parts."""
    in_parts: bool = False
    """The table is a folder of Parquet parts in place of one file."""

    def __post_init__(self) -> None:
        if isinstance(self.table, str):
            object.__setattr__(self, "in_parts", self.in_parts or self.table.endswith("/"))
            object.__setattr__(self, "table", Path(self.table))
        if not self.in_parts:
            table_format(self.table)
        elif self.table.name in ("", ".."):
            raise UsageError(f"{self.table} has no name", "Name a folder for the result's parts")

    @classmethod
    def named(cls, name: str) -> Self:
        """What a user means by a name: one that ends in / is a folder of parts."""
        return cls(table=Path(name), in_parts=name.endswith("/"))

    @property
    def failures(self) -> Path:
        """`views.failures.csv` beside `views.parquet` or `views/`."""
        return beside(self.table, FAILURES_ENDING, in_parts=self.in_parts)

    @property
    def summary(self) -> Path:
        """`views.summary.json`."""
        return beside(self.table, SUMMARY_ENDING, in_parts=self.in_parts)

    @property
    def journal(self) -> Path:
        """`views.parquet.journal`, there only while the result is not whole."""
        return self.table.with_name(self.table.name + JOURNAL_ENDING)

    def all(self) -> list[Path]:
        """Every file that may lie there, whole, in the making, or of SQLite's."""
        in_the_making = [p.with_name(p.name + ".part") for p in self.whole()]
        sqlites = self.journal.with_name(self.journal.name + "-journal")
        return [*self.whole(), *in_the_making, self.journal, sqlites]

    def whole(self) -> list[Path]:
        """What is there in the end: table, failures, summary."""
        return [self.table, self.failures, self.summary]

    def check(self, *, overwrite: bool, resume: bool) -> None:
        """See to it that nothing is overwritten that nobody asked to overwrite.

        Raises:
            UsageError: a result or the beginning of one stands there, or nothing can be
                written there, or failures and summary there belong to another result.
        """
        folder = self.table.parent
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}", "Make it, or name another")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"nothing may be written into {folder}", "Name another with --out")
        self._check_kinds()
        self.check_side_files()
        if overwrite:
            return
        if self.journal.exists() and not resume:
            raise UsageError(
                f"{self.table} was begun and not finished",
                "Go on with --resume, or begin anew with --overwrite",
            )
        if not self.journal.exists():
            self.check_standing(resume=resume)

    def check_side_files(self) -> None:
        """See to it that failures and summary there are of no other result: `a.csv` and `a.parquet`
        would share them.

        Raises:
            UsageError: they are, and nobody may replace them.
        """
        need_free_names(self.table, in_parts=self.in_parts)

    def check_standing(self, *, resume: bool) -> None:
        """See to it that no whole result stands there.

        Raises:
            UsageError: one does.
        """
        standing = [path for path in self.whole() if _stands(path)]
        if not standing:
            return
        if resume and standing[0] == self.table:
            raise UsageError(
                f"{self.table} exists already, and whole: there is nothing left to resume",
                f"For files that came since, name another with --out, and --known {self.table}",
            )
        raise UsageError(
            f"{standing[0]} exists already, and whole",
            "Name another with --out, or replace it with --overwrite",
        )

    def _check_kinds(self) -> None:
        """Refuse a folder where a file shall stand, and the other way round."""
        files = [self.failures, self.summary, *([] if self.in_parts else [self.table])]
        if folders := [path for path in files if path.is_dir()]:
            raise UsageError(
                f"{folders[0]} is a folder",
                "Name another with --out; a folder of parts is named with / at its end",
            )
        if not self.in_parts or not self.table.exists():
            return
        if not self.table.is_dir():
            raise UsageError(f"{self.table} is no folder", "Name another with --out")
        if foreign := foreign_files(self.table):
            raise UsageError(
                f"{self.table} holds other files than parts of a result, such as {foreign[0]}",
                "Name a new folder with --out",
            )


def _stands(path: Path) -> bool:
    """An empty folder is a place for a result, and none yet."""
    return any(path.iterdir()) if path.is_dir() else path.exists()
