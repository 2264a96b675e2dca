"""Turns attenuation into grey values of a detector: scatter, noise, processing, collimator."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cxrview.phantom.project import enlarge

Grey = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Settings of exposure and processing."""

    quanta: float = 20_000.0
    """Mean number of X-ray quanta in an unattenuated pixel, which decides the noise."""
    scatter: float = 0.5
    """Ratio of scattered to primary radiation behind the patient, after the grid."""
    equalise: float = 0.35
    """Share of the coarse contrast that processing removes, 0 to 1."""
    sharpen: float = 0.8
    """Amount of fine contrast that processing adds."""
    margins: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Shares of the height or width that the collimator covers: top, bottom, left, right."""
    is_shuttered: bool = True
    """Covered margins are black, instead of white as on the detector."""
    marker: str = "L"
    """The lead letter beside the patient: L, R, or empty for none."""
    marker_at: tuple[float, float] = (0.06, 0.9)
    """Its centre as shares of height and width."""


def expose(attenuation: Grey, exposure: Exposure, seed: int) -> Grey:
    """Compute the grey values of a finished radiograph.

    Args:
        attenuation: shape (rows, columns), minus the natural logarithm of the transmitted share.
        exposure: the settings.
        seed: of the noise.

    Returns:
        Shape (rows, columns), float64, 0 to 1; bone bright, air dark.
    """
    lead = _lead(attenuation.shape, exposure)
    behind = transmitted(attenuation + 2.5 * lead, exposure.scatter)
    rng = np.random.default_rng([seed, 2])
    counts = rng.poisson(behind * exposure.quanta)
    density = -np.log((counts + 1.0) / exposure.quanta)
    inside = _field(attenuation.shape, exposure.margins)
    grey = _processed(density, exposure, inside)
    grey[~inside] = 0.0 if exposure.is_shuttered else 1.0
    return grey


def transmitted(attenuation: Grey, scatter: float) -> Grey:
    """Compute the radiation that reaches each pixel, primary and scattered.

    Args:
        attenuation: shape (rows, columns), 0 or more.
        scatter: ratio of scattered to primary radiation, 0 or more.

    Returns:
        Shape (rows, columns), above 0. Ours: scatter is primary radiation blurred by a
        twelfth of the image's side, which is about three centimetres.
    """
    primary = np.exp(-attenuation)
    # Unattenuated beams do not scatter: without this the air beside a patient would be grey.
    thrown = primary * (1 - primary) ** 4
    return primary + scatter * blurred(thrown, 1 / 12)


def blurred(picture: Grey, sigma: float) -> Grey:
    """Apply a Gaussian blur; sigma is a share of the image's longer side."""
    rows, columns = picture.shape
    shrink = max(1, int(sigma * max(rows, columns) / 4))
    coarse_size = (max(1, rows // shrink), max(1, columns // shrink))
    grey = Image.fromarray(picture.astype(np.float32))
    small = grey.resize((coarse_size[1], coarse_size[0]), Image.Resampling.BOX)
    coarse = np.asarray(small, dtype=np.float64)
    width = sigma * max(coarse.shape)
    soft = _gaussian(coarse.shape[0], width) @ coarse @ _gaussian(coarse.shape[1], width).T
    return enlarge(soft, picture.shape)


def _gaussian(length: int, sigma: float) -> Grey:
    at = np.arange(length)
    weights = np.exp(-0.5 * ((at[:, None] - at) / max(sigma, 1e-6)) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _processed(density: Grey, exposure: Exposure, inside: NDArray[np.bool_]) -> Grey:
    """Apply unsharp masking at two scales, then window to the patient, as manufacturers do."""
    coarse = blurred(density, 0.09)
    middle = blurred(density, 0.015)
    grey = density - exposure.equalise * coarse + exposure.sharpen * (density - middle)
    shaded = grey[inside & (density > 0.14 * np.percentile(density[inside], 99))]
    low, high = np.percentile(shaded[:: 1 + shaded.size // 100_000], [1.0, 99.5])
    low -= 0.12 * (high - low)
    return np.asarray(np.clip((grey - low) / max(high - low, 1e-6), 0, 1))


def _field(shape: tuple[int, ...], margins: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    inside = np.zeros(shape, dtype=bool)
    rows, columns = shape
    top, bottom, left, right = margins
    inside[
        round(top * rows) : rows - round(bottom * rows),
        round(left * columns) : columns - round(right * columns),
    ] = True
    return inside


def _lead(shape: tuple[int, ...], exposure: Exposure) -> Grey:
    """Draw the lead marker, 0 to 1."""
    canvas = Image.new("L", (shape[1], shape[0]))
    pen = ImageDraw.Draw(canvas)
    unit = max(shape) * 0.013
    down, right = exposure.marker_at[0] * shape[0], exposure.marker_at[1] * shape[1]
    for stroke in STROKES.get(exposure.marker, ()):
        points = [(right + x * unit, down + y * unit) for x, y in stroke]
        pen.line(points, fill=255, width=max(1, round(unit * 0.38)), joint="curve")
    return np.asarray(canvas, dtype=np.float64) / 255


STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "L": (((-0.6, -1.0), (-0.6, 1.0), (0.7, 1.0)),),
    "R": (
        (
            (-0.6, 1.0),
            (-0.6, -1.0),
            (0.3, -1.0),
            (0.65, -0.7),
            (0.65, -0.3),
            (0.3, 0.0),
            (-0.6, 0.0),
        ),
        ((0.1, 0.0), (0.7, 1.0)),
    ),
}
