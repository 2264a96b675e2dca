"""Convex bodies, whose path lengths along a ray have a closed formula, and tissue constants.

Lengths are millimetres in the patient's axes of DICOM (PS3.3 C.7.6.2.1.1):
x to the patient's left, y to the back, z to the head.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vectors = NDArray[np.float64]


# Linear attenuation in 1/mm.
SOFT = 0.0195
"""Muscle, blood and abdominal organs, about 1.05 g/cm3."""
FAT = 0.0176
LUNG = 0.0052
"""Inflated lung, about 0.27 g/cm3."""
CORTEX = 0.048
"""Cortical bone."""
SPONGY = 0.031
"""Cancellous bone: inside of vertebrae and of the ends of long bones."""
MARROW = 0.023
AIR = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A quadric, ellipsoid or elliptic cylinder, cut by any number of planes."""

    centre: Vectors
    """Shape (3,)."""
    to_unit: Vectors
    """Shape (3, 3): maps the centred body to the unit sphere; a cylinder has a zero row."""
    attenuation: float
    """Linear attenuation coefficient in 1/mm."""
    replaces: float = 0.0
    """Attenuation in 1/mm of the tissue that the body replaces; 0 for air."""
    planes: Vectors = field(default_factory=lambda: np.empty((0, 4)))
    """Shape (k, 4): normal and offset; points with normal . point > offset are cut off."""
    half_box: Vectors = field(default_factory=lambda: np.full(3, np.inf))
    """Shape (3,): half the sides of the axis-parallel box about the centre around the body."""

    def mirrored(self) -> "Body":
        """Mirror the body, left and right exchanged."""
        flip = np.array([-1.0, 1.0, 1.0])
        return replace(
            self,
            centre=self.centre * flip,
            to_unit=self.to_unit * flip,
            planes=self.planes * np.append(flip, 1.0),
        )

    def scaled(self, factor: float) -> "Body":
        """Scale the body about the origin; its attenuation stays."""
        return replace(
            self,
            centre=self.centre * factor,
            to_unit=self.to_unit / factor,
            planes=self.planes * np.array([1.0, 1.0, 1.0, factor]),
            half_box=self.half_box * factor,
        )


def ellipsoid(
    centre: ArrayLike,
    semi_axes: ArrayLike,
    attenuation: float,
    *,
    replaces: float = 0.0,
    tilt_degrees: tuple[float, float, float] = (0.0, 0.0, 0.0),
    below: float | None = None,
    above: float | None = None,
) -> Body:
    """Make an ellipsoid, tilted about x, then y, then z, and cut to z `below` and `above`."""
    middle, semi = _vector(centre), _vector(semi_axes)
    planes = []
    if below is not None:
        planes.append([0.0, 0.0, 1.0, below])
    if above is not None:
        planes.append([0.0, 0.0, -1.0, -above])
    axes = _rotation(tilt_degrees) * semi
    return Body(
        centre=middle,
        to_unit=(axes / semi**2).T,
        attenuation=attenuation,
        replaces=replaces,
        planes=np.array(planes).reshape(-1, 4),
        half_box=np.linalg.norm(axes, axis=1),
    )


