"""Draws radiographs of full size, in any transfer syntax, to measure how long decoding takes."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cxrview.phantom.dicom import Shot, make_instance, to_bytes
from cxrview.phantom.encode import find_syntax
from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import choose_technique, render
from cxrview.phantom.thorax import build_thorax
from cxrview.terms import Projection, View

SIZE, BITS = (2500, 2048), 12
"""Rows and columns, and bits stored."""
QUANTA = 16
"""Factor for the quanta of a phantom's detector: a real detector blurs, which removes three
quarters of the pixel noise and gives streams of 2 to 3.5 : 1."""
PROJECTIONS = (Projection.PA, Projection.LL, Projection.AP, Projection.RL)


def draw_radiograph(number: int) -> tuple[Shot, NDArray[np.uint16]]:
    """Draw a radiograph of another patient for each number.

    Returns:
        What its header says, and its pixels, shape SIZE, uint16, of BITS bits.
    """
    projection = PROJECTIONS[number % len(PROJECTIONS)]
    patient = draw_patient(number + 1, seed=0)
    anatomy = build_thorax(patient, arms_raised=projection.view is View.LATERAL)
    technique = choose_technique(patient, projection, SIZE)
    exposure = replace(technique.exposure, quanta=technique.exposure.quanta * QUANTA)
    shot = Shot(
        patient=patient,
        projection=projection,
        archive_seed=0,
        bits=BITS,
        pixel_mm=technique.pixel_mm,
        is_monochrome1=number % 4 == 3,
    )
    return shot, render(anatomy, replace(technique, exposure=exposure), SIZE, BITS)


def encode_radiograph(syntax: str, shot: Shot, pixels: NDArray[np.uint16]) -> bytes:
    """Encode as a DICOM file.

    Args:
        syntax: name of a transfer syntax, as `cxrview phantom --list-faults` prints it.
        shot: of `draw_radiograph`.
        pixels: of `draw_radiograph`.

    Raises:
        UsageError: the transfer syntax does not exist.
    """
    return to_bytes(make_instance(pixels, shot, find_syntax(syntax)))
