"""Draws the figures of a finished study, with radiographs of patients or with phantoms."""

import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cxrview.assess.assess import headline
from cxrview.assess.classifiers import VALIDATION
from cxrview.assess.figures import EXAMPLES, write_figures
from cxrview.assess.robustness_run import score_modified_images
from cxrview.image import read_radiograph, squash
from cxrview.paper.figures.candidates import draw_candidates
from cxrview.paper.figures.flow import Flow, draw_flow
from cxrview.paper.reproduce import StudyResult
from cxrview.phantom.archive import draw_archive
from cxrview.reports.figures.radiographs import draw_examples, draw_modified
from cxrview.reports.figures.style import PHANTOM_NOTE, join_notes, save_figure
from cxrview.terms import View

FLOW, CANDIDATES, MODIFIED = "fig-1", "fig-2", "fig-6"
OF_PHANTOMS = frozenset({EXAMPLES, MODIFIED})
"""Figures that show phantoms if no patient may be shown."""
_PHANTOMS = 4
"""Number of phantoms of each view."""

Pixels = NDArray[np.uint8]


def draw_study_figures(
    studied: StudyResult, flow: Flow, out: Path, *, is_of_phantoms: bool
) -> dict[str, Path]:
    """Draw Figs 1 to 6, the calibration curve and the failure gallery, as PNG and SVG.

    Args:
        studied: a finished study.
        flow: the counts of Fig 1.
        out: folder.
        is_of_phantoms: show phantoms and their PFI instead of radiographs, and no gallery of
            failures.

    Returns:
        The SVG files by name, such as `fig-1`.

    Raises:
        CannotWrite: the disk is full or not writable.
    """
    choice = studied.choice
    note = PHANTOM_NOTE if is_of_phantoms or studied.plan.is_drawn else ""
    drawn = write_figures(
        out,
        studied.images,
        studied.assessment.scores[0],
        headline(studied.assessment.assessed, VALIDATION),
        seed=studied.plan.seed,
        note=note,
        scale=choice.scale_words,
        has_radiographs=not is_of_phantoms,
    )
    figures = {
        FLOW: draw_flow(flow),
        CANDIDATES: draw_candidates(
            choice.validated, choice.compared, chosen=choice.chosen, note=choice.scale_words
        ),
    }
    if is_of_phantoms:
        pixels, is_frontal = _phantoms(studied.plan.seed)
        pfi = studied.model.pfi(pixels)
        figures[EXAMPLES] = draw_examples(
            pixels, pfi, is_frontal, note=join_notes(note, choice.scale_words)
        )
    else:
        pixels, is_frontal = _one_of_each_view(studied)
    figures[MODIFIED] = _draw_modified(
        studied, pixels, is_frontal, join_notes(note, choice.scale_words)
    )
    drawn |= {name: save_figure(figure, out, name) for name, figure in figures.items()}
    return {name: svg for name, (_, svg) in sorted(drawn.items())}


def _one_of_each_view(studied: StudyResult) -> tuple[Pixels, NDArray[np.bool_]]:
    """Choose one inside test image of each view, by seed."""
    inside = studied.images.inside
    order = np.random.default_rng(studied.plan.seed).permutation(len(inside))
    chosen = [next(int(k) for k in order if inside.images[k].view is view) for view in View]
    pixels = np.concatenate([inside.pixels(k, k + 1) for k in chosen])
    return pixels, inside.is_frontal[chosen]


def _phantoms(seed: int) -> tuple[Pixels, NDArray[np.bool_]]:
    """Draw a few phantoms of each view, and read them from DICOM like any radiograph."""
    with tempfile.TemporaryDirectory() as place:
        archive = Path(place) / "phantoms"
        drawn = draw_archive(
            archive,
            patients=2 * _PHANTOMS,
            size=(512, 420),
            seed=seed,
            damages=(),
            strangers=False,
        )
        chosen = [one for view in View for one in [d for d in drawn if d.view is view][:_PHANTOMS]]
        pictures = [squash(read_radiograph(str(archive / one.file)).pixels) for one in chosen]
    return np.stack(pictures), np.array([one.view is View.FRONTAL for one in chosen])


def _draw_modified(
    studied: StudyResult, pixels: Pixels, is_frontal: NDArray[np.bool_], note: str
) -> Figure:
    """Draw the first frontal and the first lateral image, unmodified and modified as in Fig 6."""
    firsts = [pixels[is_frontal == view][0] for view in (True, False)]
    shown = [score_modified_images(first, studied.model.answer) for first in firsts]
    rows = [[(one.title, one.pixels, one.pfi) for one in each] for each in shown]
    return draw_modified(rows, headings=("Frontal", "Lateral"), note=note)
