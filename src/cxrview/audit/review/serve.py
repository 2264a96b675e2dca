"""Serve the pages of a review until the process is stopped."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cxrview.audit.review import PORT
from cxrview.audit.review.app import review_app
from cxrview.audit.review.doubtful_images import read_doubtful_images
from cxrview.audit.review.review_files import open_review_files
from cxrview.audit.review.review_state import Progress
from cxrview.claims.claimed_rows import ClaimSource
from cxrview.web.server import PageServer
from cxrview.web.settings import PictureSettings

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStarted:
    """A review that browsers can open."""

    address: str
    """With the token that opens the page; for the person who started it."""
    decisions: Path
    """The CSV file."""
    progress: Progress
    edited: int
    """Decisions that were changed in the CSV file by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewEnded:
    """What a review left."""

    decisions: Path
    progress: Progress


def serve_review(
    table: Path,
    *,
    decisions: Path | None = None,
    folder: str = "",
    claims: ClaimSource | None = None,
    reader: str | None = None,
    port: int = PORT,
    settings: PictureSettings | None = None,
    when_ready: Callable[[ReviewStarted], object] = lambda started: None,
) -> ReviewEnded:
    """Serve a page that shows doubtful images of a result, to accept or reject the proposed view.

    Only this machine can connect, and only with the token in the address. Each decision is on the
    disk before the page shows it as saved. The CSV file of the decisions is written when the server
    starts, when it ends (SIGINT, SIGTERM, SIGHUP) and on demand;
    `cxrview.audit.decisions.read_decisions` reads it.

    Args:
        table: a result of `cxrview classify` or `cxrview merge`, in any format.
        decisions: the CSV file; `NAME.decisions.csv` beside the result if None. The append-only log
            from which it is written has the same name with .jsonl.
        folder: what relative paths of the result are relative to; where the run stood if empty.
        claims: a metadata table whose views take the place of those of the headers.
        reader: name to be written with each decision; the login name if None.
        port: 0 for any free port.
        settings: of the pictures; None for the defaults.
        when_ready: called once browsers can connect.

    Raises:
        UsageError: the result does not exist, the CSV file was edited and has mistakes, another
            process serves the same review, or the port is in use.
        CannotWrite: the disk is full or fails.
    """
    images = read_doubtful_images(table, claims, folder)
    files = open_review_files(table, decisions, folder)
    try:
        edited = files.save()
        name = _login_name() if reader is None else reader
        who = "table" if claims else "header"
        app = review_app(images, files, reader=_as_text(name), who=who, settings=settings)
        review = app.state.review

        def ready(address: str) -> None:
            when_ready(
                ReviewStarted(
                    address=f"{address}/?token={app.state.access.token}",
                    decisions=files.csv,
                    progress=review.progress(),
                    edited=edited,
                )
            )

        PageServer(app, host=HOST, port=port, when_ready=ready).run()
        with review.paused():
            files.save()
        return ReviewEnded(decisions=files.csv, progress=review.progress())
    finally:
        files.log.close()


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user, as in a container
        return ""


def _as_text(name: str) -> str:
    """A name from the command line may hold bytes that are not UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
