"""Result tables of the test images: cutoffs, counts, baselines, slices, modifications."""

from collections.abc import Sequence

from cxrview.assess.classifiers import (
    AS_NAMED,
    BOTH,
    EXTERNAL,
    HEADER,
    HEADER_LEARNT,
    HIGHER_END,
    INSIDE,
    MIDDLE,
    TEST,
    VALIDATION,
)
from cxrview.paper.candidates import PAPERS_CHOICE
from cxrview.paper.published_numbers import CUTOFF, CUTOFF_LOW, TESTED
from cxrview.paper.results import Reproduction, first_of
from cxrview.paper.tables.table import Table
from cxrview.records.evaluation import Assessed, Assessment, Interval, ModifiedCount, Slice
from cxrview.records.model_card import Cutoff
from cxrview.reports.format import (
    NONE,
    format_cutoff,
    format_interval,
    format_points,
    format_right,
    format_share,
    format_sources,
)

SETS = {INSIDE: "inside", EXTERNAL: "external", BOTH: "both together"}
"""Names of the sets of test images, and their words."""
CLASSIFIERS = {
    PAPERS_CHOICE.name: f"{PAPERS_CHOICE.name}\n(chosen in the paper)",
    "lehmann": "nearest neighbours\n(Lehmann 2003)",
    "boone": "perceptron\n(Boone 2003)",
    HEADER: "the header,\nas it is",
    HEADER_LEARNT: "the header, calibrated\non training images",
}
"""Classifiers that were not chosen, in words; others are shown by name."""
_ACCURACY = "Accuracy (95 % interval)"


def format_model_accuracy(one: Assessed) -> str:
    """Give `831 of 832 correct, 99.88 % (99.33–100.00 %), with the cutoff 96.1 % from ...`."""
    table = one.assessment.table
    return (
        f"{format_right(table.right, table.total)} correct, {_accuracy(one.assessment)}, with the "
        f"cutoff {format_cutoff(one.assessment.cutoff)} from "
        f"{'the test images themselves' if one.cutoff_from == TEST else 'validation images'}"
    )


def cutoffs_table(run: Reproduction) -> Table:
    """Table of the cutoffs with the largest Youden's J, on validation and on test images."""
    rows = [("validation images:\nthe default", *_cutoff_cells(run.validation_cutoff), NONE)]
    if best := run.headline.assessment.best:
        paper = f"{CUTOFF_LOW.value} to {CUTOFF.value} %\n{CUTOFF.value} %"
        rows.append(("test images: the paper's\nway, for the report", *_cutoff_cells(best), paper))
    return Table(
        name="cutoffs",
        caption="Cutoffs by Youden's J, steps of 0.1 % (paper, section 6)",
        columns=(
            "Chosen on",
            "Youden's J",
            "Largest from",
            "Largest to: cutoff by the paper's rule",
            "Middle",
            "Paper: range; cutoff",
        ),
        numbers=frozenset(range(1, 6)),
        rows=tuple(rows),
        notes=(
            "Frontal if the PFI, the probability of frontal, is at least the cutoff. A cutoff "
            "chosen on the test images themselves is too favourable; the paper's was.",
            *_other_cutoff(run),
        ),
    )


def _other_cutoff(run: Reproduction) -> tuple[str, ...]:
    """Note a cutoff that differs because the exported model rounds differently."""
    shown = run.headline
    if shown.assessment.cutoff == run.validation_cutoff.high:
        return ()
    return (
        "The exported model gives validation images slightly other PFIs than the trained one, "
        f"and with them the cutoff {format_cutoff(shown.assessment.cutoff)}.",
    )


def _cutoff_cells(cutoff: Cutoff) -> tuple[str, str, str, str]:
    middle = (cutoff.low + cutoff.high) / 2
    ends = (cutoff.low, cutoff.high, middle)
    low, high, middle_words = (format_cutoff(end) for end in ends)
    return f"{cutoff.youden_j:.4f}", low, high, middle_words


def model_table(run: Reproduction) -> Table:
    """Table of the chosen candidate's counts, with every cutoff."""
    rows = run.of_model
    return Table(
        name="network",
        caption=f"The chosen candidate, {run.chosen.name}, on test images (paper, section 6)",
        columns=(
            "Test images",
            "Cutoff",
            "Frontal, called frontal",
            "Frontal, called lateral",
            "Lateral, called frontal",
            "Lateral, called lateral",
            "Right",
            _ACCURACY,
            "Paper",
            *((f"{run.earlier.heading}: {run.earlier.chosen}",) if run.earlier else ()),
        ),
        numbers=frozenset(range(2, 10 if run.earlier else 9)),
        rows=tuple((*_network_row(one), *_earlier_test(run, one)) for one in rows),
        marked=frozenset(
            k for k, one in enumerate(rows) if first_of([one], one.images) is not None
        ),
        notes=(
            "Marked: the cutoff by the paper's rule, chosen on validation images. Intervals of "
            "accuracy are Clopper-Pearson.",
        ),
    )


def _network_row(one: Assessed) -> tuple[str, ...]:
    table = one.assessment.table
    return (
        SETS.get(one.images, one.images),
        _cutoff_words(one),
        f"{table.frontal_called_frontal:,}",
        f"{table.frontal_called_lateral:,}",
        f"{table.lateral_called_frontal:,}",
        f"{table.lateral_called_lateral:,}",
        format_right(table.right, table.total),
        _accuracy(one.assessment),
        _papers_test(one.images) if one.rule == HIGHER_END else NONE,
    )


