"""Tables of the images and the run time of a study."""

from collections.abc import Sequence

from cxrview.paper.figures.flow import ExternalSet, ImageCounts, add_up
from cxrview.paper.published_numbers import IMAGES
from cxrview.paper.results import Reproduction
from cxrview.paper.tables.table import Table
from cxrview.reports.format import NONE, format_count, format_seconds, format_sources


def parts_table(run: Reproduction) -> Table:
    """Table of the images of each partition and of each external set."""
    inside = format_sources(run.sources)
    rows = [
        _part_row(str(name), inside, counted, str(name))
        for name, counted in run.flow.partitions.items()
    ]
    rows += _external_rows(run.flow.externals)
    return Table(
        name="images",
        caption="Images of the study before augmentation (paper, section 1)",
        columns=("Partition", "Source", "Images", "Frontal", "Lateral", "Patients", "Paper"),
        numbers=frozenset(range(2, 7)),
        rows=tuple(rows),
        notes=_other_images(run),
    )


def _external_rows(externals: Sequence[ExternalSet]) -> list[tuple[str, ...]]:
    """One row per set, and the sum of several, since the paper has only one set."""
    name, paper = "test, external", "external"
    if len(externals) == 1:
        return [_part_row(name, format_sources([e.name]), e.drawn, paper) for e in externals]
    rows = [_part_row(name, format_sources([e.name]), e.drawn, "") for e in externals]
    if rows:
        total = add_up(e.drawn for e in externals)
        rows.append(_part_row(name, f"all {len(rows)} together", total, paper))
    return rows


def _part_row(name: str, source: str, counted: ImageCounts, paper: str) -> tuple[str, ...]:
    """Make one row; `paper` names the paper's number, if there is one."""
    numbers = (counted.images, counted.frontal, counted.lateral, counted.patients)
    papers = format_count(round(IMAGES[paper].value)) if paper else NONE
    return (name, source, *map(format_count, numbers), papers)


def _other_images(run: Reproduction) -> tuple[str, ...]:
    flow, words = run.flow, []
    if flow.left_out:
        words.append(f"Readable and in no partition: {format_count(flow.left_out, 'images')}.")
    if flow.unreadable:
        words.append(f"Labelled and not readable: {format_count(flow.unreadable, 'files')}.")
    words += [
        f"{format_sources([e.name])}: {e.drawn.images:,} of "
        f"{format_count(e.labelled.images, 'images')} were assessed."
        for e in flow.externals
        if e.drawn.images < e.labelled.images
    ]
    words += [
        f"Augmentation makes {format_count(made.images, 'images')} of "
        f"{format_count(made.progenitors, 'progenitors')} for {partition}; in the paper "
        f"{IMAGES[f'augmented {partition}'].value:,.0f}."
        for partition, made in flow.made.items()
    ]
    return tuple(words)


def times_table(run: Reproduction) -> Table:
    """Table of the wall time of each stage."""
    total = sum(run.seconds.values())
    rows = [(stage, format_seconds(took)) for stage, took in run.seconds.items()]
    return Table(
        name="times",
        caption="Wall time of each stage" + (f", on {run.machine}" if run.machine else ""),
        columns=("Stage", "Time"),
        numbers=frozenset([1]),
        rows=(*rows, ("together", format_seconds(total))),
    )
