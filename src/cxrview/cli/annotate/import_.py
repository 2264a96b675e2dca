"""`cxrview annotate import` and `imports`: add readings made outside of cxrview, and undo it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.shared import ImagesRoot, StudyName, opened
from cxrview.errors import UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.annotate.import_ import Imported


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
    _report(done, file, is_dry=dry_run)
    if done.skipped:
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


def _report(done: "Imported", file: Path, *, is_dry: bool) -> None:
    for name in done.new_readers:
        typer.echo(f"{name} {'would be' if is_dry else 'is'} new among the readers")
    verb = "would be written" if is_dry else "written"
    typer.echo(
        f"{plural(done.written, 'reading')} {verb}, "
        f"{plural(done.known, 'was', 'were')} already there"
    )
    if done.number is not None:
        typer.echo(f"this is import {done.number}: --undo {done.number} reverses it")
    for pair in done.identical_readers:
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
    for fault in done.skipped:
        typer.echo(f"cxrview: skipped: {fault}", err=True)


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


def _pair(text: str) -> tuple[str, str]:
    there, equals, here = text.partition("=")
    if not (there and equals and here):
        raise UsageError(f"--rename takes THERE=HERE; got {text}")
    return there, here
