"""`cxrview audit`: what is wrong with the headers of an archive, on one page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.audit.review import PORT
from cxrview.cli.audit_serve import (
    Decisions,
    Port,
    Reader,
    Serve,
    check_needs_serve,
    serve_decisions,
)
from cxrview.cli.shared.claim_options import (
    ClaimKey,
    Claims,
    ClaimView,
    CollectionName,
    claim_source,
    key_problem_lines,
)
from cxrview.cli.shared.run_options import FLAG
from cxrview.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cxrview.audit.audit_table import Audit


def audit(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="VIEWS",
            help="A result of cxrview classify, merge or concat.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.html", help="The page.")] = Path("audit.html"),
    root: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            help="What relative paths in VIEWS are relative to.",
            show_default="where the result was made",
        ),
    ] = "",
    pictures: Annotated[
        int, typer.Option(min=0, metavar="N", help="Images shown in one section.")
    ] = 60,
    no_pictures: Annotated[
        bool,
        typer.Option(
            "--no-pictures", metavar=FLAG, help="Make a page without pixels; no image is read."
        ),
    ] = False,
    mask_border: Annotated[
        bool,
        typer.Option(
            "--mask-border",
            metavar=FLAG,
            help="Cover the outer tenth of each image: burned-in text can show names.",
        ),
    ] = False,
    show_paths: Annotated[
        bool,
        typer.Option(
            "--show-paths",
            metavar=FLAG,
            help="Print paths of images and keys of --claims on the page: names of folders can "
            "name patients.",
        ),
    ] = False,
    claims: Claims = None,
    claim_key: ClaimKey = "",
    claim_view: ClaimView = "",
    collection: CollectionName = "",
    seed: Annotated[
        int, typer.Option(metavar="N", help="Of the random sample of what agrees.")
    ] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", metavar=FLAG, help="Replace a page.")
    ] = False,
    serve: Serve = False,
    decisions: Decisions = None,
    reader: Reader = None,
    port: Port = PORT,
) -> None:
    """Report on one HTML page how far headers, or the table of --claims, agree with the images.

    Nothing is classified again. The page needs no network: open it in a browser, or print it.
    With --serve, accept or reject the proposed views in the browser instead.

    Exit code: 0 done, 2 usage error, 3 not writable.
    """
    from cxrview.audit.audit_table import PageSettings
    from cxrview.audit.page import check_page_name, unused_keys_beside, write_audit
    from cxrview.cli.shared.extras import needs_extra
    from cxrview.cli.shared.progress import progress

    claim_table = claim_source(claims, claim_key, claim_view, collection)
    if serve:
        serve_decisions(
            table,
            decisions,
            root=root,
            claims=claim_table,
            reader=reader,
            port=port,
            mask_border=mask_border,
        )
        return
    check_needs_serve(decisions, reader)
    settings = PageSettings(
        pictures=0 if no_pictures else pictures,
        masks_border=mask_border,
        shows_paths=show_paths,
        seed=seed,
        claims=claim_table,
    )
    with needs_extra("audit", "the page of an audit"):
        check_page_name(out, overwrite=overwrite)
    with progress("images") as advance:
        done = write_audit(table, out, settings, folder=root, on_picture=advance)
    for line in audit_lines(done):
        typer.echo(line)
    if done.key_problems:
        typer.echo(f"keys that are not used are listed in {unused_keys_beside(out)}")
    typer.echo(f"page in {out}")


def audit_lines(done: "Audit") -> "Iterator[str]":
    """The counts of an audit for the terminal."""
    counts = done.counts.agreement
    who = "table" if done.matches else "header"
    if done.matches:
        yield (
            f"{plural(done.matches.found, 'key')} of {len(done.matches.table.claims)} name images; "
            f"{plural(done.matches.without_claim, 'image')} without a key"
        )
        yield from key_problem_lines(done.key_problems)
        yield (
            f"{plural(counts.total, 'image')} with a view: the table agrees with {counts.agrees}, "
            f"disagrees with {counts.disagrees}, is silent about {counts.silent}"
        )
        if done.patients:
            yield (
                f"{plural(done.patients.wrong, 'patient')} with a wrong view in the table, "
                f"{done.patients.missing} with a missing one"
            )
    else:
        yield (
            f"{plural(counts.total, 'image')} with a view: {counts.agrees} headers agree, "
            f"{counts.disagrees} disagree, {counts.silent} are silent"
        )
    if done.is_silent:
        yield "no header names a view: if the views stand in a metadata table, use --claims"
    for loss in done.counts.losses():
        yield (
            f"filtering for {loss.view} images by the {who} loses {loss.lost} and takes "
            f"{loss.wrong} wrong ones"
        )
    for loss in done.counts.other_losses_by_position().values():
        yield (
            f"filtering for {loss.view} images by View Position alone loses {loss.lost} and takes "
            f"{loss.wrong} wrong ones"
        )
    yield from _pose_lines(done, who)
    if done.unread:
        yield (
            f"{plural(done.unread, 'image')} of the page could not be read again: has the archive "
            "moved? --root names its folder"
        )


def _pose_lines(done: "Audit", who: str) -> "Iterator[str]":
    """Orientation of the images, and the projections; nothing of a model that does not say so."""
    poses = done.poses
    if not poses.images:
        return
    turns = ", ".join(
        f"{poses.rotations[degrees]} by {degrees}°"
        for degrees in (90, 180, 270)
        if poses.rotations[degrees]
    )
    yield (
        f"{poses.turned} turned{f' ({turns})' if turns else ''}, {poses.mirrored[True]} mirrored, "
        f"{poses.inverted[True]} inverted; the model is not sure of the "
        f"orientation of {poses.unsure} of {plural(poses.images, 'image')}"
    )
    found = poses.projection_agreement()
    if found.total:
        yield (
            f"AP or PA of {plural(found.total, 'frontal image')}: the {who} agrees with "
            f"{found.agrees}, disagrees with {found.disagrees}, is silent about {found.silent}; "
            f"the model is not sure of {found.unsure}"
        )
