"""`cxrview annotate import` and `export`: readings from elsewhere, labels for elsewhere."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from cxrview.cli.annotation_study import IF_MOVED, ImagesRoot, StudyName, opened
from cxrview.errors import UsageError


def import_(
    study: StudyName,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV with file, label or view, and reader; a labels file; or Label Studio's "
            "JSON. Files are named from the study's root or from FILE's folder.",
            show_default=False,
        ),
    ],
    reader: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Who read all of it, where FILE does not say.",
            show_default=False,
        ),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(
            metavar="THERE=HERE",
            help="A reader who has another name in FILE; repeatable.",
            show_default=False,
        ),
    ] = None,
    skip_unknown: Annotated[
        bool,
        typer.Option(
            "--skip-unknown",
            help="Pass over files and labels that the study does not know, and list them.",
        ),
    ] = False,
    root: ImagesRoot = None,
) -> None:
    """Add readings that were made elsewhere, as blind ones. The same file twice changes nothing.

    Readers that the study does not know are added, without a link.

    Exit code: 0 done, 1 done but for what was passed over, 2 refused, and nothing written.
    """
    names = dict(_pair(text) for text in rename or [])
    with opened(study, root) as store:
        from datetime import UTC, datetime

        from cxrview.study.annotation_import import import_readings

        done = import_readings(
            store,
            file,
            now=datetime.now(UTC),
            reader=reader,
            rename=names,
            skip_unknown=skip_unknown,
        )
    for name in done.new_readers:
        typer.echo(f"{name} is new among the readers")
    typer.echo(f"{done.written} readings written, {done.known} were there already")
    if done.not_blind:
        typer.echo(
            f"{done.not_blind} adjudications and second looks in {file} are left out, since they "
            "were not blind: what they settled waits for an adjudicator again"
        )
    for fault in done.passed_over:
        typer.echo(f"cxrview: passed over: {fault}", err=True)
    if done.passed_over:
        raise typer.Exit(1)


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
            help="Into FILE every act of every reader instead: who, what, when, how.",
        ),
    ] = False,
    links: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Lay out frontal/ and lateral/ as links to the images, named by their ids.",
            show_default=False,
        ),
    ] = None,
    one_per: Annotated[
        str | None,
        typer.Option(
            metavar="patient|study",
            help="Only one image of each, drawn, and only images with a view.",
            show_default=False,
        ),
    ] = None,
    root: ImagesRoot = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file or links that stand there.")
    ] = False,
) -> None:
    """Write settled labels for training and publishing, or all readings, or links by view.

    Exit code: 0 done, 2 usage error, 3 not writable.
    """
    if readings and (one_per or links or not out):
        raise UsageError("--readings go into --out FILE, all of them: leave the rest out")
    if not (out or links):
        raise UsageError("name --out FILE for a table, --links FOLDER for links, or both")
    if out and out.exists() and not overwrite:
        raise UsageError(f"{out} exists already", "Replace it with --overwrite")
    with opened(study, root) as store:
        from cxrview.study.annotation_export import (
            chosen_images,
            export_labels,
            export_links,
            export_readings,
            unsettled_images,
        )
        from cxrview.study.annotation_root import missing_images

        # Labels may well be written where there are no images, but not without a word.
        if out and out.suffix.lower() != ".json" and (lack := missing_images(store)):
            typer.echo(f"cxrview: {lack}, and {out} names them there. {IF_MOVED}", err=True)
        if out and readings:
            typer.echo(f"{export_readings(store, out)} acts in {out}")
            return
        images = chosen_images(store, one_per)
        if out:
            export_labels(store, out, images)
            views = Counter(str(one.view or "") for one in images)
            typer.echo(
                f"{len(images)} images in {out}: {views['frontal']} frontal, "
                f"{views['lateral']} lateral, {views['']} without a view"
            )
            late = sum(str(one.settled.how) in _NOT_BLIND for one in images)
            if late and out.suffix.lower() == ".json":
                typer.echo(
                    f"{late} of these were settled by an adjudication or a second look: their "
                    "labels are in the file, but cxrview annotate import takes only blind readings"
                )
        if links:
            count = export_links(store, links, images, overwrite=overwrite)
            typer.echo(f"{count} links in {links}")
        if left := unsettled_images(store):
            typer.echo(f"{left} images are not settled yet, and left out")


_NOT_BLIND = ("adjudicated", "second look")


def _pair(text: str) -> tuple[str, str]:
    there, equals, here = text.partition("=")
    if not (there and equals and here):
        raise UsageError(f"--rename takes THERE=HERE; got {text}")
    return there, here
