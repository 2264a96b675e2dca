"""`cxrview audit --serve`: accept or reject proposed views in the browser."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.audit.review.review_state import Progress
    from cxrview.audit.review.serve import ReviewStarted
    from cxrview.claims.claimed_rows import ClaimSource

Serve = Annotated[
    bool,
    typer.Option(
        "--serve",
        help="Make no page; accept or reject proposed views in the browser, on this machine only, "
        "until Ctrl-C.",
    ),
]
Decisions = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.csv",
        help="With --serve: the decisions, for cxrview writeback --decisions.",
        show_default="VIEWS with .decisions.csv",
    ),
]
Reader = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="With --serve: who decides.", show_default="your login name"),
]
Port = Annotated[
    int, typer.Option(min=0, max=65535, help="With --serve: port; 0 for any free port.")
]


def serve_decisions(
    table: Path,
    decisions: Path | None,
    *,
    root: str,
    claims: "ClaimSource | None",
    reader: str | None,
    port: int,
    mask_border: bool,
) -> None:
    """Serve the pages until Ctrl-C, and print what was decided."""
    from cxrview.cli.shared.extras import needs_extra

    with needs_extra("audit", "the pages of an audit"):
        from cxrview.audit.review.serve import serve_review
        from cxrview.web.settings import PictureSettings

        settings = PictureSettings(masks_border=mask_border)
    with suppress(KeyboardInterrupt):  # the usual way to stop it
        ended = serve_review(
            table,
            decisions=decisions,
            folder=root,
            claims=claims,
            reader=reader,
            port=port,
            settings=settings,
            when_ready=_print_started,
        )
        written = f"; decisions in {ended.decisions}" if ended.decisions.exists() else ""
        typer.echo(f"{_count(ended.progress)}{written}")


def check_needs_serve(decisions: Path | None, reader: str | None) -> None:
    """Refuse options that mean nothing for a page.

    Raises:
        UsageError: one of them is given.
    """
    from cxrview.errors import UsageError

    for option, value in (("--decisions", decisions), ("--reader", reader)):
        if value is not None:
            raise UsageError(
                f"{option} is about decisions, and a page takes none",
                "Add --serve to accept or reject in the browser",
            )


def _print_started(started: "ReviewStarted") -> None:
    if started.edited:
        edited = plural(started.edited, "decision was", "decisions were")
        typer.echo(f"{edited} edited in {started.decisions}")
    typer.echo(f"{_count(started.progress)}; open {started.address}")


def _count(progress: "Progress") -> str:
    total = plural(progress.total, "image", form=",")
    return f"{progress.decided:,} of {total} decided"
