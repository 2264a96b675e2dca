"""Write back a whole result: in parallel, resumable, one outcome a file."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cxrview.classify.missing_files import MountWatch
from cxrview.errors import CannotOpen, UsageError
from cxrview.records.classification import Failure
from cxrview.results.journal import TRANSIENT_CODES
from cxrview.results.side_files import run_folder
from cxrview.results.tables import each_row, has_column
from cxrview.writeback.copy_file import Correction
from cxrview.writeback.finding import (
    NEEDED_COLUMNS,
    Selection,
    select_findings,
)
from cxrview.writeback.jobs import ChangesJob, CopyJob, Job, Outcome, ReportJob
from cxrview.writeback.journal import WritebackJournal
from cxrview.writeback.output_files import OutputFiles
from cxrview.writeback.person_views import PersonView, PersonViews, digest_of
from cxrview.writeback.plan import Plan, check_archive, plan_write_back
from cxrview.writeback.settings import CorrectionSettings, WritebackForm
from cxrview.writeback.worker import carry_out
from cxrview.writeback.worker_pool import carry_out_in_parallel

_THREADS = 2
"""Of this process, for copies; a third would wait for Python's lock. Reports are made in Python
alone, where a second thread gains nothing."""
_KEPT = "Then continue with --resume: what was written is kept"
_REQUIRED_COLUMNS = ("path", "decision", "view", "agreement", "content_id")
"""Without these nothing can be chosen, or a replaced file not be recognised."""
_NEWER_CONDITIONS = ("folder", "views")
"""Not in journals of earlier versions, which are resumed without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WritebackResult:
    """What a write-back did.

    Attributes:
        written: files whose correction was written, or would be (`changes`, a dry run).
        unchanged: files whose header says all of it already.
        failures: files that were refused, each with its reason.
        left_out: rows of the result that are never written, by reason.
        both_views: Series Instance UIDs of CR series that hold frontal and lateral images.
        corrections: of the written ones, in the order of their paths.
    """

    written: int
    unchanged: int
    failures: tuple[Failure, ...]
    left_out: Counter[str]
    both_views: tuple[str, ...]
    corrections: tuple[Correction, ...]

    @property
    def exit_code(self) -> int:
        """0 done, 1 done with failures listed."""
        return 1 if self.failures else 0


def write_back(
    table: str | Path,
    out: str | Path,
    settings: CorrectionSettings | None = None,
    *,
    form: WritebackForm = WritebackForm.COPIES,
    persons: Sequence[PersonView] = (),
    folder: str = "",
    with_agreeing: bool = False,
    only_persons: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    workers: int = 0,
    on_progress: Callable[[int, int], object] = lambda done, failed: None,
) -> WritebackResult:
    """Write what a result found into copies of its files, or list the changes.

    Args:
        table: a result of `cxrview classify` or `cxrview merge`.
        out: folder for the copies; the input is never touched. Beside it stand
            `out.changes.csv`, `out.changes.jsonl`, `out.failures.csv` and `out.summary.json`.
        settings: how each file is corrected; the defaults where None. A resumed run keeps the time
            of its first part.
        form: corrected copies, structured reports, or the list of changes alone.
        persons: decisions that replace what the table proposes; of two about one image the later
            counts. See `views_of_decisions` and `read_settled_labels`.
        folder: what relative paths of the table are relative to. If empty, the folder in which the
            table was made, as its summary has it, or else the working folder.
        with_agreeing: write also files whose header names the right view already; reports
            always hold them.
        only_persons: write only images of `persons` and readers' labels, nothing that the model
            alone says.
        resume: continue a run that was interrupted.
        overwrite: replace an earlier write-back to `out`.
        workers: threads and processes that work; 0 takes one for each core.
        on_progress: called with how many more files are done, and how many of these failed.

    Raises:
        UsageError: the table, the decisions or the target cannot be used as given, or the table
            is of another archive.
        CannotWrite: the disk took no more; what was written is kept for a resume.
        InputUnavailable: the folder of the files is empty or unreachable; likewise.
        RunStopped: a worker process was killed; likewise.
    """
    table, out, settings = Path(table), Path(out), settings or CorrectionSettings()
    with_agreeing = with_agreeing or form is WritebackForm.SR
    folder = folder or run_folder(table)
    selection = _select(
        table, persons, folder, with_agreeing=with_agreeing, only_persons=only_persons
    )
    plan = plan_write_back(selection.findings, out, folder)
    check_archive(plan.findings)
    jobs = _jobs(plan, form)
    files = OutputFiles(out)
    files.check(
        resume=resume,
        overwrite=overwrite,
        has_folder=form is not WritebackForm.CHANGES,
        targets=(job.target for job in jobs if job.target),
    )
    conditions = _conditions(
        table, plan, settings, form, persons, with_agreeing=with_agreeing, only_persons=only_persons
    )
    if resume:
        journal = WritebackJournal.resume(files.journal)
        settings = _same_time(journal, conditions, settings)
    else:
        journal = WritebackJournal.create(files.journal, conditions)
    try:
        todo = [job for job in jobs if not _is_done(job, journal)]
        threads = 1 if form is WritebackForm.SR else _THREADS
        mounts = MountWatch([plan.source_folder], _KEPT)
        for outcomes in carry_out_in_parallel(todo, settings, workers, threads=threads):
            _check_source(outcomes, mounts)
            journal.record(outcomes)
            on_progress(len(outcomes), sum(isinstance(one, Failure) for one in outcomes))
        result = _result(selection, plan, journal.outcomes)
        files.write(result, conditions)
    except BaseException:  # Ctrl-C as well: the journal stays for a resume
        journal.close()
        raise
    journal.remove()
    return result


