"""The files of one result: their names, and whether they may be written."""

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

    Attributes:
        table: a `.parquet`, `.csv` or `.jsonl` file, or a folder. A str is accepted, too, with the
            meaning that it has on the command line: `views/` is a folder of parts.
            in_parts: the table is a folder of Parquet parts instead of one file.

    Raises:
        UsageError: the name does not end in the format of a result.
    """

    table: Path
    in_parts: bool = False

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
        """Parse a name as a user wrote it: one that ends in / is a folder of parts."""
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
        """`views.parquet.journal`, which exists only while the result is incomplete."""
        return self.table.with_name(self.table.name + JOURNAL_ENDING)

    def all(self) -> list[Path]:
        """Every file that a run may write, including incomplete files and those of SQLite."""
        incomplete = [p.with_name(p.name + ".part") for p in self.complete()]
        sqlites = self.journal.with_name(self.journal.name + "-journal")
        return [*self.complete(), *incomplete, self.journal, sqlites]

    def complete(self) -> list[Path]:
        """The files of a complete result: table, failures, summary."""
        return [self.table, self.failures, self.summary]

    def check(self, *, overwrite: bool, resume: bool) -> None:
        """Check that nothing is overwritten without permission.

        Raises:
            UsageError: a complete or incomplete result exists, the folder is missing or not
                writable, or the failures and the summary there belong to another result.
        """
        folder = self.table.parent
        if not folder.is_dir():
            raise UsageError(
                f"folder {folder} does not exist", "Create it, or choose another --out"
            )
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"folder {folder} is not writable", "Choose another --out")
        self._check_kinds()
        self.check_side_files()
        if overwrite:
            return
        if self.journal.exists() and not resume:
            raise UsageError(
                f"{self.table} is incomplete",
                "Continue with --resume, or start over with --overwrite",
            )
        if not self.journal.exists():
            self.check_complete(resume=resume)

    def check_side_files(self) -> None:
        """Check that the failures and the summary of another result are not replaced: those of
        `a.csv` and of `a.parquet` have the same names.

        Raises:
            UsageError: they would be replaced.
        """
        need_free_names(self.table, in_parts=self.in_parts)

    def check_complete(self, *, resume: bool) -> None:
        """Check that there is no complete result.

        Raises:
            UsageError: a complete result exists.
        """
        existing = [path for path in self.complete() if _exists(path)]
        if not existing:
            return
        if resume and existing[0] == self.table:
            raise UsageError(
                f"{self.table} already exists and is complete: there is nothing left to resume",
                f"For files added since, choose another --out and use --known {self.table}",
            )
        raise UsageError(
            f"{existing[0]} already exists and is complete",
            "Choose another --out, or use --overwrite",
        )

    def _check_kinds(self) -> None:
        """Raise UsageError for a folder where a file is needed, and the other way round."""
        files = [self.failures, self.summary, *([] if self.in_parts else [self.table])]
        if folders := [path for path in files if path.is_dir()]:
            raise UsageError(
                f"{folders[0]} is a folder",
                "Choose another --out; the name of a folder of parts ends in /",
            )
        if not self.in_parts:
            return
        if (is_link := self.table.is_symlink()) or self.table.is_mount():
            raise UsageError(
                f"{self.table} is a {'link' if is_link else 'mount point'}, which a folder of "
                "parts cannot replace when it is complete",
                f"Name a folder below it, such as {self.table}/views/",
            )
        if not self.table.exists():
            return
        if not self.table.is_dir():
            raise UsageError(f"{self.table} is not a folder", "Choose another --out")
        if foreign := foreign_files(self.table):
            raise UsageError(
                f"{self.table} holds other files than parts of a result, such as {foreign[0]}",
                "Choose a new folder for --out",
            )


def _exists(path: Path) -> bool:
    """Whether a result exists; an empty folder is not one yet."""
    return any(path.iterdir()) if path.is_dir() else path.exists()
