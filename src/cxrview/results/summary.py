"""What became of the files of a run, in numbers."""

import os
from dataclasses import dataclass
from typing import Any

from cxrview.results.files import Outputs
from cxrview.results.journal import IN_PASSING, Conditions, Journal
from cxrview.results.side_files import OWNER, owner_name
from cxrview.results.tables import write_failures, write_partitioned, write_summary, write_table


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What became of the files: found = classified + review + not_chest + skipped + failed."""

    found: int
    frontal: int
    lateral: int
    review: int
    not_chest: int
    skipped: int
    failed: dict[str, int]
    """By code."""
    agreement: dict[str, int]
    """Of the classified, with their headers."""
    read_now: int
    """Files that this run read; the others were in the journal already."""
    named_again: int
    """Paths named more than once in this run; each was read once."""
    seconds: float
    """All runs together that made the result."""
    is_complete: bool
    """False where the run was stopped before its end."""
    known: int = 0
    """Files left out because an earlier result has them; not among those found."""
    seconds_now: float = 0.0
    """This run alone."""
    gone: int = 0
    """Files that an earlier run had read and this one did not find; not among those found."""
    is_time_up: bool = False
    """The run stopped because its time had come."""

    @property
    def classified(self) -> int:
        """Images with a view."""
        return self.frontal + self.lateral

    @property
    def failed_in_passing(self) -> dict[str, int]:
        """Those of the failed, by code, for which the disk or the machine may be the reason."""
        return {code: count for code, count in self.failed.items() if code in IN_PASSING}

    @property
    def exit_code(self) -> int:
        """0 done or stopped by the clock, 1 done with failures listed."""
        return 1 if self.failed and not self.is_time_up else 0


def count_outcomes(
    journal: Journal,
    *,
    read_now: int,
    seconds: float,
    is_complete: bool,
    named_again: int = 0,
    known: int = 0,
    gone: int = 0,
    seconds_now: float = 0.0,
    is_time_up: bool = False,
) -> RunSummary:
    """Count what a journal holds; the rest is told by whoever ran."""
    by: dict[str, dict[str, int]] = {"failed": {}, "decision": {}, "view": {}, "agreement": {}}
    for code, decision, view, agreement, count in journal.counts():
        for kind, value in zip(by, (code, decision, view, agreement), strict=True):
            if value is not None:
                by[kind][value] = by[kind].get(value, 0) + count
    return RunSummary(
        found=len(journal),
        frontal=by["view"].get("frontal", 0),
        lateral=by["view"].get("lateral", 0),
        review=by["decision"].get("review", 0),
        not_chest=by["decision"].get("not_chest", 0),
        skipped=by["decision"].get("skipped", 0),
        failed=by["failed"],
        agreement=by["agreement"],
        read_now=read_now,
        named_again=named_again,
        seconds=seconds,
        is_complete=is_complete,
        known=known,
        gone=gone,
        seconds_now=seconds_now,
        is_time_up=is_time_up,
    )


def summarise(tally: RunSummary, conditions: Conditions) -> dict[str, Any]:
    """The counts and the conditions, as they stand in the summary file."""
    return {
        "found": tally.found,
        "classified": tally.classified,
        "review": tally.review,
        "not_chest": tally.not_chest,
        "skipped": tally.skipped,
        "failed": sum(tally.failed.values()),
        "frontal": tally.frontal,
        "lateral": tally.lateral,
        "failed_by_code": tally.failed,
        "agreement_with_header": tally.agreement,
        "named_again": tally.named_again,
        "left_out_as_known": tally.known,
        "dropped_as_gone": tally.gone,
        "is_complete": tally.is_complete,
        "seconds": round(tally.seconds, 1),
        "conditions": conditions,
    }


def write_result(
    out: Outputs,
    journal: Journal,
    tally: RunSummary,
    conditions: Conditions,
    folder: str | None = None,
) -> None:
    """Write table, failures and summary, each whole or not at all.

    Args:
        out: what to write.
        journal: holds the rows.
        tally: their counts.
        conditions: under which they came about.
        folder: where relative paths in them begin: where we stand if None; empty if of several.

    Raises:
        OSError: the disk took no more.
    """
    write = write_partitioned if out.in_parts else write_table
    write(out.table, journal.rows())
    write_failures(out.failures, journal.failures())
    folder = os.getcwd() if folder is None else folder  # noqa: PTH109 (a text, for JSON)
    facts = {"folder": folder, OWNER: owner_name(out.table, in_parts=out.in_parts)}
    write_summary(out.summary, summarise(tally, conditions) | facts)
