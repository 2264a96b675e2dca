"""From attenuation to the grey values of a detector: scatter, noise, processing, collimator."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cxrview.phantom.project import enlarge

Grey = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How a picture was taken and processed."""

    quanta: float = 20_000.0
    """Mean count of X-ray quanta in a pixel that nothing shades; sets the noise."""
    scatter: float = 0.5
    """Scattered over primary radiation behind the patient, after the grid."""
    equalise: float = 0.35
    """Part of the coarse contrast that processing takes away, 0 to 1."""
    sharpen: float = 0.8
    """How much of the fine contrast it adds."""
    margins: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Parts of the height or width that the collimator covers: top, bottom, left, right."""
    is_shuttered: bool = True
    """Covered margins are blackened, instead of white as the collimator leaves them."""
    marker: str = "L"
    """The lead letter beside the patient: L, R, or none where empty."""
    marker_at: tuple[float, float] = (0.06, 0.9)
    """Its middle as parts of height and width."""


def expose(attenuation: Grey, exposure: Exposure, seed: int) -> Grey:
    """Grey values of a finished radiograph.

    Args:
        attenuation: shape (rows, columns), minus the natural logarithm of what comes through.
        exposure: how it is taken.
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
    """The part of the beam that reaches each pixel, with its scattered companions.

    Args:
        attenuation: shape (rows, columns), 0 or more.
        scatter: ratio of scattered to primary radiation, 0 or more.

    Returns:
        Shape (rows, columns), above 0. Ours: scatter is primary radiation blurred by a
        twelfth of the picture's side, which is about three centimetres.
    """
    primary = np.exp(-attenuation)
    # What crosses nothing scatters nowhere: without this the air beside a patient would fog.
    thrown = primary * (1 - primary) ** 4
    return primary + scatter * blurred(thrown, 1 / 12)


def blurred(picture: Grey, sigma: float) -> Grey:
    """A Gaussian blur; sigma is a part of the picture's longer side."""
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
    """Unsharp masking at two scales, then the range that the patient fills, as makers do."""
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
    """Where the marker's lead lies, 0 to 1."""
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