def preview(
    table: str | Path,
    settings: CorrectionSettings | None = None,
    *,
    persons: Sequence[PersonView] = (),
    folder: str = "",
    with_agreeing: bool = False,
    only_persons: bool = False,
    most: int = 5,
) -> tuple[Selection, Plan, list[Outcome]]:
    """Say what a write-back would do: counts for all files, changes of the first ones.

    Args:
        table: as of `write_back`.
        settings: likewise.
        persons: likewise.
        folder: likewise.
        with_agreeing: likewise.
        only_persons: likewise.
        most: files to read.

    Raises:
        UsageError: as `write_back`.
    """
    table = Path(table)
    folder = folder or run_folder(table)
    selection = _select(
        table, persons, folder, with_agreeing=with_agreeing, only_persons=only_persons
    )
    plan = plan_write_back(selection.findings, None, folder)
    check_archive(plan.findings)
    first = [ChangesJob(finding=one) for one in plan.findings[:most]]
    return selection, plan, carry_out(first, settings or CorrectionSettings())


def _select(
    table: Path,
    persons: Sequence[PersonView],
    folder: str,
    *,
    with_agreeing: bool,
    only_persons: bool,
) -> Selection:
    if missing := [name for name in _REQUIRED_COLUMNS if not has_column(table, name)]:
        raise UsageError(
            f"{table} has no column {', '.join(missing)}",
            "Name a result of cxrview classify or cxrview merge with all of its columns",
        )
    rows = each_row(table, NEEDED_COLUMNS)
    return select_findings(
        rows,
        PersonViews(persons, folder),
        with_agreeing=with_agreeing,
        only_persons=only_persons,
    )


def _jobs(plan: Plan, form: WritebackForm) -> Sequence[Job]:
    if form is WritebackForm.SR:
        return [
            ReportJob(study_instance_uid=uid, findings=findings, folder=plan.out)
            for uid, findings in plan.by_study().items()
        ]
    if form is WritebackForm.CHANGES:
        return [ChangesJob(finding=one) for one in plan.findings]
    return [CopyJob(finding=one, target=plan.target_of(one)) for one in plan.findings]


def _check_source(outcomes: Sequence[Outcome], mounts: MountWatch) -> None:
    """Stop before files are refused only because their disk was disconnected.

    Raises:
        InputUnavailable: a file could not be opened, and the folder of all files is empty,
            unreachable or no longer mounted.
    """
    if any(isinstance(one, Failure) and one.code == CannotOpen.code for one in outcomes):
        mounts.check_mounts()


def _is_done(job: Job, journal: WritebackJournal) -> bool:
    """Whether an earlier part of the run finished its files, and what it wrote is still there.

    A failure that may be due to the disk or the machine is not final.
    """
    outcomes = [journal.outcomes.get(path) for path in job.paths]
    return all(
        (isinstance(one, Failure) and one.code not in TRANSIENT_CODES)
        or (isinstance(one, Correction) and (not one.target or _is_there(one)))
        for one in outcomes
    )


def _is_there(one: Correction) -> bool:
    """Whether the target is complete: after a power cut, a file may be shorter than written."""
    try:
        return os.stat(one.target).st_size == one.size  # noqa: PTH116 (a path may hold odd bytes)
    except OSError:
        return False


def _conditions(
    table: Path,
    plan: Plan,
    settings: CorrectionSettings,
    form: WritebackForm,
    persons: Sequence[PersonView],
    *,
    with_agreeing: bool,
    only_persons: bool,
) -> dict[str, str]:
    """What must be the same in a resumed run."""
    return {
        "table": str(table.resolve()),
        "form": str(form),
        "system": settings.system,
        "modified": settings.modified.isoformat(),
        "keep_uid": str(settings.keep_uid),
        "deidentified": str(settings.deidentified),
        "conflicting_position": str(settings.position),
        "with_agreeing": str(with_agreeing),
        "only_persons": str(only_persons),
        "decisions": digest_of(persons),
        "folder": plan.source_folder,
        "views": plan.digest(),
    }


def _same_time(
    journal: WritebackJournal, conditions: dict[str, str], settings: CorrectionSettings
) -> CorrectionSettings:
    differing = [
        name
        for name, value in conditions.items()
        if name != "modified"
        and journal.conditions.get(name) != value
        and (name in journal.conditions or name not in _NEWER_CONDITIONS)
    ]
    if differing:
        journal.close()
        raise UsageError(
            "the interrupted write-back was started with other settings: " + ", ".join(differing),
            "Use the same ones, or start over with --overwrite",
        )
    conditions["modified"] = journal.conditions["modified"]
    return replace(settings, modified=datetime.fromisoformat(conditions["modified"]))


def _result(
    selection: Selection, plan: Plan, outcomes: dict[str, Correction | Failure]
) -> WritebackResult:
    ordered = [outcomes[path] for path in sorted(outcomes)]
    corrections = tuple(o for o in ordered if isinstance(o, Correction) and o.changes)
    failures = [*plan.refused, *(o for o in ordered if isinstance(o, Failure))]
    return WritebackResult(
        written=len(corrections),
        unchanged=sum(isinstance(o, Correction) and not o.changes for o in ordered),
        failures=tuple(sorted(failures, key=lambda one: one.path)),
        left_out=selection.left_out,
        both_views=selection.both_views,
        corrections=corrections,
    )
