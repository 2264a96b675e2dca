"""Fig 1: flow of images through collection, selection, partitions and models, with counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from cxrview.paper.candidates import CANDIDATES, FINE_TUNINGS, PRE_TRAININGS, Candidate
from cxrview.reports.figures.style import (
    BLACK,
    FULL_WIDTH_MM,
    GREY,
    LINE_MM,
    PALE,
    axes_at,
    describe_note,
    in_print,
    new_figure,
    note_height,
    note_lines,
)
from cxrview.reports.format import format_count, format_share, format_sources
from cxrview.terms import Partition


@dataclass(frozen=True, slots=True)
class Box:
    """A frame with text: its lower left corner and its size in mm."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Horizontal centre."""
        return self.left + self.width / 2

    @property
    def top(self) -> float:
        """Upper edge."""
        return self.bottom + self.height


def draw_box(
    axis: Axes,
    box: Box,
    heading: str,
    lines: list[str],
    *,
    dashed: bool = False,
    filled: bool = False,
) -> None:
    """Draw a box with a bold heading, which may have several lines, and lines below it.

    A box without lines is a frame for other boxes: its heading is at the top, unless filled.
    """
    axis.add_patch(
        FancyBboxPatch(
            (box.left, box.bottom),
            box.width,
            box.height,
            boxstyle="round,pad=0,rounding_size=1",
            facecolor=PALE if filled else "white",
            edgecolor=BLACK,
            linewidth=1.4 if filled else 0.6,
            linestyle="--" if dashed else "-",
        )
    )
    if not lines and not filled:
        axis.text(box.middle, box.top - 2, heading, ha="center", va="top", weight="bold")
        return
    rows = [*heading.split("\n"), *lines] if heading else lines
    bold = len(rows) - len(lines)
    for k, text in enumerate(rows):
        axis.text(
            box.middle,
            box.bottom + box.height / 2 + LINE_MM * ((len(rows) - 1) / 2 - k),
            text,
            ha="center",
            va="center",
            weight="bold" if k < bold else "normal",
        )


