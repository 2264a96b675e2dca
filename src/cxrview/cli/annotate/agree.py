"""`cxrview annotate agree`: report kappa between and within readers, and reading rates."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from cxrview.cli.annotate.shared import StudyName, opened
from cxrview.wording import plural

Row = Mapping[str, Any]


def agree(
    study: StudyName,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all of it as JSON, for publishing.")
    ] = False,
) -> None:
    """Report the agreement between readers (Cohen's kappa with interval) and their reading rate.

    Intervals are 95 % intervals. Only blind readings count; an exclusion is a separate class. The
    agreement of a reader with themselves comes from hidden repeats (create --repeat-share).

    Example: cxrview annotate agree study.db --json

    Exit code: 0 done, 2 usage error.
    """
    with opened(study) as store:
        from cxrview.annotate.agreement import agreement_of

        found = agreement_of(store)
    if as_json:
        import json

        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    typer.echo("\n".join(_lines(found)))


def _lines(found: Row) -> Iterator[str]:
    for pair in found["between"]:
        yield f"{pair['first']} and {pair['second']}: {_kappa(pair)}"
        yield from _table(pair, pair["first"], pair["second"])
    if not found["between"]:
        yield "no two readers have read one image blind"
    for own in found["within"]:
        yield f"{own['reader']}, second reading: {_kappa(own)}"
        yield from _table(own, "first", "second")
    for row in found["pace"]:
        for means, called in (("single", "image by image"), ("grid", "on pages")):
            if row[means]["readings"]:
                yield f"{row['reader']}, {called}: {_pace(row[means])}"
    for row in found["late"]:
        acts = f"{row['acts']} act{'' if row['acts'] == 1 else 's'}"
        yield f"{row['reader']}: {acts} came after the blind round was closed and count"


def _kappa(row: Row) -> str:
    counts = f"{row['agreed']} of {plural(row['images'], 'image')} alike"
    if row["kappa"] is None:
        return (
            f"{counts}; kappa is not defined, and has no interval, "
            "since both gave every image the same label"
        )
    from cxrview.annotate.agreement import write_kappa

    kappa, low, high = (write_kappa(row[name]) for name in ("kappa", "low", "high"))
    return f"kappa {kappa} ({low} to {high}), {counts}"


def _table(row: Row, first: str, second: str) -> Iterator[str]:
    """Format a confusion table; rows are the first reader's, unused labels are left out."""
    counts = row["table"]
    said = [
        k for k in range(len(row["labels"])) if sum(counts[k]) or sum(line[k] for line in counts)
    ]
    labels = [row["labels"][k] for k in said]
    corner = f"{first} \\ {second}"
    first_width = max(len(text) for text in (corner, *labels))
    widths = [max(len(label), 6) for label in labels]
    heading = "".join(f"  {name:>{w}}" for name, w in zip(labels, widths, strict=True))
    yield f"  {corner:{first_width}}{heading}"
    for label, k in zip(labels, said, strict=True):
        cells = [counts[k][j] for j in said]
        line = "".join(f"  {count:>{w}}" for count, w in zip(cells, widths, strict=True))
        yield f"  {label:{first_width}}{line}"


def _pace(row: Row) -> str:
    text = plural(row["readings"], "reading")
    if row["images_per_hour"] is not None:
        text += f", {plural(round(row['images_per_hour']), 'image')} an hour"
    if row["median_milliseconds"] is not None:
        text += f", median {row['median_milliseconds'] / 1000:.2f} s"
    return text
