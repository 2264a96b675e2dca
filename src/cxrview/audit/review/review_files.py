"""The files of a review: the result, the CSV file of decisions and its log."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from cxrview.audit.review.decision_log import DecisionLog
from cxrview.audit.review.decisions_csv import log_path, take_edits, write_csv_of
from cxrview.audit.review.doubtful_images import DoubtfulImage
from cxrview.results.columns import from_printable
from cxrview.results.side_files import beside, run_folder
from cxrview.sources.paths import absolute

DECISIONS_ENDING = ".decisions.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFiles:
    """Where a review reads and writes."""

    table: Path
    csv: Path
    folder: str
    """What relative paths of the result are relative to; the working folder if empty."""
    log: DecisionLog

    @property
    def key(self) -> str:
        """Names the review in the storage of browsers, where other reviews keep theirs."""
        told = f"{self.table.resolve()}\0{self.csv.resolve()}"
        return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def path_of(self, image: DoubtfulImage) -> str:
        """Where the file of an image is: an absolute path or a URL."""
        return absolute(from_printable(image.path), self.folder)

    def save(self) -> int:
        """Take what was edited in the CSV file, then write it if it is out of date.

        Returns:
            How many decisions were edited.

        Raises:
            UsageError: the file was edited and has mistakes.
            CannotWrite: the disk is full or fails.
        """
        edited = take_edits(self.log, self.csv)
        write_csv_of(self.log, self.csv)
        return edited


def open_review_files(table: Path, csv: Path | None = None, folder: str = "") -> ReviewFiles:
    """Open the log of a review, and create it if there is none.

    Args:
        table: a result.
        csv: of the decisions; beside the result if None. The log has the same name with .jsonl.
        folder: what relative paths of the result are relative to; where the run stood if empty.

    Raises:
        UsageError: another process has the log open, it is damaged, or the CSV file has mistakes.
        CannotWrite: the log cannot be written.
    """
    csv = csv or beside(table, DECISIONS_ENDING, in_parts=table.is_dir())
    log = DecisionLog(log_path(csv))
    return ReviewFiles(table=table, csv=csv, folder=folder or run_folder(table), log=log)
