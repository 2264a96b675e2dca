"""`cxrview annotate export`: write settled labels, all readings, or links by view."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.shared import IF_MOVED, ImagesRoot, StudyName, opened
from cxrview.cli.shared.options import refuse_existing
from cxrview.cli.shared.progress import progress
from cxrview.errors import UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.annotate.database.store import ReadingStore
    from cxrview.annotate.labels import SettledImage
    from cxrview.annotate.replaced_files import ContentCheck

_FILES_NAMED = 10
_NOT_BLIND = ("adjudicated", "second look")


def export(
    study: StudyName,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settled labels: .csv (a labels file), .parquet, or .json for Label Studio.",
            show_default=False,
        ),
    ] = None,
    readings: Annotated[
        bool,
        typer.Option(
            "--readings",
            help="Write every action of every reader to FILE instead: who, what, when, how.",
        ),
    ] = False,
    links: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Create frontal/ and lateral/ with links to the images, named by their ids.",
            show_default=False,
        ),
    ] = None,
    one_per: Annotated[
        str | None,
        typer.Option(
            metavar="patient|study",
            help="Only one image of each, drawn at random, and only images with a view.",
            show_default=False,
        ),
    ] = None,
    root: ImagesRoot = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing file or links.")
    ] = False,
) -> None:
    """Write settled labels for training and publishing, or all readings, or links by view.

    The image files are read to check that they are those that the study was created with; a file
    that was replaced is left out and listed.

    Example: cxrview annotate export study.db --out labels.csv

    Exit code: 0 done, 1 done with replaced files listed, 2 usage error, 3 not writable.
    """
    if readings and (one_per or links or not out):
        raise UsageError(
            "--readings needs --out FILE and cannot be combined with --links or --one-per"
        )
    if not (out or links):
        raise UsageError("name --out FILE for a table, --links FOLDER for links, or both")
    if out:
        refuse_existing(out, overwrite)
    with opened(study, root) as store:
        if out and out.suffix.lower() != ".json":
            _report_missing_root(store, out)
        if out and readings:
            from cxrview.annotate.export import export_readings

            typer.echo(f"{plural(export_readings(store, out), 'act')} in {out}")
            return
        found = _export_images(store, out, links, one_per, overwrite=overwrite)
    if found.replaced:
        typer.echo(f"cxrview: {replaced_words(found)}, and left out", err=True)
        raise typer.Exit(1)


def _report_missing_root(store: "ReadingStore", out: Path) -> None:
    """Report missing images on a line; labels may be written nevertheless."""
    from cxrview.annotate.study import missing_root_message

    if lack := missing_root_message(store):
        typer.echo(f"cxrview: {lack}, and {out} names them there. {IF_MOVED}", err=True)


def _export_images(
    store: "ReadingStore",
    out: Path | None,
    links: Path | None,
    one_per: str | None,
    *,
    overwrite: bool,
) -> "ContentCheck":
    from cxrview.annotate.export import (
        chosen_images,
        export_labels,
        export_links,
        unsettled_images,
        without_replaced,
    )

    with progress("files") as advance:
        images, found = without_replaced(store, chosen_images(store, one_per), advance)
    if out:
        export_labels(store, out, images)
        _report_labels(images, out)
    if links:
        count = export_links(store, links, images, overwrite=overwrite)
        typer.echo(f"{plural(count, 'link')} in {links}")
    if left := unsettled_images(store):
        typer.echo(f"{plural(left, 'image is', 'images are')} not settled yet, and left out")
    return found


def _report_labels(images: "Sequence[SettledImage]", out: Path) -> None:
    views = Counter(str(one.view or "") for one in images)
    typer.echo(
        f"{plural(len(images), 'image')} in {out}: {views['frontal']} frontal, "
        f"{views['lateral']} lateral, {views['']} without a view"
    )
    late = sum(str(one.settled.how) in _NOT_BLIND for one in images)
    if late and out.suffix.lower() == ".json":
        typer.echo(
            f"{late} of these were settled by an adjudication or a second look: their labels are "
            "in the file, but cxrview annotate import takes only blind readings"
        )


def replaced_words(found: "ContentCheck") -> str:
    """Return how many files were replaced, with the first of them."""
    from cxrview.results.columns import printable

    names = [printable(image.path) for image in found.replaced[:_FILES_NAMED]]
    more = len(found.replaced) - len(names)
    listed = ", ".join(names) + (f" and {more} more" if more else "")
    what = plural(len(found.replaced), "file was", "files were")
    return f"{what} replaced after the study was created: {listed}"
