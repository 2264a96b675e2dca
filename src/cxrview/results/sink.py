"""Where the rows of a run are written: to files, to two streams, or to temporary files."""

import tempfile
from typing import IO, Protocol

from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS, FAILURE_COLUMNS
from cxrview.results.files import Outputs
from cxrview.results.journal import Conditions, Journal
from cxrview.results.result import Result, result_in_file, result_in_stream, result_on_disk
from cxrview.results.summary import RunSummary, read_summary, write_result
from cxrview.results.tables import write_json_lines, write_parquet


class ResultSink(Protocol):
    """Writes the rows of a run from its journal."""

    can_resume: bool
    """Whether finished work is kept when the run stops."""

    @property
    def kept(self) -> str:
        """End of an error's advice: what to do after the run has stopped, and what was kept."""

    def open_journal(self, conditions: Conditions, *, overwrite: bool) -> Journal:
        """Open the journal of the run.

        Raises:
            UsageError: the journal there belongs to a run under other conditions, or is being
                written; or the files of another result would be replaced.
            CannotWrite: the disk is full or fails.
        """

    def check_new(self) -> None:
        """Check that there is no complete result.

        Raises:
            UsageError: a complete result exists.
        """

    def keep(self, journal: Journal, first: int) -> None:
        """Write the outcomes from ordinal `first` on, which the journal has just recorded."""

    def finish(self, journal: Journal, summary: RunSummary, conditions: Conditions) -> Result:
        """Write the result, also if the run was stopped before its end.

        Raises:
            OSError: the disk is full.
        """


class FileSink:
    """Writes table, failures and summary when the run ends; the journal keeps them until then.

    A complete result that is there is replaced by a complete one alone. The rows of a run that
    stops before are in temporary files then, as those of `TemporarySink`, and in the journal.

    Args:
        out: the files.
    """

    can_resume = True
    kept = "Then continue with --resume: what was finished is kept"

    def __init__(self, out: Outputs) -> None:
        self.out = out
        self._replaces_complete = False

    def open_journal(self, conditions: Conditions, *, overwrite: bool) -> Journal:
        """Open or create the journal beside the result; see `ResultSink`."""
        self.out.check_side_files()
        self._replaces_complete = _is_complete(self.out)
        return Journal(self.out.journal, conditions, overwrite=overwrite)

    def check_new(self) -> None:
        """See `ResultSink`."""
        self.out.check_complete(resume=True)

    def keep(self, journal: Journal, first: int) -> None:
        """The journal has kept them already."""

    def finish(self, journal: Journal, summary: RunSummary, conditions: Conditions) -> Result:
        """Write the files; see `ResultSink`."""
        if self._replaces_complete and not summary.is_complete:
            return TemporarySink().finish(journal, summary, conditions)
        write_result(self.out, journal, summary, conditions)
        return result_on_disk(self.out, summary)


def _is_complete(out: Outputs) -> bool:
    """Whether a complete result is there: of a run before the one whose journal is beside it."""
    try:
        return out.table.exists() and read_summary(out.summary).is_complete
    except UsageError:  # damaged, or of another program
        return False


class StreamSink:
    """Writes each outcome as a line of JSON at once; the journal is in temporary files.

    Args:
        rows: receives a line for each image.
        failures: receives a line for each file that could not be read.
    """

    can_resume = False
    kept = "The rows written so far are valid"

    def __init__(self, rows: IO[str], failures: IO[str]) -> None:
        self._rows, self._failures = rows, failures

    def open_journal(self, conditions: Conditions, *, overwrite: bool) -> Journal:
        """Open a journal in temporary files; see `ResultSink`."""
        return Journal(None, conditions)

    def check_new(self) -> None:
        """Nothing can be there."""

    def keep(self, journal: Journal, first: int) -> None:
        """Write them to the streams; see `ResultSink`."""
        write_json_lines(self._rows, journal.rows(first))
        self._rows.flush()
        write_json_lines(self._failures, journal.failures(first))
        self._failures.flush()

    def finish(self, journal: Journal, summary: RunSummary, conditions: Conditions) -> Result:
        """Write nothing more; see `ResultSink`."""
        return result_in_stream(summary)


class TemporarySink:
    """Writes Parquet into temporary files without a name, which are removed with the `Result`.

    Memory does not grow with the number of rows. A row takes about 300 bytes on disk, and 2 kB
    while the run lasts.
    """

    can_resume = False
    kept = "Nothing was kept; give `out` a file to be able to resume"

    def open_journal(self, conditions: Conditions, *, overwrite: bool) -> Journal:
        """Open a journal in temporary files; see `ResultSink`."""
        return Journal(None, conditions)

    def check_new(self) -> None:
        """Nothing can be there."""

    def keep(self, journal: Journal, first: int) -> None:
        """Do nothing: the journal keeps the outcomes."""

    def finish(self, journal: Journal, summary: RunSummary, conditions: Conditions) -> Result:
        """Write the files; see `ResultSink`."""
        # They are closed, and so removed, when the result that holds them is garbage-collected.
        rows = tempfile.TemporaryFile()  # noqa: SIM115
        failures = tempfile.TemporaryFile()  # noqa: SIM115
        write_parquet(rows, journal.rows(), COLUMNS)
        write_parquet(failures, journal.failures(), dict.fromkeys(FAILURE_COLUMNS, "string"))
        return result_in_file(summary, rows, failures)


def sink_of(out: Outputs | tuple[IO[str], IO[str]] | None) -> ResultSink:
    """Return the sink for files, for two streams, or for temporary files if `out` is None."""
    if out is None:
        return TemporarySink()
    return FileSink(out) if isinstance(out, Outputs) else StreamSink(*out)
