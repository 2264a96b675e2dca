"""A batch job, as it is kept in a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cxrview.json_file import read_json, write_json
from cxrview.service.log import log_event

_FILE = "job.json"


class JobState(StrEnum):
    """State of a batch job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED = (JobState.DONE, JobState.CANCELLED, JobState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A batch job and its progress."""

    id: str
    root: str
    """Name of a root."""
    folder: str
    """Within the root; empty for all of it."""
    created: float
    """Seconds since 1970."""
    state: JobState = JobState.QUEUED
    files: int | None = None
    """Files found; None while they are being counted."""
    failed: int = 0
    """Files that could not be read."""
    decisions: Mapping[str, int] = field(default_factory=dict)
    """The others, by decision."""
    reason: str = ""
    """Why it failed, without a path; empty otherwise."""

    @property
    def done(self) -> int:
        """Files with an outcome."""
        return self.failed + sum(self.decisions.values())


def read_jobs(folder: Path) -> Iterator[Job]:
    """Read the jobs of earlier processes; one whose file is damaged is left out.

    Args:
        folder: of all jobs; each has a folder of its name in it.
    """
    for path in sorted(folder.glob(f"*/{_FILE}")):
        try:
            kept = read_json(path)
            yield Job(**{**kept, "state": JobState(kept["state"])})
        except (OSError, ValueError, TypeError, KeyError):
            log_event("job not readable", code="job_file")


def write_job(folder: Path, job: Job) -> None:
    """Keep a job in its folder, which is created.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    content = {name: getattr(job, name) for name in Job.__dataclass_fields__}
    write_json(folder / job.id / _FILE, content)
