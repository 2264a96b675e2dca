"""Headers that mislead."""

import io
import warnings

import pydicom
import pytest

from cxrview.phantom.dicom import Shot, make_instance, to_bytes
from cxrview.phantom.encode import find_syntax
from cxrview.phantom.mislabel import HEADER_FAULTS
from cxrview.terms import Projection


def faulty(pixels, patient, name: str, projection: Projection) -> pydicom.Dataset:
    shot = Shot(patient=patient, projection=projection, archive_seed=0, is_digital=True)
    dataset = make_instance(pixels, shot, find_syntax("native"))
    HEADER_FAULTS[name].apply(dataset, projection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(to_bytes(dataset)))


@pytest.mark.parametrize("projection", [Projection.PA, Projection.LL])
@pytest.mark.parametrize("name", HEADER_FAULTS)
def test_every_fault_is_written_and_leaves_the_pixels_alone(pixels, patient, name, projection):
    dataset = faulty(pixels, patient, name, projection)

    assert (dataset.pixel_array == pixels).all()
    assert HEADER_FAULTS[name].what


@pytest.mark.parametrize(
    ("name", "frontal", "lateral"),
    [
        ("view-missing", "", ""),
        ("view-wrong", "LL", "PA"),
        ("free-text", "FRONTAL", "LATERAL"),
        ("lower-case", "pa", "ll"),
        ("two-values", ["PA", "LL"], ["PA", "LL"]),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_the_view_position_says_what_the_fault_is_called(pixels, patient, name, frontal, lateral):
    for projection, said in ((Projection.PA, frontal), (Projection.LL, lateral)):
        dataset = faulty(pixels, patient, name, projection)

        assert dataset.ViewPosition == said
        assert "ViewCodeSequence" not in dataset


def test_a_contradicting_code_names_the_other_view(pixels, patient):
    dataset = faulty(pixels, patient, "code-contradicts", Projection.PA)

    assert dataset.ViewPosition == "PA"
    assert dataset.ViewCodeSequence[0].CodeMeaning == "lateral"
