"""What the REST interface sends, as models of pydantic, from which FastAPI describes it."""

from typing import Any

from pydantic import BaseModel, Field, create_model

from cxrview.results.columns import COLUMNS

_TYPES: dict[str, Any] = {
    "bool": bool,
    "float64": float,
    "int8": int,
    "int16": int,
    "int32": int,
    "string": str,
}

_FIELDS: dict[str, Any] = {name: (_TYPES[kind] | None, ...) for name, kind in COLUMNS.items()}

Row = create_model("Row", **_FIELDS)
"""One row of a result (docs/reference/columns.md). `path` is the file name that the client sent, or
the path within the root of a batch job, never that on the disk of the service."""


class RefusalBody(BaseModel):
    """Why a request is not carried out."""

    code: str = Field(description="Kind of refusal in one word, the same in all versions.")
    reason: str = Field(description="What happened.")
    advice: str = Field(description="What to do about it; may be empty.")


class FailureRow(BaseModel):
    """A file of a batch job that could not be read."""

    path: str
    code: str
    reason: str
    advice: str


class JobRequest(BaseModel, extra="forbid"):
    """The folder that a batch job classifies."""

    root: str = Field(description="Name of one of http.roots.", max_length=255)
    folder: str = Field(
        default="", description="Path within it; empty for all of it.", max_length=4096
    )


class JobBody(BaseModel):
    """A batch job and its progress."""

    job: str
    state: str = Field(description="queued, running, done, cancelled or failed.")
    root: str
    folder: str
    created: str = Field(description="Time in UTC (ISO 8601).")
    files: int | None = Field(description="Files found; null while they are being counted.")
    done: int = Field(description="Files with an outcome.")
    failed: int = Field(description="Of these, files that could not be read.")
    decisions: dict[str, int] = Field(description="The others, by decision.")
    reason: str = Field(description="Why it failed; empty otherwise.")


class JobList(BaseModel):
    """All batch jobs, the newest first."""

    jobs: list[JobBody]


class RowPage(BaseModel):
    """Some rows of a batch job."""

    rows: list[Row]  # type: ignore[valid-type]
    next: int | None = Field(description="Offset of the next page; null at the end.")


class FailurePage(BaseModel):
    """Some failures of a batch job."""

    failures: list[FailureRow]
    next: int | None = Field(description="Offset of the next page; null at the end.")


class Health(BaseModel):
    """That the process answers."""

    status: str
