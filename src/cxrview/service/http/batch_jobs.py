"""Batch jobs: folders of the service's own disks, classified beside everything else.

A job is a folder on the disk with `job.json`, and the journal and the result of a run of
`cxrview classify`. So it continues after a restart where it was, and its rows are those of the
command.
"""

import secrets
import shutil
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Self

from cxrview.classify.plan import RunPlan, plan_run
from cxrview.errors import CannotWrite, CxrviewError, InputUnavailable, RunStopped, UsageError
from cxrview.records.classification import Failure, Outcome
from cxrview.results.columns import Row, printable
from cxrview.results.files import Outputs
from cxrview.results.tables import each_failure, each_row, write_table
from cxrview.service.engine import Engine
from cxrview.service.http.job import ENDED, Job, JobState, read_jobs, write_job
from cxrview.service.http.refusal import Refusal
from cxrview.service.log import log_event

MOST_JOBS = 100
"""Jobs that are kept; the result of an old one is removed by its owner, never by the service."""
FORMATS = ("parquet", "csv", "jsonl")
_TABLE = "views.parquet"


class BatchJobs:
    """The batch jobs of a service; they run one after the other. Safe from any thread.

    Args:
        engine: of all entrances.
        folder: where jobs are kept; it is created.
        roots: folders that may be classified.
        now: clock, seconds since 1970.

    Raises:
        UsageError: two roots have the same name, or one does not exist.
    """

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        roots: Sequence[Path],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._folder, self._now = engine, folder, now
        self.roots = _named(roots)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Condition()
        self._jobs = {job.id: job for job in read_jobs(folder)}
        queued = [job.id for job in self._jobs.values() if job.state not in ENDED]
        self._queue = deque(queued)
        self._cancelled: set[str] = set()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="batch jobs", daemon=True)

    def start(self) -> Self:
        """Run the jobs, also those that an earlier process did not finish."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop the running job, which continues after the next start."""
        with self._lock:
            self._is_closing = True
            self._lock.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def add(self, root: str, folder: str) -> Job:
        """Queue a job.

        Args:
            root: name of a root.
            folder: within it; empty for all of it.

        Raises:
            Refusal: the folder does not exist (404), or there are too many jobs (429).
            CannotWrite: the disk is full or fails.
        """
        self._inside(root, folder)
        job = Job(id=f"j{secrets.token_hex(8)}", root=root, folder=folder, created=self._now())
        with self._lock:
            if len(self._jobs) >= MOST_JOBS:
                raise Refusal(
                    429, "too_many_jobs", f"there are {MOST_JOBS} jobs", "Delete those that ended"
                )
            self._keep(job)
            self._queue.append(job.id)
            self._lock.notify_all()
        log_event("job queued", job=job.id)
        return job

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            Refusal: there is none.
        """
        with self._lock:
            if job_id not in self._jobs:
                raise Refusal(404, "no_such_job", "the job does not exist", "See /jobs")
            return self._jobs[job_id]

    def all(self) -> list[Job]:
        """Return all jobs, the newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: job.created, reverse=True)

    def cancel(self, job_id: str) -> Job:
        """Stop a job; what it has read is kept as its result. One that ended stays as it is.

        Raises:
            Refusal: the job does not exist.
        """
        with self._lock:
            job = self.get(job_id)
            if job.state is JobState.QUEUED and job_id in self._queue:
                self._queue.remove(job_id)
                job = self._keep(replace(job, state=JobState.CANCELLED))
            elif job.state not in ENDED:
                self._cancelled.add(job_id)
            return job

    def remove(self, job_id: str) -> None:
        """Remove a job that has ended, and its result.

        Raises:
            Refusal: the job does not exist (404), or it has not ended (409).
        """
        with self._lock:
            self._need_end(job_id)
            del self._jobs[job_id]
            shutil.rmtree(self._folder / job_id, ignore_errors=True)

    def rows(self, job_id: str, offset: int, limit: int) -> list[Row]:
        """Return some rows of a job that has ended.

        Raises:
            Refusal: the job does not exist (404), or it has not ended (409).
        """
        return list(islice(self._each_row(self._need_end(job_id)), offset, offset + limit))

    def failures(self, job_id: str, offset: int, limit: int) -> list[Row]:
        """Return some failures of a job that has ended.

        Raises:
            Refusal: the job does not exist (404), or it has not ended (409).
        """
        job = self._need_end(job_id)
        out = self._outputs(job)
        rows = each_failure(out.failures) if out.failures.exists() else iter(())
        within = (self._without_root(job, row) for row in rows)
        return list(islice(within, offset, offset + limit))

    def table(self, job_id: str, table_format: str) -> Path:
        """Return the result of a job as a file, with paths within its root.

        Args:
            job_id: of the job.
            table_format: one of `FORMATS`.

        Raises:
            Refusal: the job does not exist (404), or it has not ended (409).
            CannotWrite: the disk is full or fails.
        """
        job = self._need_end(job_id)
        path = self._folder / job.id / f"rows.{table_format}"
        with self._lock:  # one at a time writes it
            if not path.exists():
                try:
                    write_table(path, self._each_row(job))
                except OSError as error:
                    raise CannotWrite("the table cannot be written", "Free disk space") from error
        return path

    def _each_row(self, job: Job) -> Iterator[Row]:
        table = self._outputs(job).table
        rows = each_row(table) if table.exists() else iter(())
        return (self._without_root(job, row) for row in rows)

    def _need_end(self, job_id: str) -> Job:
        job = self.get(job_id)
        if job.state not in ENDED:
            raise Refusal(
                409, "not_ended", f"the job is {job.state}", "Wait for its end, or cancel it"
            )
        return job

    def _without_root(self, job: Job, row: Row) -> Row:
        start = printable(str(self.roots[job.root])) + "/" if job.root in self.roots else ""
        inside = row["path"].removeprefix(start)
        return row | {"path": inside if not inside.startswith("/") else Path(inside).name}

    def _inside(self, root: str, folder: str) -> Path:
        """Return a folder within a root, links resolved.

        Raises:
            Refusal: it does not exist, is not a folder, or leads out of the root.
        """
        missing = Refusal(
            404, "no_such_folder", "the folder does not exist in this root", "See /jobs"
        )
        base = self.roots.get(root)
        if base is None:
            known = ", ".join(self.roots) or "none"
            raise Refusal(404, "no_such_root", "the root does not exist", f"Known: {known}")
        try:
            found = (base / folder).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            raise missing from None
        if not found.is_relative_to(base) or not found.is_dir():
            raise missing
        return found

    def _outputs(self, job: Job) -> Outputs:
        return Outputs(table=self._folder / job.id / _TABLE)

    def _keep(self, job: Job) -> Job:
        """Record the state of a job, on the disk and in memory; the lock is held."""
        write_job(self._folder, job)
        self._jobs[job.id] = job
        return job

    def _run(self) -> None:
        while job := self._next():
            _JobRun(self, job).run()

    def _next(self) -> Job | None:
        with self._lock:
            self._lock.wait_for(lambda: self._is_closing or self._queue)
            return None if self._is_closing else self._jobs[self._queue.popleft()]