def tube(
    path: ArrayLike,
    width: float | Sequence[float],
    thickness: float | Sequence[float],
    attenuation: float,
    *,
    replaces: float = 0.0,
    flat_towards: ArrayLike = (0.0, 0.0, 1.0),
) -> list[Body]:
    """Make a tube along a path: one elliptic cylinder per segment, mitred where two meet.

    Args:
        path: shape (n, 3), n at least 2.
        width: semi-axis along `flat_towards`, one for all or one for each of n - 1 segments.
        thickness: the other semi-axis, likewise.
        attenuation: in 1/mm.
        replaces: attenuation of the tissue around, in 1/mm.
        flat_towards: shape (3,), the direction of the wide side, or the nearest to it that is
            perpendicular to the path.
    """
    points = np.asarray(path, dtype=np.float64)
    steps = np.diff(points, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    along = steps / lengths[:, None]
    widths = np.broadcast_to(np.asarray(width, dtype=np.float64), lengths.shape)
    thicknesses = np.broadcast_to(np.asarray(thickness, dtype=np.float64), lengths.shape)
    # The plane between two segments bisects their angle, so that no point counts twice.
    mitres = np.concatenate([along[:1], along[:-1] + along[1:], along[-1:]])
    mitres /= np.linalg.norm(mitres, axis=1)[:, None]
    wanted = _vector(flat_towards)
    bodies = []
    for i, direction in enumerate(along):
        wide = _square_to(direction, wanted)
        thin = _cross(direction, wide)
        start, end = mitres[i], mitres[i + 1]
        planes = np.empty((2, 4))
        planes[0, :3], planes[0, 3] = -start, -start @ points[i]
        planes[1, :3], planes[1, 3] = end, end @ points[i + 1]
        to_unit = np.zeros((3, 3))
        to_unit[0], to_unit[1] = wide / widths[i], thin / thicknesses[i]
        bodies.append(
            Body(
                centre=(points[i] + points[i + 1]) / 2,
                to_unit=to_unit,
                attenuation=attenuation,
                replaces=replaces,
                planes=planes,
                half_box=lengths[i] / 2 * np.abs(direction)
                + 1.3 * np.hypot(widths[i] * wide, thicknesses[i] * thin),
            )
        )
    return bodies


def crossing(
    body: Body, points: Vectors, directions: Vectors
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute where rays enter and leave a body, in mm along them from `points`.

    Args:
        body: the body.
        points: shape (..., 3), a point on each ray.
        directions: shape (..., 3), unit vectors; the two shapes are broadcast.

    Returns:
        Two arrays of shape (...); equal if the ray misses.
    """
    start = (points - body.centre) @ body.to_unit.T
    along = directions @ body.to_unit.T
    # Along a cylinder's axis the square term is 0: the ray is always inside, or never.
    a = np.maximum(np.einsum("...i,...i", along, along), 1e-12)
    b = np.einsum("...i,...i", start, along)
    within = b * b - a * (np.einsum("...i,...i", start, start) - 1)
    root = np.sqrt(np.maximum(within, 0))
    enter, leave = (-b - root) / a, (-b + root) / a
    with np.errstate(divide="ignore", invalid="ignore"):
        for plane in body.planes:
            enter, leave = _cut(enter, leave, plane, points, directions)
    return enter, np.maximum(enter, leave)


def chord(body: Body, points: Vectors, directions: Vectors) -> NDArray[np.float64]:
    """Compute the length in mm of each ray inside the body; arguments as for `crossing`."""
    enter, leave = crossing(body, points, directions)
    return leave - enter


def _cut(
    enter: Vectors, leave: Vectors, plane: Vectors, points: Vectors, directions: Vectors
) -> tuple[Vectors, Vectors]:
    room = plane[3] - points @ plane[:3]
    speed = directions @ plane[:3]
    # Nearly parallel: the intersection would be beyond the range of the numbers.
    speed = np.where(np.abs(speed) < 1e-12, 0.0, speed)
    met = room / speed
    leave = np.where(speed > 0, np.minimum(leave, met), leave)
    enter = np.where(speed < 0, np.maximum(enter, met), enter)
    return enter, np.where((speed == 0) & (room < 0), enter, leave)


def _vector(values: ArrayLike) -> Vectors:
    return np.asarray(values, dtype=np.float64)


def _square_to(direction: Vectors, wanted: Vectors) -> Vectors:
    square = wanted - direction * (direction @ wanted)
    if _length(square) < 1e-6:
        square = _cross(direction, direction[[1, 2, 0]] + 0.1)
    return np.asarray(square / _length(square), dtype=np.float64)


# A chest has a thousand small bodies. NumPy's functions for any number of vectors of any size
# take several times as long as these for one vector, and give the same numbers.
def _cross(a: Vectors, b: Vectors) -> Vectors:
    (a0, a1, a2), (b0, b1, b2) = a.tolist(), b.tolist()
    return np.array([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0])


def _length(vector: Vectors) -> float:
    return math.sqrt(vector @ vector)


def _rotation(degrees: tuple[float, float, float]) -> Vectors:
    x, y, z = np.radians(degrees)
    about_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_z = [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]
    return np.asarray(np.array(about_z) @ np.array(about_y) @ np.array(about_x))
