"""Finished pictures of invented patients."""

from dataclasses import replace

import numpy as np
import pytest

from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import choose_technique, render_patient
from cxrview.terms import Projection

SIZE = (160, 132)


@pytest.mark.slow
@pytest.mark.parametrize("projection", list(Projection))
def test_the_same_patient_gives_the_same_picture(patient, projection):
    first, second = (render_patient(patient, projection, SIZE) for _ in range(2))

    assert first.dtype == np.uint16
    assert (first == second).all()


@pytest.mark.parametrize("bits", [8, 10, 14, 16])
def test_a_picture_fills_its_bits(patient, bits):
    pixels = render_patient(patient, Projection.LL, SIZE, bits)

    assert pixels.min() == 0
    assert pixels.max() == 2**bits - 1


@pytest.mark.slow
def test_no_two_patients_look_the_same():
    pictures = [render_patient(draw_patient(n, 0), Projection.PA, SIZE) for n in range(1, 5)]
    likeness = np.corrcoef([picture.ravel() for picture in pictures])

    assert likeness[~np.eye(4, dtype=bool)].max() < 0.995


def test_from_the_front_the_lungs_are_dark_beside_a_bright_middle(patient):
    """Row at the height of the heart's upper part, as a reader would look for it."""
    pixels = render_patient(replace(patient, turn_degrees=0.0), Projection.PA, SIZE)
    row = pixels[65:75].mean(axis=0)
    left_lung, middle, right_lung = (row[span].mean() for span in
                                     (slice(25, 45), slice(58, 74), slice(87, 107)))  # fmt: skip

    assert middle > 1.5 * left_lung
    assert middle > 1.5 * right_lung


def test_a_left_lateral_faces_left_and_a_right_one_right(patient):
    """The spine, at the back, shades more than the air behind the sternum."""
    left, right = (
        render_patient(patient, projection, SIZE).astype(float)[85:115]
        for projection in (Projection.LL, Projection.RL)
    )

    assert left[:, 95:110].mean() > left[:, 5:20].mean()
    assert right[:, 22:37].mean() > right[:, 112:127].mean()


def test_a_pixel_is_as_wide_as_the_detector_over_its_rows(patient):
    technique = choose_technique(patient, Projection.PA, (1024, 840))

    assert technique.pixel_mm == pytest.approx(430 / 1024)
    assert technique.beam.field_mm == pytest.approx((430, 430 * 840 / 1024))


def test_a_patient_of_no_size_is_refused(patient):
    with pytest.raises(ValueError, match="above 0"):
        replace(patient, size=0.0)
