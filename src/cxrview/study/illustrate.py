"""Draws the figures of a finished study; those with radiographs of patients, or of phantoms."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.classifiers import (
    BOTH,
    HIGHER_END,
    INSIDE,
    SET,
    VALIDATION,
    images_of,
)
from cxrview.image import read_radiograph, squash
from cxrview.phantom.archive import draw_archive
from cxrview.records import Assessed, Scores
from cxrview.show.figures.candidates import draw_candidates
from cxrview.show.figures.examples import draw_examples
from cxrview.show.figures.flow import Flow, draw_flow
from cxrview.show.figures.gallery import draw_gallery
from cxrview.show.figures.modified import draw_modified
from cxrview.show.figures.pfi_histogram import draw_pfi_histogram
from cxrview.show.figures.reliability import draw_reliability
from cxrview.show.figures.style import save_figure
from cxrview.show.figures.youden import draw_youden
from cxrview.study.assessment_images import ImageSet
from cxrview.study.reproduce import Studied
from cxrview.study.robustness import score_modified_images
from cxrview.terms import View

PHANTOM_NOTE = "drawn phantoms, no patient"
_EXAMPLES = 4
"""Of each view."""

Pixels = NDArray[np.uint8]


def draw_study_figures(
    studied: Studied, flow: Flow, out: Path, *, is_of_phantoms: bool
) -> dict[str, Path]:
    """Draw Figs 1 to 6, the calibration curve and the failure gallery, as PNG and SVG.

    Args:
        studied: a study that ran to its end.
        flow: the counts of Fig 1.
        out: folder.
        is_of_phantoms: show phantoms, and what the chosen model says of them, where there
            would be radiographs; and no gallery of failures.

    Returns:
        Name, such as `fig-1`, to its SVG.

    Raises:
        CannotWrite: the disk took no more.
    """
    choice, network = studied.choice, studied.assessment.scores[0]
    sets = images_of(network)
    counted = network_row(studied)
    pixels, is_frontal = _phantoms(studied) if is_of_phantoms else _examples(studied)
    note = PHANTOM_NOTE if is_of_phantoms or studied.plan.is_drawn else ""
    pfi = studied.model.backend.run(pixels)
    figures = {
        "fig-1": draw_flow(flow),
        "fig-2": draw_candidates(
            choice.validated, choice.compared, chosen=choice.chosen, note=choice.scale_words
        ),
        "fig-3": draw_pfi_histogram(_apart(sets), cutoff=counted.assessment.cutoff),
        "fig-4": draw_examples(pixels, pfi, is_frontal, note=note),
        "fig-5": draw_youden(_apart(sets)),
        "fig-6": draw_modified(
            [_modified(studied, pixels[is_frontal == view][0]) for view in (True, False)],
            headings=("Frontal", "Lateral"),
            note=note,
        ),
        "calibration": draw_reliability(counted.assessment, name=counted.images),
    }
    if not is_of_phantoms:
        figures["failures"] = _draw_failures(studied, network, counted.assessment.cutoff, note)
    return {name: save_figure(figure, out, name)[1] for name, figure in figures.items()}


def network_row(studied: Studied) -> Assessed:
    """The chosen candidate on all test images, by the paper's rule on validation images."""
    rows = {
        row.images: row
        for row in studied.assessment.assessed
        if row.classifier == studied.choice.chosen.name
        and (row.cutoff_from, row.rule) == (VALIDATION, HIGHER_END)
    }
    return rows.get(BOTH) or rows[INSIDE]


def _apart(sets: dict[str, Scores]) -> dict[str, Scores]:
    """Those that figures draw a panel of; they add one of both together themselves."""
    return {name: scores for name, scores in sets.items() if name != BOTH and len(scores)}


def _examples(studied: Studied) -> tuple[Pixels, NDArray[np.bool_]]:
    """A few of the inside test images, drawn by seed: first frontal, then lateral."""
    inside = studied.images.inside
    order = np.random.default_rng(studied.plan.seed).permutation(len(inside))
    chosen: list[int] = []
    for view in View:
        of_view = [int(k) for k in order if inside.images[k].view is view]
        chosen += of_view[:_EXAMPLES]
    return _pixels(inside, chosen), inside.is_frontal[chosen]


def _phantoms(studied: Studied) -> tuple[Pixels, NDArray[np.bool_]]:
    """As many phantoms, read from DICOM as any radiograph is."""
    with tempfile.TemporaryDirectory() as place:
        drawn = draw_archive(
            Path(place) / "phantoms",
            patients=2 * _EXAMPLES,
            size=(512, 420),
            seed=studied.plan.seed,
            damages=(),
            strangers=False,
        )
        chosen = [
            one
            for view in View
            for one in [each for each in drawn if each.view is view][:_EXAMPLES]
        ]
        pictures = [
            squash(read_radiograph(str(Path(place) / "phantoms" / one.file)).pixels)
            for one in chosen
        ]
    return np.stack(pictures), np.array([one.view is View.FRONTAL for one in chosen])


def _modified(studied: Studied, pixels: Pixels) -> list[tuple[str, Pixels, float]]:
    shown = score_modified_images(pixels, studied.model.backend.run)
    return [(one.title, one.pixels, one.pfi) for one in shown]


def _draw_failures(studied: Studied, network: Scores, cutoff: float, note: str):  # type: ignore[no-untyped-def]
    """Test images called wrong, the surest first."""
    tested = network.where(network.facts[SET] != VALIDATION)
    is_wrong = (tested.pfi >= cutoff) != tested.is_frontal
    wrong = tested.where(is_wrong)
    order = np.argsort(-np.abs(wrong.pfi - cutoff), kind="stable")
    places = {
        (one.name, image.file): (one, k)
        for one in studied.images.asked
        for k, image in enumerate(one.images)
    }
    pictures, captions = [], []
    for number, k in enumerate(order, start=1):
        one, row = places[str(wrong.facts[SET][k]), str(wrong.files[k])]
        pictures.append(_pixels(one, [row])[0])
        captions.append(f"{number}, {one.images[row].source}")
    side = studied.model.card.input_side
    stacked = np.stack(pictures) if pictures else np.empty((0, side, side), np.uint8)
    return draw_gallery(stacked, wrong.is_frontal[order], wrong.pfi[order], captions, note=note)


def _pixels(images: ImageSet, chosen: Sequence[int]) -> Pixels:
    return np.concatenate([images.pixels(k, k + 1) for k in chosen])
