"""Figs 4 and 6 and the gallery of errors: the right words under the right picture."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import render_patient
from cxrview.reports.figures.radiographs import draw_examples, draw_gallery, draw_modified
from cxrview.terms import Projection

NOTE = "Drawn phantoms, no patient"


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Shape (4, 64, 64): a patient from the front and from the side, each mirrored as well."""
    front, side = (
        render_patient(draw_patient(1, 0), projection, (64, 64), bits=8).astype(np.uint8)
        for projection in (Projection.PA, Projection.LL)
    )
    return np.stack([front, front[:, ::-1], side, side[:, ::-1]])


IS_FRONTAL = np.array([True, True, False, False])


def pictures(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(axis.images[0].get_array()) for axis in figure.axes]


def texts_below(figure: Figure) -> list[str]:
    """Of each picture, the nearest text below it that begins where it does."""
    found = []
    for axis in figure.axes:
        left, bottom = axis.get_position().x0, axis.get_position().y0
        below = [t for t in figure.texts if t.get_position()[1] < bottom]
        at_left = [t for t in below if t.get_position()[0] == pytest.approx(left, abs=0.01)]
        found.append(max(at_left, key=lambda t: t.get_position()[1]).get_text())
    return [text.replace("\N{NO-BREAK SPACE}", " ") for text in found]


def test_examples_stand_by_view_with_both_probabilities(pixels):
    mixed = [2, 0, 3, 1]
    pfi = np.array([99.99999, 87.1, 0.3, 14.25])

    figure = draw_examples(pixels[mixed], pfi[mixed], IS_FRONTAL[mixed], note=NOTE)

    assert texts_below(figure) == [
        "frontal > 99.99 %\nlateral < 0.01 %",
        "frontal 87.10 %\nlateral 12.90 %",
        "frontal 0.30 %\nlateral 99.70 %",
        "frontal 14.25 %\nlateral 85.75 %",
    ]
    assert all((a == b).all() for a, b in zip(pictures(figure), pixels, strict=True))
    assert {"Frontal", "Lateral", NOTE} <= {text.get_text() for text in figure.texts}


def test_grey_values_are_shown_as_they_are():
    """A picture without black or white must not be stretched to have both."""
    grey = np.full((1, 8, 8), 128, np.uint8)

    (axis,) = draw_examples(grey, np.array([50.0]), np.array([True])).axes

    assert axis.images[0].get_clim() == (0, 255)


def test_modifications_stand_in_their_order_with_what_was_said(pixels):
    titles = ["unmodified", "L added", "rotated by 10°", "left half obscured", "cropped to 60 %"]
    images = [
        [(title, picture, pfi + k) for k, title in enumerate(titles)]
        for picture, pfi in ((pixels[0], 90.0), (pixels[2], 2.0))
    ]

    figure = draw_modified(images, headings=["Frontal", "Lateral"], note=NOTE)

    assert len(figure.axes) == 10
    assert texts_below(figure) == [f"frontal {p + k:.2f} %" for p in (90, 2) for k in range(5)]
    shown = [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in figure.texts]
    assert all(shown.count(title) == 2 for title in titles[:4])
    assert "%" not in [line for text in shown for line in text.split("\n")]


def test_an_image_without_a_picture_is_refused(pixels):
    for nothing in ([], [[("unmodified", pixels[0], 1.0)], []]):
        with pytest.raises(ValueError, match="at least one picture of each image"):
            draw_modified(nothing)
    with pytest.raises(ValueError, match="at least one image"):
        draw_examples(pixels[:0], np.zeros(0), np.zeros(0, bool))


def test_the_gallery_begins_with_the_surest_error(pixels):
    pfi = np.array([40.0, 3.0, 70.0, 99.0])
    captions = ["number 1, open-i", "number 2, covid", "number 3, covid", "number 4, open-i"]

    figure = draw_gallery(pixels, IS_FRONTAL, pfi, captions, note=NOTE)

    assert texts_below(figure) == [
        "is lateral,\nPFI 99.00 %",
        "is frontal,\nPFI 3.00 %",
        "is lateral,\nPFI 70.00 %",
        "is frontal,\nPFI 40.00 %",
    ]
    assert (pictures(figure)[0] == pixels[3]).all()
    assert {*captions, "4 images called wrong"} <= {text.get_text() for text in figure.texts}


def test_the_gallery_says_how_many_errors_it_does_not_show(pixels):
    n = 31
    figure = draw_gallery(
        np.resize(pixels, (n, 64, 64)),
        np.resize(IS_FRONTAL, n),
        np.linspace(0, 100, n),
        [f"number {k}" for k in range(n)],
    )

    assert len(figure.axes) == 24
    headings = [text.get_text() for text in figure.texts]
    assert (
        "31 images called wrong; the 24 most confident errors are shown, 7 more are not" in headings
    )


def test_a_gallery_of_nothing_says_that_there_is_no_error(words):
    figure = draw_gallery(np.zeros((0, 64, 64), np.uint8), np.zeros(0, bool), np.zeros(0), [])

    assert words(figure) == ["No errors: the view of every image is correct."]


def test_a_gallery_without_all_its_captions_is_refused(pixels):
    with pytest.raises(ValueError, match="4 images have 1 caption"):
        draw_gallery(pixels, IS_FRONTAL, np.zeros(4), ["number 1"])


def test_examples_can_be_printed(pixels, check_print):
    check_print(lambda: draw_examples(pixels, np.array([99.0, 98, 2, 1]), IS_FRONTAL, note=NOTE))


def test_modifications_with_long_titles_can_be_printed(pixels, check_print):
    title = "a marker that says UPRIGHT PORTABLE added in the upper right corner"
    image = [(title, pixels[0], 99.99999), ("unmodified", pixels[1][:40], 1.0)] * 4
    check_print(lambda: draw_modified([image, image[:2]], headings=["First", "Second"], note=NOTE))


@pytest.mark.parametrize("n", [0, 1, 7])
def test_a_gallery_can_be_printed(pixels, check_print, n):
    shown = np.resize(pixels, (n, 64, 64))
    captions = [f"number {k}, Hannover Medical School" for k in range(n)]
    check_print(
        lambda: draw_gallery(shown, np.ones(n, bool), np.linspace(0, 40, n), captions, note=NOTE)
    )