def draw_line(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a line between two points."""
    axis.plot(*zip(start, end, strict=True), color=BLACK, linewidth=0.8, solid_capstyle="butt")


def draw_arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow from one point to another."""
    axis.annotate(
        "",
        end,
        start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": BLACK,
            "linewidth": 0.8,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 7,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCounts:
    """Numbers of images, patients and views."""

    images: int
    patients: int
    frontal: int
    lateral: int

    def __post_init__(self) -> None:
        if self.frontal + self.lateral != self.images:
            raise ValueError(f"an image is frontal or lateral; got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentedCounts:
    """Images of one partition after augmentation."""

    progenitors: int
    """Fewer than the images of the partition where the run is scaled."""
    images: int
    """All variants, with the progenitors themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSet:
    """A test set of another source, on which no candidate was trained or chosen."""

    name: str
    labelled: ImageCounts
    drawn: ImageCounts
    """The images that were assessed: readable, and in the sample where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The counts of one run of the study."""

    labelled: ImageCounts
    """Images of the inside sources."""
    unreadable: int
    left_out: int
    """Readable, and in no partition."""
    partitions: Mapping[Partition, ImageCounts]
    """All three."""
    made: Mapping[Partition, AugmentedCounts]
    """By partition, training and validation."""
    accuracies: Mapping[Candidate, float]
    """Of all nine candidates on the validation images, 0 to 1."""
    chosen: Candidate
    externals: tuple[ExternalSet, ...] = ()
    note: str = ""
    """Such as how the run was scaled."""

    def __post_init__(self) -> None:
        placed = sum(part.images for part in self.partitions.values())
        if placed + self.unreadable + self.left_out != self.labelled.images:
            raise ValueError(
                f"{self.labelled.images} images are not {placed} in partitions, "
                f"{self.unreadable} unreadable and {self.left_out} left out"
            )
        if set(self.partitions) != set(Partition):
            raise ValueError(f"a flow has three partitions; got {sorted(self.partitions)}")
        missing = [c.name for c in CANDIDATES if c not in self.accuracies]
        if missing:
            raise ValueError(f"no accuracy of {', '.join(missing)}")


MAX_EXTERNALS = 3
"""More boxes side by side would be too narrow for their text."""


def add_up(counts: Iterable[ImageCounts]) -> ImageCounts:
    """Add up counts; patients of different sets are counted as different people."""
    each = list(counts)
    return ImageCounts(
        images=sum(one.images for one in each),
        patients=sum(one.patients for one in each),
        frontal=sum(one.frontal for one in each),
        lateral=sum(one.lateral for one in each),
    )


def boxed_externals(flow: Flow) -> tuple[ExternalSet, ...]:
    """Choose the external sets that get a column: each one, or one for all if there are many."""
    each = flow.externals
    if len(each) <= MAX_EXTERNALS:
        return each
    return (
        ExternalSet(
            name=f"{len(each)} sources",
            labelled=add_up(one.labelled for one in each),
            drawn=add_up(one.drawn for one in each),
        ),
    )


_EDGE, _GAP, _HEIGHT_MM = 2.0, 4.0, 168.0


@in_print
def draw_flow(flow: Flow) -> Figure:
    """Draw boxes and arrows from the labelled images to the assessed model.

    Source:
        Paper, Fig 1, with the counts of the run. More than MAX_EXTERNALS external sets share one
        box.
    """
    lines = note_lines(flow.note, FULL_WIDTH_MM)
    height = _HEIGHT_MM + note_height(lines)
    figure = new_figure(
        FULL_WIDTH_MM,
        height,
        title="Flow of images through the study",
        description=describe_note(flow.note) + _describe(flow),
        layout=None,
    )
    figure.text(0.01, 0.995, "\n".join(lines), va="top", color=GREY)
    axis = axes_at(figure, 0, 0, FULL_WIDTH_MM, height)
    axis.set_xlim(0, FULL_WIDTH_MM)
    axis.set_ylim(0, height)
    axis.set_axis_off()
    columns = _columns(3 + len(boxed_externals(flow)))
    partitions = _draw_selection(axis, flow, columns)
    models = _draw_training(axis, flow, columns, partitions)
    _draw_assessment(axis, flow, columns, partitions[Partition.TEST], models)
    return figure


def _columns(number: int) -> list[tuple[float, float]]:
    """Left edge and width of each column."""
    width = (FULL_WIDTH_MM - 2 * _EDGE - (number - 1) * _GAP) / number
    return [(_EDGE + k * (width + _GAP), width) for k in range(number)]


def _draw_selection(
    axis: Axes, flow: Flow, columns: list[tuple[float, float]]
) -> dict[Partition, Box]:
    left, width = columns[0][0], sum(columns[2]) - columns[0][0]
    labelled = Box(left, 146, width, 17)
    draw_box(axis, labelled, "Labelled radiographs, inside", _count_wide(flow.labelled))
    out = Box(left + width / 2 + 6, 129, width / 2 - 6, 11)
    draw_box(
        axis,
        out,
        "",
        [f"{format_count(flow.unreadable)} unreadable", f"{format_count(flow.left_out)} left out"],
        dashed=True,
    )
    down = labelled.middle
    draw_line(axis, (down, labelled.bottom), (down, 124))
    draw_arrow(axis, (down, 134.5), (out.left, 134.5))
    boxes = {
        part: Box(at, 94, across, 24)
        for part, (at, across) in zip(Partition, columns[:3], strict=True)
    }
    draw_line(axis, (boxes[Partition.TRAINING].middle, 124), (boxes[Partition.TEST].middle, 124))
    for part, box in boxes.items():
        draw_arrow(axis, (box.middle, 124), (box.middle, box.top))
        draw_box(axis, box, part.value.capitalize(), _count_tall(flow.partitions[part]))
    return boxes


def _draw_training(
    axis: Axes, flow: Flow, columns: list[tuple[float, float]], partitions: Mapping[Partition, Box]
) -> Box:
    left, width = columns[0][0], sum(columns[1]) - columns[0][0]
    models = Box(left, 6, width, 48)
    for part in (Partition.TRAINING, Partition.VALIDATION):
        above, made = partitions[part], flow.made[part]
        box = Box(above.left, 66, above.width, 20)
        draw_arrow(axis, (above.middle, above.bottom), (above.middle, box.top))
        draw_box(
            axis,
            box,
            "Augmented",
            [format_count(made.images, "images"), f"made of {format_count(made.progenitors)}"],
        )
        draw_arrow(axis, (box.middle, box.bottom), (box.middle, models.top))
        verb = "train" if part is Partition.TRAINING else "compare"
        axis.text(box.middle + 1.5, 60, verb, va="center", color=GREY)
    draw_box(axis, models, "Nine candidates: validation\naccuracy, %; the chosen one shaded", [])
    _draw_candidates(axis, models, flow)
    return models


def _draw_candidates(axis: Axes, frame: Box, flow: Flow) -> None:
    head, row = 13.0, 9.0
    width = (frame.width - head - 2) / 3
    top = frame.top - 10
    for k, fine in enumerate(FINE_TUNINGS):
        at = frame.left + head + (k + 0.5) * width
        axis.text(at, top - 3.5, fine.replace("-", "-\n"), ha="center", va="center", fontsize=7)
    for r, pre in enumerate(PRE_TRAININGS):
        bottom = top - 8 - (r + 1) * row
        text = pre.replace("-", "-\n")
        axis.text(frame.left + 2, bottom + row / 2, text, va="center", fontsize=7)
        for k, fine in enumerate(FINE_TUNINGS):
            box = Box(frame.left + head + k * width + 1, bottom + 1, width - 2, row - 2)
            candidate = Candidate(pre_training=pre, fine_tuning=fine)
            accuracy = format_share(flow.accuracies[candidate]).removesuffix(" %")
            if candidate == flow.chosen:
                draw_box(axis, box, accuracy, [], filled=True)
            else:
                draw_box(axis, box, "", [accuracy])


def _draw_assessment(
    axis: Axes, flow: Flow, columns: list[tuple[float, float]], test: Box, models: Box
) -> None:
    left = columns[2][0] + 4
    box = Box(left, 20, sum(columns[-1]) - left, 22)
    drawn = [external.drawn.images for external in flow.externals]
    total = flow.partitions[Partition.TEST].images + sum(drawn)
    lines = [flow.chosen.name, f"on {format_count(total, 'test images')}"]
    if drawn:
        lines.append("inside and external, together and each alone")
    draw_box(axis, box, "The chosen model assessed", _wrapped(lines, box.width))
    draw_arrow(axis, (models.left + models.width, 31), (box.left, 31))
    middle = max(test.middle, box.left + 4)
    draw_arrow(axis, (middle, test.bottom), (middle, box.top))
    for external, (at, width) in zip(boxed_externals(flow), columns[3:], strict=True):
        labelled, sample = Box(at, 134, width, 29), Box(at, 94, width, 24)
        draw_box(
            axis,
            labelled,
            f"External:\n{format_sources([external.name])}",
            _count_tall(external.labelled),
        )
        draw_box(axis, sample, "External test", _count_tall(external.drawn))
        draw_arrow(axis, (sample.middle, labelled.bottom), (sample.middle, sample.top))
        draw_arrow(axis, (sample.middle, sample.bottom), (sample.middle, box.top))


def _count_wide(counted: ImageCounts) -> list[str]:
    return [
        f"{format_count(counted.images, 'images')} of {format_count(counted.patients, 'patients')}",
        f"{format_count(counted.frontal)} frontal, {format_count(counted.lateral)} lateral",
    ]


def _count_tall(counted: ImageCounts) -> list[str]:
    return [
        format_count(counted.images, "images"),
        format_count(counted.patients, "patients"),
        f"{format_count(counted.frontal)} frontal",
        f"{format_count(counted.lateral)} lateral",
    ]


def _wrapped(lines: list[str], width_mm: float) -> list[str]:
    letters = int(width_mm / 1.55)
    return [part for line in lines for part in wrap(line, letters)]


def _describe(flow: Flow) -> str:
    parts = "; ".join(
        f"{part.value}: {', '.join(_count_tall(counted))}"
        for part, counted in flow.partitions.items()
    )
    externals = "; ".join(
        f"{format_sources([e.name])}: {', '.join(_count_tall(e.drawn))}, "
        f"of {format_count(e.labelled.images)} labelled"
        for e in flow.externals
    )
    return (
        f"{', '.join(_count_wide(flow.labelled))}; {format_count(flow.unreadable)} unreadable, "
        f"{format_count(flow.left_out)} left out. {parts}. External: {externals or 'none'}. "
        f"Chosen of nine candidates: {flow.chosen.name}."
    )
