"""One patient, drawn small, for every test of the phantom."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from cxrview.phantom.dicom import Shot, make_instance
from cxrview.phantom.encode import find_syntax
from cxrview.phantom.patient import Patient, draw_patient
from cxrview.phantom.render import render_patient
from cxrview.terms import Projection

SIZE = (160, 131)
"""Odd columns, so that eight-bit pixels need their padding byte."""


@pytest.fixture(scope="session")
def patient() -> Patient:
    return draw_patient(1, seed=0)


@pytest.fixture(scope="session")
def pixels(patient: Patient) -> NDArray[np.uint16]:
    """Shape SIZE, 12 bits."""
    return render_patient(patient, Projection.PA, SIZE, bits=12)


@pytest.fixture
def shot(patient: Patient) -> Shot:
    return Shot(patient=patient, projection=Projection.PA, archive_seed=0, bits=12)


@pytest.fixture
def sound(pixels: NDArray[np.uint16], shot: Shot) -> Dataset:
    """A data set with native pixels and a right header."""
    return make_instance(pixels, shot, find_syntax("native"))
