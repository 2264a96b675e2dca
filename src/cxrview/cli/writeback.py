"""`cxrview writeback`: corrected DICOM from a result."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.claim_options import (
    ClaimKey,
    Claims,
    ClaimView,
    CollectionName,
    claim_source,
    correct_table,
    preview_table,
)
from cxrview.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cxrview.records.classification import Failure
    from cxrview.writeback.copy_file import Correction
    from cxrview.writeback.finding import Selection
    from cxrview.writeback.person_views import PersonView
    from cxrview.writeback.plan import Plan
    from cxrview.writeback.run import WritebackResult
    from cxrview.writeback.settings import CorrectionSettings

SHOWN_FILES = 5
"""Files whose changes a dry run shows, unless told otherwise."""


def writeback(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="VIEWS",
            help="A result of cxrview classify or cxrview merge: Parquet, CSV, JSON Lines or a "
            "folder of Parquet parts.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder for the copies.", show_default=False),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="copies|sr|changes|table",
            help="Corrected copies of the files, a structured report for each study, the list of "
            "changes alone, or the table of --claims with corrected views.",
        ),
    ] = "copies",
    decisions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="Decisions of cxrview audit --serve, perhaps edited by hand. They replace what "
            "VIEWS proposes; unreadable images are not written.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settled labels of an annotation study, from cxrview annotate export. Labels PA, "
            "AP, LL and RL are written as View Position. A table of cxrview merge holds the "
            "labels already, but only as frontal and lateral.",
            show_default=False,
        ),
    ] = None,
    only_decided: Annotated[
        bool,
        typer.Option(
            "--only-decided",
            help="Write only what persons decided: the images of --decisions and --labels, and "
            "readers' labels in VIEWS. What the model alone says is left out.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; write nothing.")
    ] = False,
    show: Annotated[
        int, typer.Option(min=0, metavar="N", help="Files that --dry-run reads and shows.")
    ] = SHOWN_FILES,
    root: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            help="What relative paths in VIEWS are relative to.",
            show_default="where the result was made",
        ),
    ] = "",
    with_agreeing: Annotated[
        bool,
        typer.Option("--with-agreeing", help="Write also files whose header is right already."),
    ] = False,
    keep_uid: Annotated[
        bool,
        typer.Option(
            "--keep-uid", help="Keep each SOP Instance UID, to replace images in their archive."
        ),
    ] = False,
    keep_position: Annotated[
        bool,
        typer.Option(
            "--keep-position", help="Leave a View Position that contradicts the view as it is."
        ),
    ] = False,
    deidentified: Annotated[
        bool,
        typer.Option(
            "--deidentified",
            help="Leave out what de-identification removes (PS3.15): Original Attributes "
            "Sequence, Contribution DateTime and Contribution Description.",
        ),
    ] = False,
    workers: Annotated[
        int, typer.Option(min=0, metavar="N", help="Processes.", show_default="one per core")
    ] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a run that was interrupted.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier write-back to FOLDER.")
    ] = False,
    claims: Claims = None,
    claim_key: ClaimKey = "",
    claim_view: ClaimView = "",
    collection: CollectionName = "",
) -> None:
    """Write the views that were found into corrected copies of the DICOM files.

    Only classified images and what persons decided are written. The input is never touched, and no
    byte of Pixel Data changes.

    Exit code: 0 done, 1 done with failures listed, 2 usage error, 3 stopped.
    """
    from cxrview.cli.shared.extras import needs_extra
    from cxrview.cli.shared.progress import progress
    from cxrview.errors import UsageError
    from cxrview.results.side_files import run_folder
    from cxrview.writeback.person_views import PersonViews
    from cxrview.writeback.run import preview, write_back
    from cxrview.writeback.settings import WritebackForm

    if form == "table":
        source = claim_source(claims, claim_key, claim_view, collection)
        said = PersonViews(_persons(decisions, labels), root or run_folder(table))
        if dry_run:
            preview_table(table, source, said, root=root, only_persons=only_decided, most=show)
        else:
            correct_table(
                table,
                source,
                said,
                out,
                root=root,
                only_persons=only_decided,
                overwrite=overwrite,
            )
        return
    if form not in set(WritebackForm):
        raise UsageError(f"--as {form} is not known", "Use copies, sr, changes or table")
    if form == WritebackForm.SR:
        with needs_extra("sr", "a structured report"):
            import highdicom  # noqa: F401 (asked for before any file is read)
    settings = _settings(keep_uid, keep_position, deidentified)
    persons = _persons(decisions, labels)
    if dry_run:
        found = preview(
            table,
            settings,
            persons=persons,
            folder=root,
            with_agreeing=with_agreeing or form == WritebackForm.SR,
            only_persons=only_decided,
            most=show,
        )
        _print_preview(*found)
        return
    if out is None:
        raise UsageError("no folder is named for the copies", "Add --out FOLDER, or use --dry-run")
    with progress("files") as advance:
        result = write_back(
            table,
            out,
            settings,
            form=WritebackForm(form),
            persons=persons,
            folder=root,
            with_agreeing=with_agreeing,
            only_persons=only_decided,
            resume=resume,
            overwrite=overwrite,
            workers=workers,
            on_progress=advance,
        )
    _report(result, out, form)
    raise typer.Exit(result.exit_code)


def _settings(keep_uid: bool, keep_position: bool, deidentified: bool) -> "CorrectionSettings":
    from cxrview.writeback.settings import ConflictingPosition, CorrectionSettings

    return CorrectionSettings(
        keep_uid=keep_uid,
        deidentified=deidentified,
        position=ConflictingPosition.KEEP if keep_position else ConflictingPosition.EMPTY,
    )


def _persons(decisions: Path | None, labels: Path | None) -> "list[PersonView]":
    """What persons decided: of an image in both files, the decision counts."""
    from cxrview.audit.decisions import read_decisions
    from cxrview.writeback.person_views import read_settled_labels, views_of_decisions

    settled = read_settled_labels(labels) if labels else []
    decided = views_of_decisions(read_decisions(decisions)) if decisions else []
    return [*settled, *decided]


def _print_preview(
    selection: "Selection", plan: "Plan", outcomes: "Sequence[Correction | Failure]"
) -> None:
    from cxrview.records.classification import Failure

    for outcome in outcomes:
        if isinstance(outcome, Failure):
            _print_failure(outcome)
        else:
            _print_changes(outcome)
    refused = f", {len(plan.refused)} refused" if plan.refused else ""
    typer.echo(
        f"{plural(len(plan.findings), 'file')} to write{refused}{_left_out(selection.left_out)}"
    )


def _print_changes(one: "Correction") -> None:
    from cxrview.results.columns import printable

    typer.echo(printable(one.source))
    for change in one.changes:
        typer.echo(f"  {change.tag} {change.keyword}: {change.old or '-'} -> {change.new or '-'}")
    if not one.changes:
        typer.echo("  nothing to change")


def _print_failure(one: "Failure") -> None:
    from cxrview.results.columns import printable

    typer.echo(f"{printable(one.path)}\n  refused: {one.reason}. {one.advice}")


def _report(result: "WritebackResult", out: Path, form: str) -> None:
    done = {"copies": "corrected", "sr": "reported", "changes": "to be corrected"}[form]
    unchanged = f", {result.unchanged} need no change" if result.unchanged else ""
    typer.echo(
        f"{plural(result.written, 'file')} {done}{unchanged}, {len(result.failures)} refused"
        f"{_left_out(result.left_out)}"
    )
    if result.both_views:
        typer.echo(
            f"{plural(len(result.both_views), 'CR series holds', 'CR series hold')} frontal and "
            "lateral images. View Position belongs to the series there and cannot be right for both"
        )
    if result.failures:
        typer.echo(f"refused files are listed in {out}.failures.csv", err=True)
    typer.echo(f"changes in {out}.changes.csv")


def _left_out(counts: "dict[str, int]") -> str:
    words = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in sorted(counts.items()))
    return f"; not written: {words}" if words else ""
