"""Fig 3: every test image lies in one bar, above the line if frontal."""

import numpy as np
import pytest

from cxrview.records.scores import Scores
from cxrview.reports.figures.pfi_histogram import count_bins, draw_pfi_histogram


def bars(axis) -> np.ndarray:
    """Shape (2, 100): heights of frontal and of lateral bars, 0 where there is none."""
    heights = np.zeros((2, 100))
    for row, both in zip(heights, axis.containers, strict=True):
        for bar in both:
            assert bar.get_width() == 1
            row[int(bar.get_x())] = bar.get_height()
    return heights


def test_each_panel_has_a_hundred_bins_that_hold_every_image(sets):
    figure = draw_pfi_histogram(sets, cutoff=40)

    assert all(counts.shape == (100,) for counts in count_bins(sets["inside"]).values())
    frontal, lateral = np.array([bars(axis).sum(axis=1) for axis in figure.axes]).T
    assert frontal.tolist() == [189, 379, 568]
    assert lateral.tolist() == [-188, -31, -219]


def test_the_bars_are_numpys_histogram(sets):
    inside = sets["inside"]

    (axis,) = draw_pfi_histogram({"inside": inside}, cutoff=40).axes

    expected, _ = np.histogram(inside.pfi[inside.is_frontal], bins=np.arange(101))
    assert (bars(axis)[0] == expected).all()


def test_a_single_image_is_to_be_seen_beside_hundreds(sets):
    """At least a millimetre high, where the whole panel has about 38."""
    figure = draw_pfi_histogram(sets, cutoff=40)
    figure.draw_without_rendering()
    axis = figure.axes[2]

    (_, zero), (_, one) = axis.transData.transform([(50, 0), (50, 1)])
    assert (one - zero) / figure.dpi * 25.4 > 1
    assert np.abs(bars(axis)).max() > 200


def test_the_cutoff_is_marked_in_every_panel(sets, words):
    figure = draw_pfi_histogram(sets, cutoff=97.3)

    assert all(97.3 in [line.get_xdata()[0] for line in axis.lines] for axis in figure.axes)
    assert words(figure).count("dashed: cutoff 97.3 %") == 3


def test_no_image_is_lost_at_either_end():
    ends = Scores(
        classifier="a",
        files=np.array(["1", "2"]),
        patients=np.array(["1", "2"]),
        variants=np.array(["progenitor"] * 2),
        is_frontal=np.array([True, False]),
        pfi=np.array([100.0, 0.0]),
    )

    (axis,) = draw_pfi_histogram({"ends": ends}, cutoff=50).axes

    assert (bars(axis)[0, 99], bars(axis)[1, 0]) == (1, -1)


def test_it_can_be_printed(sets, check_print):
    check_print(lambda: draw_pfi_histogram({"external": sets["external"]}, cutoff=50))


def test_nothing_cannot_be_drawn(sets):
    empty = sets["inside"].where(np.zeros(377, bool))
    for nothing in ({}, {"inside": empty}):
        with pytest.raises(ValueError, match="at least one set, each with an image"):
            draw_pfi_histogram(nothing, cutoff=50)
