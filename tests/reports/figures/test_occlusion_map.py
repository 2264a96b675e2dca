"""The picture of an occlusion map."""

import io

import numpy as np
import pytest
from PIL import Image

from cxrview.classify.explain import Explanation
from cxrview.records.classification import Instance, Prediction
from cxrview.reports.figures.occlusion_map import caption, draw_overlay, explanation_png
from cxrview.terms import Decision, View


def explanation(change: np.ndarray, decision: Decision, **more: object) -> Explanation:
    view = View.FRONTAL if decision is Decision.CLASSIFIED else None
    instance = Instance(path="/secret/NAME.dcm", content_id="", manufacturer="NAME")
    return Explanation(
        prediction=Prediction(
            instance=instance, decision=decision, view=view, pfi=98.5, chest=97.25, model_id="m"
        ),
        pixels=np.full((256, 256), 100, np.uint8),
        square=64,
        starts=np.array([0, 64, 128, 192]),
        pfi_change=change,
        **more,
    )


@pytest.mark.parametrize("decision", [Decision.CLASSIFIED, Decision.REVIEW, Decision.NOT_CHEST])
def test_explanation_png_has_both_panels_and_no_header_value(decision):
    change = np.zeros((4, 4))
    change[0, 3] = -20.0
    pixels = np.full((400, 200), 100, np.uint8)

    made = explanation_png(explanation(change, decision, chest_change=change), pixels)

    picture = Image.open(io.BytesIO(made))
    picture.load()
    assert picture.mode == "RGB"
    assert not picture.info
    assert picture.width > 2 * 320 and picture.height > 640  # 640 x 320 twice, and text
    assert "NAME" not in "".join(caption(explanation(change, decision)))


def test_draw_overlay_is_blue_where_covering_lowers_pfi_and_orange_where_it_raises_it():
    change = np.zeros((4, 4))
    change[0, 3], change[3, 0] = -20.0, 10.0
    found = explanation(change, Decision.CLASSIFIED)

    overlay = draw_overlay(found, np.full((512, 256), 100, np.uint8), 240).astype(int)

    assert overlay.shape == (240, 120, 3)
    blue, orange, grey = overlay[10, 110], overlay[230, 10], overlay[120, 60]
    assert blue[2] > blue[0] + 20
    assert orange[0] > orange[2] + 20
    assert blue[2] - blue[0] > orange[0] - orange[2]  # half the change, half the colour
    assert np.ptp(grey) == 0


def test_draw_overlay_of_a_refused_image_is_that_of_chest():
    pfi, chest = np.zeros((4, 4)), np.zeros((4, 4))
    pfi[0, 0], chest[3, 3] = -50.0, -1.0
    found = explanation(pfi, Decision.NOT_CHEST, chest_change=chest)

    overlay = draw_overlay(found, found.pixels, 256).astype(int)

    assert np.ptp(overlay[8, 8]) == 0
    assert overlay[248, 248, 2] > overlay[248, 248, 0]


def test_draw_overlay_of_no_change_is_grey():
    found = explanation(np.full((4, 4), 1e-5), Decision.CLASSIFIED)

    assert np.ptp(draw_overlay(found, found.pixels, 256), axis=2).max() <= 1