def _earlier_test(run: Reproduction, one: Assessed) -> tuple[str, ...]:
    """Give the count of an earlier run by the paper's rule for the cutoff."""
    if run.earlier is None:
        return ()
    count = run.earlier.tested.get(one.images)
    if count is None or first_of([one], one.images) is None:
        return (NONE,)
    return (f"{format_right(*count)}\n{format_share(count[0] / count[1])}",)


def _cutoff_words(one: Assessed) -> str:
    if one.rule == AS_NAMED:
        return one.rule
    ends = {HIGHER_END: "higher end", MIDDLE: "middle"}
    images = {VALIDATION: "validation images", TEST: "test images"}
    end, where = ends.get(one.rule, one.rule), images.get(one.cutoff_from, one.cutoff_from)
    return f"{format_cutoff(one.assessment.cutoff)}, {end},\n{where}"


def _accuracy(found: Assessment | Slice | ModifiedCount) -> str:
    """`99.93 % (99.59–100.00 %)`."""
    return f"{format_share(found.table.accuracy)} ({format_interval(found.interval)})"


def _papers_test(images: str) -> str:
    paper = TESTED.get(images)
    if paper is None or paper.right is None or paper.total is None:
        return NONE
    words = f"{format_right(paper.right, paper.total)}\n{paper.percent:g} %"
    if paper.percent_interval:
        low, high = paper.percent_interval
        words += f" ({low:g}–{high:g} %)"
    return words


def classifiers_table(run: Reproduction) -> Table:
    """Table of the chosen candidate, older classifiers and the header."""
    names = list(dict.fromkeys(one.classifier for one in run.assessed))
    return Table(
        name="classifiers",
        caption="The chosen candidate, baselines and the header, on the same partitions",
        columns=("Classifier", "Cutoff", *(SETS[name].capitalize() for name in SETS)),
        rows=tuple(_classifier_row(run, name) for name in names),
        marked=frozenset([names.index(run.chosen.name)]),
        notes=(
            "Correct images of all that were assessed, and accuracy with its exact 95 % "
            "interval. The cutoff is the higher end of the range on validation images; a "
            "header has no cutoff, and an image without a view in its header counts as wrong.",
        ),
    )


def _classifier_row(run: Reproduction, name: str) -> tuple[str, ...]:
    rows = [one for one in run.assessed if one.classifier == name]
    found = [first_of(rows, images) for images in SETS]
    shown = next((one for one in found if one), None)
    return (
        f"{name}\n(chosen)" if name == run.chosen.name else CLASSIFIERS.get(name, name),
        _cutoff_words(shown) if shown else NONE,
        *(_share_and_accuracy(one.assessment) if one else "not assessed" for one in found),
    )


def _share_and_accuracy(found: Assessment) -> str:
    return f"{format_right(found.table.right, found.table.total)}\n{_accuracy(found)}"


def slices_table(run: Reproduction) -> Table:
    """Table of the chosen candidate by source and by manufacturer."""
    return Table(
        name="slices",
        caption="The chosen candidate on test images by source and by manufacturer",
        columns=(
            "Slice",
            "Of",
            "Frontal, right",
            "Lateral, right",
            "Right",
            _ACCURACY,
        ),
        numbers=frozenset(range(2, 6)),
        rows=tuple(_slice_row(one) for one in run.headline.assessment.slices),
        notes=(
            "A slice of few images has a wide interval; manufacturers are known from headers only.",
        ),
    )


def _slice_row(one: Slice) -> tuple[str, ...]:
    table = one.table
    return (
        _slice_name(one),
        one.kind,
        format_right(table.frontal_called_frontal, table.frontal) if table.frontal else NONE,
        format_right(table.lateral_called_lateral, table.lateral) if table.lateral else NONE,
        format_right(table.right, table.total),
        _accuracy(one),
    )


def _slice_name(one: Slice) -> str:
    return format_sources([one.name]) if one.kind == "source" else one.name or "unknown"


def robustness_table(run: Reproduction) -> Table:
    """Table of the chosen candidate on modified test images."""
    return Table(
        name="robustness",
        caption="The chosen candidate on modified test images (paper, Fig 6)"
        + "".join(f": {words}" for words in drawn_words(run.modified)),
        columns=(
            "Modification",
            "Severity",
            "Right",
            _ACCURACY,
            "Frontal, right (95 % interval)",
            "Lateral, right (95 % interval)",
            "Difference, points",
            "Lost",
            "Gained",
        ),
        numbers=frozenset(range(2, 9)),
        rows=tuple(_modified_row(one) for one in run.modified),
        notes=(
            "Lost: correct unmodified and wrong modified; gained: the reverse. Rotation in "
            "degrees, clockwise; cropped to a percentage of rows and columns; text labels by "
            "letters, height in percent and corner.",
        ),
    )


def _modified_row(one: ModifiedCount) -> tuple[str, ...]:
    table = one.table
    return (
        one.modification.replace("-", " "),
        one.severity or NONE,
        format_right(table.right, table.total),
        _accuracy(one),
        _view_cell(table.frontal_called_frontal, table.frontal, one.frontal_interval),
        _view_cell(table.lateral_called_lateral, table.lateral, one.lateral_interval),
        format_points(one.difference),
        f"{one.lost:,}",
        f"{one.gained:,}",
    )


def _view_cell(right: int, total: int, interval: Interval | None) -> str:
    if interval is None:
        return NONE
    return f"{format_share(right / total)}\n({format_interval(interval)})"


def drawn_words(modified: Sequence[ModifiedCount]) -> tuple[str, ...]:
    """Say how many images were modified, if not all."""
    some = dict.fromkeys((m.table.total, m.drawn_from) for m in modified)
    return tuple(
        f"{total:,} of {images:,} test images, drawn by seed"
        for total, images in some
        if total < images
    )
