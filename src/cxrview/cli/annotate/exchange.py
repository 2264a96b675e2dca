"""`cxrview annotate import`, `imports` and `export`: exchange readings and labels as files."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.shared import IF_MOVED, ImagesRoot, StudyName, opened
from cxrview.cli.shared.options import refuse_existing
from cxrview.cli.shared.progress import progress
from cxrview.errors import UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.annotate.content import ContentCheck

_FILES_NAMED = 10


def import_(
    study: StudyName,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="CSV with file, label or view, and reader; a labels file; or Label Studio's "
            "JSON. Files are named from the study's root or from FILE's folder.",
            show_default=False,
        ),
    ] = None,
    reader: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The reader of all rows, if FILE does not name readers.",
            show_default=False,
        ),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(
            metavar="THERE=HERE",
            help="The name of a reader in FILE and in the study; repeatable.",
            show_default=False,
        ),
    ] = None,
    skip_unknown: Annotated[
        bool,
        typer.Option(
            "--skip-unknown",
            help="Skip files and labels that are not in the study, and list them.",
        ),
    ] = False,
    root: ImagesRoot = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report what would be written, and write nothing.")
    ] = False,
    undo: Annotated[
        int | None,
        typer.Option(
            metavar="ID",
            help="Withdraw the readings of that import instead; see cxrview annotate imports.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Import blind readings that were made outside of cxrview. Importing a file twice is harmless.

    Readers that are not in the study yet are added, without a link. With --undo, the readings of an
    import do not count any more; they stay in the study's log, and the file may be imported again.

    Example: cxrview annotate import study.db readings.csv --dry-run

    Exit code: 0 done, 1 done with rows skipped, 2 refused and nothing written.
    """
    if undo is not None:
        if file or reader or rename or skip_unknown or dry_run:
            raise UsageError("--undo ID cannot be combined with other options")
        _undo(study, undo)
        return
    if file is None:
        raise UsageError("name the FILE to import, or --undo ID to undo an import")
    names = dict(_pair(text) for text in rename or [])
    with opened(study, root) as store:
        from datetime import UTC, datetime

        from cxrview.annotate.import_ import import_readings

        done = import_readings(
            store,
            file,
            now=datetime.now(UTC),
            reader=reader,
            rename=names,
            skip_unknown=skip_unknown,
            is_dry=dry_run,
        )
    for name in done.new_readers:
        typer.echo(f"{name} {'would be' if dry_run else 'is'} new among the readers")
    verb = "would be written" if dry_run else "written"
    typer.echo(
        f"{plural(done.written, 'reading')} {verb}, "
        f"{plural(done.known, 'was', 'were')} already there"
    )
    if done.number is not None:
        typer.echo(f"this is import {done.number}: --undo {done.number} reverses it")
    for pair in done.alike:
        typer.echo(
            f"cxrview: {pair.first} and {pair.second} gave the same verdict on all "
            f"{plural(pair.images, 'image')} that both read: are they one person under two names?",
            err=True,
        )
    if done.not_blind:
        typer.echo(
            f"{done.not_blind} adjudications and second looks in {file} are left out, since they "
            "were not blind: an adjudicator must settle these images again"
        )
    for fault in done.passed_over:
        typer.echo(f"cxrview: skipped: {fault}", err=True)
    if done.passed_over:
        raise typer.Exit(1)


def imports(study: StudyName) -> None:
    """List all imports with the numbers by which they can be undone.

    Example: cxrview annotate imports study.db

    Exit code: 0 done, 2 usage error.
    """
    with opened(study) as store:
        found = store.imports()
    for one in found:
        file = one.file or "a file whose name was not kept"
        state = f", undone {one.undone:%Y-%m-%d %H:%M} UTC" if one.undone else ""
        typer.echo(
            f"{one.number}: {plural(one.readings, 'reading')} of {file}, "
            f"{one.happened:%Y-%m-%d %H:%M} UTC{state}"
        )
    if not found:
        typer.echo("nothing was imported into this study")


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
        from cxrview.annotate.export import (
            chosen_images,
            export_labels,
            export_links,
            export_readings,
            unsettled_images,
            without_replaced,
        )
        from cxrview.annotate.study import missing_root_message

        # Labels may be written although the images are missing, but a line reports it.
        if out and out.suffix.lower() != ".json" and (lack := missing_root_message(store)):
            typer.echo(f"cxrview: {lack}, and {out} names them there. {IF_MOVED}", err=True)
        if out and readings:
            typer.echo(f"{plural(export_readings(store, out), 'act')} in {out}")
            return
        with progress("files") as advance:
            images, found = without_replaced(store, chosen_images(store, one_per), advance)
        if out:
            export_labels(store, out, images)
            views = Counter(str(one.view or "") for one in images)
            typer.echo(
                f"{plural(len(images), 'image')} in {out}: {views['frontal']} frontal, "
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
            typer.echo(f"{plural(count, 'link')} in {links}")
        if left := unsettled_images(store):
            typer.echo(f"{plural(left, 'image is', 'images are')} not settled yet, and left out")
        if found.replaced:
            typer.echo(f"cxrview: {replaced_words(found)}, and left out", err=True)
            raise typer.Exit(1)


def replaced_words(found: "ContentCheck") -> str:
    """Return how many files were replaced, with the first of them."""
    from cxrview.results.columns import printable

    names = [printable(image.path) for image in found.replaced[:_FILES_NAMED]]
    more = len(found.replaced) - len(names)
    listed = ", ".join(names) + (f" and {more} more" if more else "")
    what = plural(len(found.replaced), "file was", "files were")
    return f"{what} replaced after the study was created: {listed}"


def _undo(study: str, number: int) -> None:
    with opened(study) as store:
        done = store.undo_import(number)
        closed = store.blind_round_closed()
    typer.echo(
        f"import {number} is undone: its "
        f"{plural(done.readings, 'reading does', 'readings do')} not count any more"
    )
    if closed:
        typer.echo(
            "cxrview: the blind round is closed: the file cannot be imported again, and images may "
            "lack a reading",
            err=True,
        )


_NOT_BLIND = ("adjudicated", "second look")


def _pair(text: str) -> tuple[str, str]:
    there, equals, here = text.partition("=")
    if not (there and equals and here):
        raise UsageError(f"--rename takes THERE=HERE; got {text}")
    return there, here