class _JobRun:
    """One job from its start, or its continuation, to its end."""

    def __init__(self, jobs: BatchJobs, job: Job) -> None:
        self._jobs, self._job = jobs, job
        self._decisions: Counter[str] = Counter()
        self._failed = 0
        self._files: int | None = None
        self._ended = threading.Event()

    def run(self) -> None:
        """Classify the folder; errors become the state of the job."""
        try:
            self._update(JobState.RUNNING)
            state, reason = self._classify()
        except CxrviewError as error:
            state, reason = JobState.FAILED, _reason(error)
        except Exception as error:  # an error in cxrview costs this job, not the service
            state, reason = JobState.FAILED, f"internal error ({type(error).__name__})"
        finally:
            self._ended.set()
        if state is not JobState.RUNNING:
            log_event("job ended", job=self._job.id, state=state)
        try:
            self._update(state, reason)
        except CxrviewError:  # the disk is full: it runs again after the next start
            log_event("job not recorded", job=self._job.id, code="disk_full")

    def _classify(self) -> tuple[JobState, str]:
        """Run or continue the job; RUNNING if the service is being closed."""
        jobs, job = self._jobs, self._job
        out = jobs._outputs(job)
        is_complete = out.table.exists() and not out.journal.exists()
        if not is_complete and not self._read_folder(out):
            is_cancelled = job.id in jobs._cancelled
            self._count_rows(out)
            return JobState.CANCELLED if is_cancelled else JobState.RUNNING, ""
        self._count_rows(out)
        self._files = self._failed + self._decisions.total()
        return JobState.DONE, ""

    def _read_folder(self, out: Outputs) -> bool:
        """Start the run, or continue it; False if it was stopped before its end."""
        folder = self._jobs._inside(self._job.root, self._job.folder)
        if out.journal.exists():
            with suppress(UsageError):  # the service has another model or other settings now
                return self._carry_out(folder, out, resume=True)
        return self._carry_out(folder, out, resume=False)

    def _carry_out(self, folder: Path, out: Outputs, *, resume: bool) -> bool:
        engine = self._jobs._engine
        plan = plan_run(
            str(folder),
            out=str(out.table),
            model=engine.model,
            options=engine.options,
            resume=resume,
            overwrite=not resume,
        )
        threading.Thread(target=self._count, args=(plan,), daemon=True).start()
        result = plan.run(self._on_outcomes, self._is_stopped, engine.outcomes)
        return result.summary.is_complete

    def _count(self, plan: RunPlan) -> None:
        try:
            found = plan.count()
        except CxrviewError:
            return  # the run meets the same error
        if not self._ended.is_set() and found is not None:
            self._files = found
            self._show(JobState.RUNNING)

    def _on_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                self._failed += 1
            else:
                self._decisions[str(outcome.decision)] += 1
        self._show(JobState.RUNNING)

    def _count_rows(self, out: Outputs) -> None:
        """Count what the result holds, with what was read before a restart."""
        self._decisions = Counter(row["decision"] for row in each_row(out.table))
        self._failed = sum(1 for _ in each_failure(out.failures))

    def _is_stopped(self) -> bool:
        return self._jobs._is_closing or self._job.id in self._jobs._cancelled

    def _now(self, state: JobState, reason: str = "") -> Job:
        return replace(
            self._job,
            state=state,
            files=self._files,
            failed=self._failed,
            decisions=dict(self._decisions),
            reason=reason,
        )

    def _show(self, state: JobState) -> None:
        """Show progress, which is not written to the disk: the journal has it."""
        with self._jobs._lock:
            if not self._ended.is_set():
                self._jobs._jobs[self._job.id] = self._now(state)

    def _update(self, state: JobState, reason: str = "") -> None:
        with self._jobs._lock:
            self._jobs._keep(self._now(state, reason))
            self._jobs._cancelled.discard(self._job.id)


def _named(roots: Sequence[Path]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for root in roots:
        if not root.is_dir():
            raise UsageError(
                "a folder of http.roots does not exist", f"Create {root}, or remove it"
            )
        if not root.name or named.setdefault(root.name, root.resolve()) != root.resolve():
            raise UsageError(
                f"two folders of http.roots are called {root.name}",
                "Clients name them by that: rename one, or name the folder above both",
            )
    return named


def _reason(error: CxrviewError) -> str:
    """Why a job failed, without the paths that messages of a run name."""
    if isinstance(error, CannotWrite):
        return "the disk is full or fails"
    if isinstance(error, InputUnavailable):
        return "the folder is not available any more: is its disk mounted?"
    if isinstance(error, RunStopped):
        return "the engine does not classify"
    return "the folder cannot be read"
