"""The counts of a run, and the summary file that holds them."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS
from cxrview.results.files import Outputs
from cxrview.results.journal import TRANSIENT_CODES, Conditions, Journal
from cxrview.results.side_files import OWNER, owner_name
from cxrview.results.tables import write_failures, write_partitioned, write_summary, write_table
from cxrview.wording import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """Counts of the files: found = classified + review + not_chest + skipped + failed.

    Attributes:
        found: files that have an outcome.
        frontal: images classified as frontal.
        lateral: images classified as lateral.
        review: images for which the model is unsure.
        not_chest: images that do not show a chest radiograph.
        skipped: images whose header says that they are not chest radiographs.
        failed: files that could not be read, by code.
        agreement: classified images, by whether their header agrees.
        read_now: files that this run read; the others were in the journal already.
        named_again: duplicate paths of this run, each of which was read once.
        seconds: duration of all runs that made the result.
        is_complete: False if the run was stopped before its end.
        known: files left out because an earlier result has them; not counted in `found`.
        seconds_now: duration of this run.
        missing: files that an earlier run had read and this one did not find; not among those
            found.
        is_time_up: the run stopped because its time was up.
        answers: images that are `turned`, `mirrored`, `inverted`, `AP` or `PA` by the model; a
            name without an image is left out, and all are with a model that does not say so.
    """

    found: int
    frontal: int
    lateral: int
    review: int
    not_chest: int
    skipped: int
    failed: dict[str, int]
    agreement: dict[str, int]
    read_now: int
    named_again: int
    seconds: float
    is_complete: bool
    known: int = 0
    seconds_now: float = 0.0
    missing: int = 0
    is_time_up: bool = False
    answers: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        not_chest = f"{self.not_chest} not chest, " if self.not_chest else ""
        stopped = "" if self.is_complete else "; stopped before the end"
        return (
            f"{plural(self.found, 'file')}: {self.classified} classified, {self.review} review, "
            f"{not_chest}{self.skipped} skipped, {sum(self.failed.values())} failed{stopped}"
        )

    @property
    def classified(self) -> int:
        """Number of images with a view."""
        return self.frontal + self.lateral

    @property
    def transient_failures(self) -> dict[str, int]:
        """Failures, by code, that may be due to the disk or the machine and not to the file."""
        return {code: count for code, count in self.failed.items() if code in TRANSIENT_CODES}

    @property
    def exit_code(self) -> int:
        """0 if done or stopped by its time limit, 1 if done with failures listed."""
        return 1 if self.failed and not self.is_time_up else 0


class CountedOutcomes(Protocol):
    """Outcomes that can be counted: a `Journal`, or the ledger of a run on a cluster."""

    def counts(self) -> list[tuple[str | None, str | None, str | None, str | None, int]]:
        """Count the files of each (failure code, decision, view, agreement)."""

    def answer_counts(self) -> dict[str, int]:
        """Count the images of each of ANSWER_COUNTS; those without an image are left out."""

    def __len__(self) -> int:
        """Number of files with an outcome."""


def count_outcomes(
    journal: CountedOutcomes,
    *,
    read_now: int,
    seconds: float,
    is_complete: bool,
    named_again: int = 0,
    known: int = 0,
    missing: int = 0,
    seconds_now: float = 0.0,
    is_time_up: bool = False,
) -> RunSummary:
    """Count the outcomes in a journal; the caller passes the other facts."""
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
        missing=missing,
        seconds_now=seconds_now,
        is_time_up=is_time_up,
        answers=journal.answer_counts(),
    )


def summarise(summary: RunSummary, conditions: Conditions) -> dict[str, Any]:
    """Return the counts and the conditions as they are written to the summary file."""
    return {
        "found": summary.found,
        "classified": summary.classified,
        "review": summary.review,
        "not_chest": summary.not_chest,
        "skipped": summary.skipped,
        "failed": sum(summary.failed.values()),
        "frontal": summary.frontal,
        "lateral": summary.lateral,
        "failed_by_code": summary.failed,
        "agreement_with_header": summary.agreement,
        "answers": summary.answers,
        "named_again": summary.named_again,
        "left_out_as_known": summary.known,
        "dropped_as_gone": summary.missing,
        "is_complete": summary.is_complete,
        "seconds": round(summary.seconds, 1),
        "conditions": conditions,
    }


def read_summary(path: Path) -> RunSummary:
    """Read the counts from the summary file of a result.

    Raises:
        UsageError: it is missing, or is not the summary of a result.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return RunSummary(
            found=facts["found"],
            frontal=facts["frontal"],
            lateral=facts["lateral"],
            review=facts["review"],
            not_chest=facts.get("not_chest", 0),
            skipped=facts["skipped"],
            failed=facts["failed_by_code"],
            agreement=facts["agreement_with_header"],
            read_now=0,
            named_again=facts["named_again"],
            seconds=facts["seconds"],
            is_complete=facts["is_complete"],
            known=facts.get("left_out_as_known", 0),
            missing=facts.get("dropped_as_gone", 0),
            answers=facts.get("answers", {}),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} cannot be read as the summary of a result",
            "Copy failures and summary along with each result",
        ) from error


def write_result(
    out: Outputs,
    journal: Journal,
    summary: RunSummary,
    conditions: Conditions,
    folder: str | None = None,
    *,
    columns: Mapping[str, str] = COLUMNS,
) -> None:
    """Write table, failures and summary, each complete or not at all.

    Args:
        out: files to write.
        journal: holds the rows.
        summary: their counts.
        conditions: under which the rows were made.
        folder: that relative paths in the rows are relative to; None for the working folder, empty
        if the rows have several.
        columns: of the table: COLUMNS or MERGED_COLUMNS.

    Raises:
        OSError: the disk is full or fails.
    """
    write = write_partitioned if out.in_parts else write_table
    write(out.table, journal.rows(), columns)
    write_failures(out.failures, journal.failures())
    folder = os.getcwd() if folder is None else folder  # noqa: PTH109 (a text, for JSON)
    facts = {"folder": folder, OWNER: owner_name(out.table, in_parts=out.in_parts)}
    write_summary(out.summary, summarise(summary, conditions) | facts)
