"""Draw the figures of an assessment, under the names that the page of a reproduction uses.

Fig 4 and the failures show radiographs, which may be of patients. They name no file and no patient.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cxrview.assess.classifiers import (
    BOTH,
    HIGHER_END,
    INSIDE,
    MIDDLE,
    SET,
    VALIDATION,
    images_of,
    is_right,
)
from cxrview.assess.images import AssessmentImages
from cxrview.digests import shuffle_key
from cxrview.records.evaluation import Assessed
from cxrview.records.scores import Scores
from cxrview.reports.figures.pfi_histogram import draw_pfi_histogram
from cxrview.reports.figures.radiographs import draw_examples, draw_gallery
from cxrview.reports.figures.reliability import draw_reliability
from cxrview.reports.figures.style import join_notes, save_figure
from cxrview.reports.figures.youden import draw_youden

HISTOGRAM, EXAMPLES, YOUDEN = "fig-3", "fig-4", "fig-5"
CALIBRATION, FAILURES = "calibration", "failures"
_EXAMPLES_OF_A_VIEW = 4


def write_figures(
    out: Path,
    images: AssessmentImages,
    model_scores: Scores,
    headline: Sequence[Assessed],
    *,
    seed: int = 0,
    note: str = "",
    scale: str = "",
    has_radiographs: bool = True,
) -> dict[str, tuple[Path, Path]]:
    """Draw PFI, cutoff and calibration of the model, examples, and its errors.

    Args:
        out: folder.
        images: of the assessment.
        model_scores: of all of `images.scored` in their order.
        headline: rows; the model's row by the higher end has the cutoff, those of both rules the
        errors.
        seed: draws the examples of Fig 4 among the inside test images.
        note: text above radiographs, such as "drawn phantoms, no patient".
        scale: how the training of the model was scaled, in words; above every figure.
        has_radiographs: also draw Fig 4 and the failures.

    Returns:
        PNG and SVG of each figure, by name.

    Raises:
        CannotWrite: the folder cannot be written.
    """
    by_rule = {
        (row.images, row.rule): row for row in headline if row.classifier == model_scores.classifier
    }
    widest = BOTH if (BOTH, HIGHER_END) in by_rule else INSIDE
    first = by_rule[widest, HIGHER_END]
    sets = {name: of for name, of in images_of(model_scores).items() if name != BOTH}
    figures: dict[str, Figure] = {
        HISTOGRAM: draw_pfi_histogram(sets, cutoff=first.assessment.cutoff, note=scale),
        YOUDEN: draw_youden(sets, note=scale),
        CALIBRATION: draw_reliability(first.assessment, name=widest, note=scale),
    }
    if has_radiographs:
        rows = [first, by_rule[widest, MIDDLE]]
        both = join_notes(note, scale)
        figures[EXAMPLES] = _examples(images, model_scores, seed, both)
        figures[FAILURES] = _failures(images, model_scores, rows, both)
    return {name: save_figure(figure, out, name) for name, figure in figures.items()}


def _examples(images: AssessmentImages, model_scores: Scores, seed: int, note: str) -> Figure:
    inside = model_scores.where(model_scores.facts[SET] == INSIDE)
    keys = [shuffle_key(seed, file) for file in inside.files]
    order = sorted(range(len(inside)), key=keys.__getitem__)
    chosen = [
        k
        for is_frontal in (True, False)
        for k in [k for k in order if inside.is_frontal[k] == is_frontal][:_EXAMPLES_OF_A_VIEW]
    ]
    rows = [images.inside.images[k].row for k in chosen]
    return draw_examples(
        images.inside.store.pixels[rows], inside.pfi[chosen], inside.is_frontal[chosen], note=note
    )


def _failures(
    images: AssessmentImages, model_scores: Scores, rows: Sequence[Assessed], note: str
) -> Figure:
    """Draw images that are wrong by at least one rule; the caption names the rule if it is one."""
    is_test = model_scores.facts[SET] != VALIDATION
    is_wrong = {row.rule: ~is_right(model_scores, row) & is_test for row in rows}
    wrong = np.flatnonzero(np.any(list(is_wrong.values()), axis=0))
    asked = [(one, image) for one in images.scored for image in one.images]
    captions, pixels = [], []
    for number, k in enumerate(wrong, start=1):
        one, image = asked[k]
        pixels.append(one.store.pixels[image.row])
        rules = [rule for rule, wrong_by in is_wrong.items() if wrong_by[k]]
        only = f"\nby the {rules[0]} only" if len(rules) < len(rows) else ""
        captions.append(f"{number}, {image.source or one.name}{only}")
    side = images.inside.store.pixels.shape[1:]
    return draw_gallery(
        np.stack(pixels) if pixels else np.empty((0, *side), np.uint8),
        model_scores.is_frontal[wrong],
        model_scores.pfi[wrong],
        captions,
        note=note,
    )
