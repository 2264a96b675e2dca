"""`cxrview assess archive`: how often a result is wrong about its archive."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.annotate.shared import opened
from cxrview.cli.shared.extras import needs_extra
from cxrview.cli.shared.options import OverwriteFlag, RootOption, in_path, out_folder
from cxrview.errors import CannotWrite, UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.records.evaluation import ArchiveError, Interval, SampledShare


def archive_command(
    views: Annotated[Path, in_path("VIEWS", "A result of cxrview classify.")],
    labels: Annotated[
        str,
        typer.Option(
            metavar="STUDY",
            help="An annotation study (cxrview annotate) of images of this archive.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        out_folder("shares.csv, strata.csv and wrong.csv; without it they are only printed."),
    ] = None,
    root: RootOption = None,
    overwrite: OverwriteFlag = False,
) -> None:
    """Measure how often a result is wrong about an archive, by what readers said of a sample.

    Shares are counted and, by stratum, weighted to the whole archive; with exact intervals.
    Needs what the extra named annotate installs.

    Exit code: 0 done, 2 usage error, 3 folder not writable.
    """
    with needs_extra("annotate", "annotation"):
        import scipy.stats  # noqa: F401 (imported late by the library)

        from cxrview.annotate.archive_error import archive_error
    with opened(labels) as store:
        from cxrview.annotate.archive_error import STRATA, labelled_rows, write_archive_error

        if out and (out / STRATA).exists() and not overwrite:
            raise UsageError(f"{out} already holds tables", "Replace them with --overwrite")
        found = archive_error(labelled_rows(views, store, root=root))
    typer.echo("\n".join(_lines(found)))
    if out:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"{out} cannot be created: {error.strerror}") from error
        write_archive_error(out, found)
        typer.echo(f"tables in {out}")


def _lines(found: "ArchiveError") -> Iterator[str]:
    names = [stratum.name or "all" for stratum in found.strata]
    width = max(len("stratum"), *map(len, names))
    yield f"{'stratum':{width}}    archive    drawn  compared  with view    wrong"
    for name, stratum in zip(names, found.strata, strict=True):
        yield (
            f"{name:{width}}  {stratum.archive:9,.0f}  {stratum.drawn:7,}  {stratum.compared:8,}"
            f"  {stratum.with_view:9,}  {stratum.wrong:7,}"
        )
    for share in found.shares:
        yield from _share_lines(share)
    if found.unsettled:
        unsettled = plural(
            found.unsettled,
            "image is not settled yet. If it is a conflict, which is",
            "images are not settled yet. If they are conflicts, which are",
        )
        yield f"{unsettled} harder than the rest, the true error is larger"
    if found.without_row:
        yield plural(
            found.without_row,
            "settled image has no row in the result and is not counted",
            "settled images have no row in the result and are not counted",
        )


def _share_lines(share: "SampledShare") -> Iterator[str]:
    yield (
        f"{share.name}: {share.hits:,} of {share.images:,} = "
        f"{_percent(share.hits / share.images)}, exact 95 % interval {_interval(share.interval)}"
    )
    yield (
        f"  in the archive, weighted by stratum: {_percent(share.weighted)} "
        f"({_interval(share.weighted_interval)})"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _interval(interval: "Interval") -> str:
    return f"{100 * interval.low:.2f} to {100 * interval.high:.2f} %"
