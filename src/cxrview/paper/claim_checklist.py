"""Fills in the CLAIM checklist of 2020 from the results of a run."""

import re
from pathlib import Path
from typing import Any

from cxrview.assess.classifiers import HEADER, HEADER_LEARNT, MIDDLE, VALIDATION
from cxrview.atomic_files import write_atomic
from cxrview.paper.candidates import FINE_TUNINGS
from cxrview.paper.page import (
    DRAWN_WORDS,
    TITLE,
    calibration_sentence,
    patient_sentence,
    result_sentences,
)
from cxrview.paper.published_numbers import CITATION, DOI, IMAGES
from cxrview.paper.results import Reproduction
from cxrview.paper.tables.assessment import SETS, drawn_words
from cxrview.paper.tables.comparisons import LEVEL, order_sentences
from cxrview.paper.tables.validation import choice_sentences
from cxrview.records.evaluation import Assessed, Assessment, ModifiedCount
from cxrview.reports.figures.radiographs import MAX_IMAGES
from cxrview.reports.format import (
    fill_template,
    format_count,
    format_interval,
    format_points,
    format_right,
    format_share,
    format_sources,
)
from cxrview.stats import exact_interval

ITEMS = 42
_SPLITS = {
    "patient": "patient, drawn by seed",
    "image": "image, drawn by seed, as in the paper",
    "rule": "a published rule on the patient's name",
}
_LEVELS = {
    "patient": "Patient.",
    "image": "Image: a patient may be in two partitions, as in the paper.",
    "rule": "Patient.",
}


def write_claim(reproduction: Reproduction, path: Path) -> None:
    """Write the checklist atomically.

    Args:
        reproduction: the results.
        path: .md; an existing checklist is replaced.

    Raises:
        CannotWrite: the disk is full or not writable.

    Source:
        Mongan, Moy, Kahn 2020 (Radiol Artif Intell 2(2):e200029).
    """
    write_atomic(path, render_claim(reproduction))


def render_claim(reproduction: Reproduction) -> str:
    """Give the checklist as Markdown."""
    # Markdown: `as_words` escapes names, since HTML entities would be shown as they are.
    return fill_template(
        "cxrview.paper", "claim.md", _context(reproduction), is_html=False, finalize=as_words
    )


def as_words(value: object) -> object:
    """Escape a name for Markdown and HTML, and keep it on one line."""
    if not isinstance(value, str):
        return value
    one_line = re.sub(r"\s*[\r\n]\s*", " ", value)
    return re.sub(r"[\\`*_\[\]|#]|[<&](?=[A-Za-z/!?#])", r"\\\g<0>", one_line)


def _context(run: Reproduction) -> dict[str, Any]:
    flow = run.flow
    table = run.headline.assessment.table
    placed = sum(part.images for part in flow.partitions.values())
    return {
        "run": run,
        "items": ITEMS,
        "title": TITLE,
        "citation": CITATION,
        "doi": DOI,
        "drawn_words": DRAWN_WORDS,
        "level": LEVEL,
        "methods": FINE_TUNINGS.values(),
        "choice": choice_sentences(run),
        "orders": order_sentences(run),
        "results": result_sentences(run),
        "inside_sources": format_sources(run.sources),
        "externals": flow.externals,
        "external_sources": format_sources(external.name for external in flow.externals),
        "external_level": _external_level(run),
        "name": lambda source: format_sources([source]),
        "external_images": sum(external.drawn.images for external in flow.externals),
        "parts": {str(name): part for name, part in flow.partitions.items()},
        "paper_images": {name: round(number.value) for name, number in IMAGES.items()},
        "placed": placed,
        "split_words": _SPLITS[run.split_by],
        "level_words": _LEVELS[run.split_by],
        "has_header": any(one.classifier in (HEADER, HEADER_LEARNT) for one in run.assessed),
        "worst": min(run.modified[1:], key=lambda one: one.table.accuracy, default=None),
        "validation_accuracy": format_share(run.validated[run.chosen].accuracy),
        "assessed": [_diagnostic(found) for name in SETS if (found := run.assessed_on(name))],
        "modified_of": "".join(f", {words}" for words in drawn_words(run.modified)),
        "wrong_by_middle": _wrong_by_middle(run),
        "gallery_holds": MAX_IMAGES,
        "wrong": table.total - table.right,
        "tested": table.total,
        "calibration": calibration_sentence(run),
        "patient_words": patient_sentence(run),
        "shows_failures": "failures" in run.figures,
        "count": format_count,
        "share": format_share,
        "points": format_points,
        "accuracy": _accuracy,
    }


def _accuracy(found: Assessment | ModifiedCount) -> str:
    table = found.table
    return (
        f"{format_right(table.right, table.total)}, {format_share(table.accuracy)} "
        f"({format_interval(found.interval)})"
    )


def _external_level(run: Reproduction) -> str:
    """Say which patients the external images belong to, as far as the run knows."""
    named = format_sources(external.name for external in run.flow.externals)
    if run.external_in_labels is None:
        words = "whether they are in the labels file of the inside images is not known."
    elif run.external_in_labels:
        words = (
            "from the labels file of the inside images, and no patient of them is in a partition."
        )
    else:
        words = (
            "from another labels file than the inside images. No image is in both; whether a "
            "patient is in both is not known, since patients of two files may have the same name."
        )
    both = sorted({one.name for one in run.flow.externals} & set(run.sources))
    also = f" These sources are also inside: {format_sources(both)}." if both else ""
    return f"External images, of {named}: {words}{also}"


def _wrong_by_middle(run: Reproduction) -> int | None:
    """Count errors on all test images; None if the middle of the range was not assessed."""
    for one in run.of_model:
        if (one.images, one.rule, one.cutoff_from) == (run.test_images, MIDDLE, VALIDATION):
            return one.assessment.table.total - one.assessment.table.right
    return None


def _diagnostic(one: Assessed) -> str:
    """Give accuracy, sensitivity and specificity with exact intervals of one test set."""
    table = one.assessment.table
    words = [f"Test images, {SETS[one.images]}: accuracy {_accuracy(one.assessment)}"]
    for name, right, total in (
        ("sensitivity for frontal", table.frontal_called_frontal, table.frontal),
        ("specificity", table.lateral_called_lateral, table.lateral),
    ):
        if total:
            interval = format_interval(exact_interval(right, total))
            words.append(
                f"{name} {format_right(right, total)}, {format_share(right / total)} ({interval})"
            )
    return "; ".join(words) + "."
