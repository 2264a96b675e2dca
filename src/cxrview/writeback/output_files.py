"""The files beside the copies: changes, failures, summary, journal."""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxrview.atomic_files import PART, atomic_path, raising_cannot_write, write_atomic
from cxrview.errors import UsageError
from cxrview.results.columns import failure_row, from_printable, printable
from cxrview.results.tables import write_failures, write_json_lines, write_rows
from cxrview.writeback.copy_file import Correction
from cxrview.writeback.journal import WritebackJournal

if TYPE_CHECKING:
    from cxrview.writeback.run import WritebackResult

CHANGE_COLUMNS = ("path", "target", "tag", "keyword", "old", "new")

_TABLE_ENDINGS = (".parquet", ".csv", ".jsonl")


class OutputFiles:
    """Where the parts of one write-back stand."""

    def __init__(self, out: Path) -> None:
        self.folder = out
        self.journal = _beside(out, ".writeback-journal")
        self.changes_csv = _beside(out, ".changes.csv")
        self.changes_jsonl = _beside(out, ".changes.jsonl")
        self.failures = _beside(out, ".failures.csv")
        self.summary = _beside(out, ".summary.json")

    def check(
        self, *, resume: bool, overwrite: bool, has_folder: bool, targets: Iterable[Path] = ()
    ) -> None:
        """Make sure that the run may write here; remove what `overwrite` replaces.

        Args:
            resume: the run continues another one.
            overwrite: an earlier write-back may be replaced.
            has_folder: the run writes into the folder.
            targets: what it will write there. A run that was killed wrote files of which its
                journal does not know yet.

        Raises:
            UsageError: the folder above is missing, or an earlier write-back would be lost.
        """
        if not self.folder.parent.is_dir():
            raise UsageError(
                f"folder {self.folder.parent} does not exist", "Create it or choose another --out"
            )
        self._need_own_name()
        if resume:
            return
        if self.journal.exists() and not overwrite:
            raise UsageError(
                f"the write-back to {self.folder} is incomplete",
                "Continue with --resume or start over with --overwrite",
            )
        if overwrite and (self.journal.exists() or self.summary.exists()):
            self._remove_earlier(targets)
        elif self._stands():
            raise UsageError(
                f"{self.folder} already exists", "Choose another --out, or use --overwrite"
            )
        if has_folder:
            with raising_cannot_write(self.folder):
                self.folder.mkdir(exist_ok=True)

    def _need_own_name(self) -> None:
        """Refuse the name of a result: its failures and summary would be replaced."""
        for ending in _TABLE_ENDINGS:
            table = _beside(self.folder, ending)
            if table.exists():
                raise UsageError(
                    f"{self.summary.name} and {self.failures.name} belong to {table}",
                    "Choose another --out",
                )

    def write(self, result: "WritebackResult", conditions: Mapping[str, str]) -> None:
        """Write the changes, the failures and the summary.

        Raises:
            CannotWrite: the disk took no more.
        """
        rows = list(_change_rows(result))
        write_rows(self.changes_csv, rows, CHANGE_COLUMNS)
        with (
            raising_cannot_write(self.changes_jsonl),
            atomic_path(self.changes_jsonl) as part,
            part.open("w", encoding="utf-8") as file,
        ):
            write_json_lines(file, rows)
        with raising_cannot_write(self.failures):
            write_failures(self.failures, [failure_row(one) for one in result.failures])
        counts = {
            "written": result.written,
            "unchanged": result.unchanged,
            "refused": len(result.failures),
            "left_out": dict(sorted(result.left_out.items())),
            "cr_series_with_both_views": len(result.both_views),
            "conditions": dict(conditions),
        }
        write_atomic(self.summary, json.dumps(counts, indent=2) + "\n")

    def _stands(self) -> bool:
        return self.summary.exists() or (self.folder.exists() and any(self.folder.iterdir()))

    def _remove_earlier(self, targets: Iterable[Path]) -> None:
        """Remove the copies that an earlier write-back lists, and its other files.

        Raises:
            UsageError: the folder holds something else as well; then all of it stays.
        """
        found = list(self._found())
        ours = self._earlier_copies().union(targets) if found else set()
        if any(path not in ours and not path.name.endswith(PART) for path in found):
            raise UsageError(
                f"{self.folder} holds files that no write-back wrote", "Choose another --out"
            )
        for path in found:
            path.unlink(missing_ok=True)
        for folder, _, _ in os.walk(self.folder, topdown=False):
            with suppress(OSError):  # it is a link
                Path(folder).rmdir()
        for path in (
            self.journal,
            self.summary,
            self.changes_csv,
            self.changes_jsonl,
            self.failures,
        ):
            path.unlink(missing_ok=True)

    def _found(self) -> Iterator[Path]:
        """All files below the folder, and what stands in its place."""
        if self.folder.exists() and not self.folder.is_dir():
            yield self.folder
        for folder, folders, files in os.walk(self.folder):
            yield from (Path(folder, name) for name in files)
            yield from (link for name in folders if (link := Path(folder, name)).is_symlink())

    def _earlier_copies(self) -> set[Path]:
        """What the list of changes or the journal names."""
        names = set()
        if self.changes_csv.exists():
            with self.changes_csv.open(newline="", encoding="utf-8") as file:
                names |= {from_printable(row["target"]) for row in csv.DictReader(file)}
        if self.journal.exists():
            journal = WritebackJournal.resume(self.journal)
            journal.close()
            names |= {o.target for o in journal.outcomes.values() if isinstance(o, Correction)}
        return {Path(name) for name in names if name}


def _beside(out: Path, ending: str) -> Path:
    return out.with_name(out.name + ending)


def _change_rows(result: "WritebackResult") -> Iterator[dict[str, Any]]:
    for one in result.corrections:
        for change in one.changes:
            yield {
                "path": printable(one.source),
                "target": printable(one.target),
                "tag": change.tag,
                "keyword": change.keyword,
                "old": change.old,
                "new": change.new,
            }
