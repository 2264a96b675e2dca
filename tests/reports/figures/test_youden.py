"""Fig 5: J at every cutoff, as scikit-learn's ROC has it, and where it is largest."""

from dataclasses import replace

import numpy as np
import pytest

from cxrview.reports.figures.youden import draw_youden


def test_the_largest_j_drawn_is_that_of_the_roc_curve(sets):
    from sklearn.metrics import roc_curve

    figure = draw_youden(sets)

    drawn = [
        max(line.get_ydata().max() for line in axis.lines if len(line.get_xdata()) == 1001)
        for axis in figure.axes[:3]
    ]
    together = [
        np.concatenate([getattr(s, a) for s in sets.values()]) for a in ("is_frontal", "pfi")
    ]
    each = [(s.is_frontal, s.pfi) for s in sets.values()]
    for j, (truth, pfi) in zip(drawn, [*each, together], strict=True):
        # Cutoffs are tenths: so must the ROC's be.
        fpr, tpr, _ = roc_curve(truth, np.floor(10 * pfi) / 10)
        assert j == pytest.approx((tpr - fpr).max())


def test_the_marked_band_holds_no_image_of_a_set_without_error(sets, words):
    """The paper's empty band, from the highest lateral to the lowest frontal image."""
    inside = sets["inside"]
    pfi = inside.pfi.copy()
    pfi[inside.is_frontal] = np.maximum(pfi[inside.is_frontal], 99.6)
    pfi[~inside.is_frontal] = np.minimum(pfi[~inside.is_frontal], 14.2)
    text = "\n".join(words(draw_youden({"inside": replace(inside, pfi=pfi)})))

    assert "J = 1.0000\nat 14.3 to 99.6 %" in text


def test_a_set_of_one_view_says_that_j_is_undefined(sets, frontal_alone, words):
    text = words(draw_youden({"inside": sets["inside"], "hannover": frontal_alone}))

    assert any("hannover" in t and "J is undefined" in t for t in text)


def test_one_view_in_all_sets_is_drawn_too(frontal_alone, words):
    assert any("J is undefined" in t for t in words(draw_youden({"hannover": frontal_alone})))


def test_a_classifier_worse_than_chance_is_drawn_whole(sets):
    upside_down = replace(sets["inside"], pfi=100 - sets["inside"].pfi)

    whole = draw_youden({"upside down": upside_down}).axes[0]

    curve = next(line.get_ydata() for line in whole.lines if len(line.get_ydata()) == 1001)
    assert curve.min() < -0.9
    assert whole.get_ylim()[0] <= curve.min()


def test_it_can_be_printed(sets, frontal_alone, check_print):
    check_print(lambda: draw_youden(sets | {"hannover": frontal_alone}))
