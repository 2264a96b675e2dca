"""`cxrview assess VIEWS --labels STUDY`: this archive's own error, printed."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cxrview.cli.annotate.shared import opened
from cxrview.cli.shared.extras import annotation_extra
from cxrview.errors import CannotWrite, UsageError
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.records import ArchiveError, Interval, SampledShare


def assess_archive(
    table: Path, study: str, out: Path | None, root: Path | None, *, overwrite: bool
) -> None:
    """Print how often a result is wrong by the readers of a study; write it where asked to.

    Raises:
        UsageError: as `labelled_rows` and `archive_error`, or files stand in `out`.
    """
    with annotation_extra():
        import scipy.stats  # noqa: F401 (loaded late by what is imported here)

        from cxrview.annotate.archive_error import archive_error
    with opened(study) as store:
        from cxrview.annotate.archive_error import STRATA, labelled_rows, write_archive_error

        if out and (out / STRATA).exists() and not overwrite:
            raise UsageError(f"{out} holds tables already", "Replace them with --overwrite")
        found = archive_error(labelled_rows(table, store, root=root))
    typer.echo("\n".join(_lines(found)))
    if out:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"{out} cannot be made: {error.strerror}") from error
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
            "image is not settled yet; where it is a conflict, which is",
            "images are not settled yet; where these are conflicts, which are",
        )
        yield f"{unsettled} harder than the rest, the error is larger than it looks"
    if found.without_row:
        yield plural(
            found.without_row,
            "settled image has no row in the result, and does not count",
            "settled images have no row in the result, and do not count",
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
