"""`cxrview audit`: what is wrong with the headers of an archive, on one page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.audit.page import Audit


def audit(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="VIEWS",
            help="A result of cxrview classify or cxrview merge.",
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
        bool, typer.Option("--no-pictures", help="Make a page without pixels; no image is read.")
    ] = False,
    mask_border: Annotated[
        bool,
        typer.Option(
            "--mask-border",
            help="Cover the outer tenth of each image: burned-in text can show names.",
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Of the random sample of what agrees.")
    ] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a page.")] = False,
) -> None:
    """Report on one HTML page how far the headers of an archive agree with its images.

    Nothing is classified again. The page needs no network: open it in a browser, or print it.

    Exit code: 0 done, 2 usage error, 3 not writable.
    """
    from cxrview.audit.page import PageSettings, write_audit
    from cxrview.cli.shared.extras import needs_extra
    from cxrview.cli.shared.progress import progress
    from cxrview.errors import UsageError

    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{out} is not named as a page", "Name it .html")
    if out.exists() and not overwrite:
        raise UsageError(f"{out} already exists", "Choose another --out, or use --overwrite")
    settings = PageSettings(
        pictures=0 if no_pictures else pictures, masks_border=mask_border, seed=seed
    )
    with needs_extra("audit", "the page of an audit"), progress("images") as advance:
        done = write_audit(table, out, settings, folder=root, on_picture=advance)
    typer.echo(_summary(done))
    typer.echo(f"page in {out}")


def _summary(done: "Audit") -> str:
    counts = done.counts.agreement
    lines = [
        f"{plural(counts.total, 'image')} with a view: {counts.agrees} headers agree, "
        f"{counts.disagrees} disagree, {counts.silent} are silent"
    ]
    lines += [
        f"filtering for {loss.view} images by the header loses {loss.lost} and takes {loss.wrong} "
        "wrong ones"
        for loss in done.counts.losses()
    ]
    return "\n".join(lines)
