"""Routes of batch jobs."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import FileResponse, Response

from cxrview.service.http.batch_jobs import BatchJobs
from cxrview.service.http.job import Job
from cxrview.service.http.records import (
    FailurePage,
    FailureRow,
    JobBody,
    JobList,
    JobRequest,
    RowPage,
)
from cxrview.service.http.responses import refusals

_MOST_ROWS = 1000
_MEDIA = {
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
}
_TABLE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The table.",
        "content": {
            media.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for media in _MEDIA.values()
        },
    }
}

JobId = Annotated[str, Path(pattern="^j[0-9a-f]{16}$", description="From POST /jobs.")]
Offset = Annotated[int, Query(ge=0, le=10**9)]
Limit = Annotated[int, Query(ge=1, le=_MOST_ROWS)]


def job_router(jobs: BatchJobs) -> APIRouter:
    """Make the routes of these jobs."""
    router = APIRouter(prefix="/jobs", tags=["jobs"])

    @router.post(
        "",
        status_code=202,
        summary="Classify a folder",
        response_model=JobBody,
        responses=refusals(400, 401, 404, 408, 413, 415, 422, 429, 507),
    )
    def add(request: JobRequest, response: Response) -> JobBody:
        """Queue a job for a folder of the service's own disks. Jobs run one after the other."""
        job = jobs.add(request.root, request.folder)
        response.headers["Location"] = f"/jobs/{job.id}"
        return _body(job)

    @router.get("", summary="All jobs", response_model=JobList, responses=refusals(401))
    def every() -> JobList:
        """All jobs, the newest first."""
        return JobList(jobs=[_body(job) for job in jobs.all()])

    @router.get(
        "/{job}",
        summary="Progress of a job",
        response_model=JobBody,
        responses=refusals(401, 404, 422),
    )
    def one(job: JobId) -> JobBody:
        """State and progress."""
        return _body(jobs.get(job))

    @router.post(
        "/{job}/cancel",
        summary="Cancel a job",
        response_model=JobBody,
        responses=refusals(401, 404, 408, 413, 415, 422, 507),
    )
    def cancel(job: JobId) -> JobBody:
        """Stop a job after the files in hand. Its rows so far stay; a job that ended stays as it
        is."""
        return _body(jobs.cancel(job))

    @router.delete(
        "/{job}",
        status_code=204,
        summary="Remove a job that has ended",
        responses=refusals(401, 404, 408, 409, 413, 415, 422),
    )
    def remove(job: JobId) -> None:
        """Remove its result; the images stay."""
        jobs.remove(job)

    @router.get(
        "/{job}/rows",
        summary="Rows of a job",
        response_model=RowPage,
        responses=refusals(401, 404, 409, 422),
    )
    def rows(job: JobId, offset: Offset = 0, limit: Limit = 100) -> RowPage:
        """The rows that `cxrview classify` writes, with paths within the root."""
        page = jobs.rows(job, offset, limit + 1)
        return RowPage(rows=page[:limit], next=_next(offset, limit, len(page)))

    @router.get(
        "/{job}/failures",
        summary="Failures of a job",
        response_model=FailurePage,
        responses=refusals(401, 404, 409, 422),
    )
    def failures(job: JobId, offset: Offset = 0, limit: Limit = 100) -> FailurePage:
        """The files that could not be read, and why."""
        page = jobs.failures(job, offset, limit + 1)
        found = [FailureRow(**row) for row in page[:limit]]
        return FailurePage(failures=found, next=_next(offset, limit, len(page)))

    @router.get(
        "/{job}/table",
        summary="Result of a job as a file",
        response_class=FileResponse,
        responses=_TABLE | refusals(401, 404, 409, 422, 507),
    )
    def table(job: JobId, format: Literal["parquet", "csv", "jsonl"] = "parquet") -> FileResponse:
        """The table of `cxrview classify`, with paths within the root."""
        path = jobs.table(job, format)
        return FileResponse(path, media_type=_MEDIA[format], filename=f"{job}.{format}")

    return router


def _body(job: Job) -> JobBody:
    return JobBody(
        job=job.id,
        state=job.state,
        root=job.root,
        folder=job.folder,
        created=datetime.fromtimestamp(job.created, UTC).isoformat(timespec="seconds"),
        files=job.files,
        done=job.done,
        failed=job.failed,
        decisions=dict(job.decisions),
        reason=job.reason,
    )


def _next(offset: int, limit: int, found: int) -> int | None:
    return offset + limit if found > limit else None
