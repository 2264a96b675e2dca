"""What a run was given, and how long it took."""

from cxrview.show.figures.flow import Counted
from cxrview.show.figures.wording import write_count
from cxrview.show.paper import IMAGES
from cxrview.show.reproduction import Reproduction
from cxrview.show.tables.table import Table
from cxrview.show.wording import write_seconds


def parts_table(run: Reproduction) -> Table:
    """Images of each partition, and of each external set."""
    inside = ", ".join(run.sources)
    rows = [
        _part_row(str(name), inside, counted, str(name))
        for name, counted in run.flow.partitions.items()
    ]
    rows += [_part_row("test, external", e.name, e.drawn, "external") for e in run.flow.externals]
    return Table(
        name="images",
        caption="Images of the study before augmentation (paper, section 1)",
        columns=("Partition", "Source", "Images", "Frontal", "Lateral", "Patients", "Paper"),
        numbers=frozenset(range(2, 7)),
        rows=tuple(rows),
        notes=_other_images(run),
    )


def _part_row(name: str, source: str, counted: Counted, paper: str) -> tuple[str, ...]:
    numbers = (counted.images, counted.frontal, counted.lateral, counted.patients)
    return (name, source, *map(write_count, numbers), write_count(round(IMAGES[paper].value)))


def _other_images(run: Reproduction) -> tuple[str, ...]:
    flow, words = run.flow, []
    if flow.left_out:
        words.append(f"Readable and in no partition: {write_count(flow.left_out, 'images')}.")
    if flow.unreadable:
        words.append(f"Labelled and not readable: {write_count(flow.unreadable, 'files')}.")
    words += [
        f"{e.name}: {e.drawn.images:,} of {write_count(e.labelled.images, 'images')} were assessed."
        for e in flow.externals
        if e.drawn.images < e.labelled.images
    ]
    words += [
        f"Augmentation makes {write_count(made.images, 'images')} of "
        f"{write_count(made.progenitors, 'progenitors')} for {partition}; in the paper "
        f"{IMAGES[f'augmented {partition}'].value:,.0f}."
        for partition, made in flow.made.items()
    ]
    return tuple(words)


def times_table(run: Reproduction) -> Table:
    """Wall time of each stage."""
    total = sum(run.seconds.values())
    rows = [(stage, write_seconds(took)) for stage, took in run.seconds.items()]
    return Table(
        name="times",
        caption="Wall time of each stage" + (f", on {run.machine}" if run.machine else ""),
        columns=("Stage", "Time"),
        numbers=frozenset([1]),
        rows=(*rows, ("together", write_seconds(total))),
    )
