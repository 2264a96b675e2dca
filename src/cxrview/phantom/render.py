"""Renders the stored values of one radiograph of a patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.phantom.expose import Exposure, expose
from cxrview.phantom.patient import Patient
from cxrview.phantom.project import Beam, path_integral
from cxrview.phantom.thorax import Anatomy, build_thorax
from cxrview.terms import Projection, View

LONG_SIDE_MM = 430.0
"""Height of the usual 35 x 43 cm detector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """Positioning and exposure of one patient for one projection."""

    beam: Beam
    exposure: Exposure
    pixel_mm: float
    """Side of a pixel on the detector."""


def choose_technique(patient: Patient, projection: Projection, size: tuple[int, int]) -> Technique:
    """Choose positioning and exposure, which depend on the patient and not on chance.

    Args:
        patient: the patient.
        projection: any.
        size: rows and columns of the image; the longer side is 43 cm.
    """
    rng = np.random.default_rng([patient.seed, 3, list(Projection).index(projection)])
    pixel = LONG_SIDE_MM / max(size)
    aside = 0.0 if projection.view is View.FRONTAL else rng.uniform(-12, 12)
    beam = Beam(
        projection=projection,
        turn_degrees=patient.turn_degrees,
        source_mm=1100.0 if projection is Projection.AP else 1800.0,
        field_mm=(size[0] * pixel, size[1] * pixel),
        centre_mm=(90 * patient.size + rng.uniform(-12, 12), aside),
    )
    narrow = size[1] * pixel < 300
    exposure = Exposure(
        quanta=float(rng.uniform(8_000, 40_000)),
        scatter=float(rng.uniform(0.3, 0.7)),
        equalise=float(rng.uniform(0.2, 0.45)),
        sharpen=float(rng.uniform(0.5, 1.0)),
        margins=(0, 0, 0, 0) if narrow else _margins(rng),
        is_shuttered=bool(rng.random() < 0.6),
        marker="R" if projection is Projection.RL else "L",
        marker_at=(float(rng.uniform(0.06, 0.12)), float(rng.uniform(0.84, 0.92))),
    )
    return Technique(beam=beam, exposure=exposure, pixel_mm=pixel)


def render(
    anatomy: Anatomy, technique: Technique, size: tuple[int, int], bits: int = 12
) -> NDArray[np.uint16]:
    """Render a radiograph.

    Args:
        anatomy: of `build_thorax`.
        technique: of `choose_technique`, for the same size.
        size: rows and columns.
        bits: that each value may use, 1 to 16.

    Returns:
        Shape (rows, columns), uint16, 0 to 2**bits - 1: MONOCHROME2, bone bright, air dark.
    """
    attenuation = path_integral(anatomy, technique.beam, size)
    grey = expose(attenuation, technique.exposure, anatomy.patient.seed)
    stored: NDArray[np.uint16] = np.rint(grey * (2**bits - 1)).astype(np.uint16)
    return stored


def render_patient(
    patient: Patient, projection: Projection, size: tuple[int, int] = (1024, 840), bits: int = 12
) -> NDArray[np.uint16]:
    """Build, position and render in one call; arguments and result as for `render`."""
    anatomy = build_thorax(patient, arms_raised=projection.view is View.LATERAL)
    return render(anatomy, choose_technique(patient, projection, size), size, bits)


def _margins(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Collimate three sides in five by up to three percent."""
    sides = np.where(rng.random(4) < 0.6, rng.uniform(0.004, 0.03, 4), 0.0)
    top, bottom, left, right = (float(side) for side in sides)
    return top, bottom, left, right
