"""A note stands above every figure of an assessment, in the picture and in its description."""

import numpy as np
import pytest

from cxrview.assess.accuracy import assess_pfi
from cxrview.paper.scale import SCALES
from cxrview.reports.figures.pfi_histogram import draw_pfi_histogram
from cxrview.reports.figures.radiographs import draw_examples, draw_gallery, draw_modified
from cxrview.reports.figures.reliability import draw_reliability
from cxrview.reports.figures.style import alt_text, join_notes
from cxrview.reports.figures.youden import draw_youden

SCALED = SCALES["laptop"].words
NOTE = join_notes("drawn phantoms, no patient", "", SCALED)
PICTURE = np.full((1, 16, 16), 90, np.uint8)


def draw_assessment(sets, note):
    external = sets["external"]
    assessment = assess_pfi(external.pfi, external.is_frontal, cutoff=50)
    return draw_reliability(assessment, name="external", note=note)


FIGURES = {
    "histogram": lambda sets, note: draw_pfi_histogram(sets, cutoff=40, note=note),
    "youden": lambda sets, note: draw_youden(sets, note=note),
    "calibration": draw_assessment,
    "examples": lambda sets, note: draw_examples(
        PICTURE, np.array([9.0]), np.array([True]), note=note
    ),
    "modified": lambda sets, note: draw_modified([[("as it was", PICTURE[0], 9.0)]], note=note),
    "failures": lambda sets, note: draw_gallery(
        PICTURE, np.array([True]), np.array([9.0]), ["1, open-i"], note=note
    ),
    "no failure": lambda sets, note: draw_gallery(
        PICTURE[:0], np.zeros(0, bool), np.zeros(0), [], note=note
    ),
}


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_how_a_run_was_scaled_stands_above_every_figure(draw, sets, words):
    figure = draw(sets, NOTE)

    shown = [text for text in words(figure) if "drawn phantoms, no patient\n" in text]
    assert len(shown) == 1
    assert SCALED in " ".join(shown[0].split())
    assert alt_text(figure)[1].startswith(f"drawn phantoms, no patient. {SCALED}. ")


@pytest.mark.slow
@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_a_figure_with_a_long_note_can_be_printed(draw, sets, check_print):
    check_print(lambda: draw(sets, NOTE))


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_a_note_makes_a_figure_higher_and_takes_nothing_from_it(draw, sets):
    plain, noted = draw(sets, ""), draw(sets, NOTE)

    assert noted.get_size_inches()[1] > plain.get_size_inches()[1]
    assert noted.get_size_inches()[0] == plain.get_size_inches()[0]


def test_notes_that_are_empty_leave_nothing_above():
    assert join_notes("", "") == ""
    assert join_notes("", "scaled") == "scaled"
