"""Projects an anatomy onto a detector: the attenuation of the beam at every pixel."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrview.phantom.bodies import Body, Vectors, chord, crossing
from cxrview.phantom.thorax import Anatomy
from cxrview.terms import Projection

SMOOTH_PIXELS = 90_000
"""Approximate number of rays for soft outlines, whose image is then enlarged."""
DETAIL_PIXELS = 1_400_000
"""Number of rays for bones and vessels, whose edges are sharper."""
TILE = 28
"""Side of the squares of rays that are traced together: few bodies are near, and the data fit
into the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beam:
    """Positions of source and detector."""

    projection: Projection
    turn_degrees: float = 0.0
    """Rotation of the patient about the long axis, to the left if positive."""
    source_mm: float = 1800.0
    """Distance of source and detector; infinite for parallel rays."""
    detector_mm: float = 190.0
    """Distance of the body's axis and the detector."""
    field_mm: tuple[float, float] = (430.0, 350.0)
    """Height and width of the detector."""
    centre_mm: tuple[float, float] = (95.0, 0.0)
    """Centre of the detector: height (z), and offset to the right in the image."""

    def axes(self) -> tuple[Vectors, Vectors]:
        """Unit vectors, shape (3,) each: along a row of the image, and along the beam."""
        return _axes(self.projection, self.turn_degrees)


@lru_cache(maxsize=16)
def _axes(projection: Projection, turn_degrees: float) -> tuple[Vectors, Vectors]:
    # As films are displayed: the patient's left on the right, and a left lateral facing
    # left.
    across, along = {
        Projection.PA: ([1, 0, 0], [0, -1, 0]),
        Projection.AP: ([1, 0, 0], [0, 1, 0]),
        Projection.LL: ([0, 1, 0], [1, 0, 0]),
        Projection.RL: ([0, -1, 0], [-1, 0, 0]),
    }[projection]
    turn = math.radians(turn_degrees)
    about = np.array(
        [[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]]
    )
    return about @ np.array(across, dtype=float), about @ np.array(along, dtype=float)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rays:
    """One ray per pixel of a grid on the detector; a common value has one row and column."""

    points: Vectors
    """Shape (rows, columns, 3) or (1, 1, 3): a point on each ray in the patient's mm."""
    directions: Vectors
    """Shape (rows, columns, 3) or (1, 1, 3): unit vectors along the beam."""

    def at(self, rows: slice, columns: slice) -> tuple[Vectors, Vectors]:
        """Give points and directions of a part of the grid."""
        return (
            self.points if len(self.points) == 1 else self.points[rows, columns],
            self.directions if len(self.directions) == 1 else self.directions[rows, columns],
        )


def cast(beam: Beam, rows: int, columns: int) -> Rays:
    """Make a grid of pixels on the detector and a ray to each."""
    across, along = beam.axes()
    up = np.array([0.0, 0.0, 1.0])
    height, width = beam.field_mm
    z = beam.centre_mm[0] + height * (0.5 - (np.arange(rows) + 0.5) / rows)
    u = beam.centre_mm[1] + width * ((np.arange(columns) + 0.5) / columns - 0.5)
    pixels = along * beam.detector_mm + u[None, :, None] * across + z[:, None, None] * up
    if math.isinf(beam.source_mm):
        return Rays(points=pixels, directions=along.reshape(1, 1, 3))
    source = along * (beam.detector_mm - beam.source_mm) + up * beam.centre_mm[0]
    directions = pixels - source
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    return Rays(points=source.reshape(1, 1, 3), directions=directions)


def path_integral(anatomy: Anatomy, beam: Beam, size: tuple[int, int]) -> NDArray[np.float64]:
    """Integrate the attenuation coefficient along each ray.

    Args:
        anatomy: the bodies.
        beam: source and detector.
        size: rows and columns of the image.

    Returns:
        Shape (rows, columns), float64, without unit, 0 or more: minus the natural logarithm
        of the transmitted share of the beam (Beer-Lambert).
    """
    smooth = _painted(anatomy.layers, beam, _at_most(size, SMOOTH_PIXELS))
    fine_size = _at_most(size, DETAIL_PIXELS)
    fine = enlarge(smooth, fine_size)
    _add_details(fine, anatomy.details, beam)
    return np.maximum(enlarge(fine, size), 0)


def enlarge(picture: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Resize by cubic interpolation to (rows, columns)."""
    if picture.shape == size:
        return picture
    grey = Image.fromarray(picture.astype(np.float32))
    resized = grey.resize((size[1], size[0]), Image.Resampling.BICUBIC)
    return np.asarray(resized, dtype=np.float64)


def _at_most(size: tuple[int, int], pixels: int) -> tuple[int, int]:
    shrink = min(1.0, math.sqrt(pixels / (size[0] * size[1])))
    return max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))


def _painted(
    layers: tuple[tuple[Body, ...], ...], beam: Beam, size: tuple[int, int]
) -> NDArray[np.float64]:
    rays = cast(beam, *size)
    shadows = [[(body, _shadow(body, beam, size)) for body in layer] for layer in layers]
    painted = np.zeros(size)
    for top in range(0, size[0], TILE):
        for left in range(0, size[1], TILE):
            tile = slice(top, top + TILE), slice(left, left + TILE)
            near = [[b for b, shadow in layer if _meet(shadow, tile)] for layer in shadows]
            part = painted[tile]
            part[...] = _painted_tile(near, *rays.at(*tile), part.shape)
    return painted


def _meet(shadow: tuple[slice, slice], tile: tuple[slice, slice]) -> bool:
    return all(s.start < t.stop and t.start < s.stop for s, t in zip(shadow, tile, strict=True))


def _painted_tile(
    layers: list[list[Body]], points: Vectors, directions: Vectors, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """A layer counts with the length that it adds to the union of all layers above it."""
    enters = np.empty((0, *shape))
    leaves = np.empty((0, *shape))
    total = np.zeros(shape)
    covered = np.zeros(shape)
    for layer in filter(None, reversed(layers)):
        crossings = [crossing(body, points, directions) for body in layer]
        enters = np.concatenate([enters, *(enter[None] for enter, _ in crossings)])
        leaves = np.concatenate([leaves, *(leave[None] for _, leave in crossings)])
        union = union_length(enters, leaves)
        total += (union - covered) * layer[0].attenuation
        covered = union
    return total


def union_length(enters: NDArray[np.float64], leaves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the length of the union of n intervals on each ray.

    Args:
        enters: shape (n, ...).
        leaves: the same shape, nowhere less than `enters`.

    Returns:
        Shape (...).
    """
    order = np.argsort(enters, axis=0)
    starts = np.take_along_axis(enters, order, axis=0)
    ends = np.maximum.accumulate(np.take_along_axis(leaves, order, axis=0), axis=0)
    fresh = np.maximum(starts[1:], ends[:-1])
    length: NDArray[np.float64] = (ends[0] - starts[0]) + (ends[1:] - fresh).clip(0).sum(axis=0)
    return length


def _add_details(picture: NDArray[np.float64], details: tuple[Body, ...], beam: Beam) -> None:
    rays = cast(beam, *picture.shape)
    # Bodies thinner than half a pixel are invisible, and half of the vessels are that thin.
    thinnest = 0.25 * beam.field_mm[0] / picture.shape[0]
    for body in details:
        if np.abs(body.to_unit).max() * thinnest > 1:
            continue
        rows, columns = _shadow(body, beam, picture.shape)
        patch = picture[rows, columns]
        if patch.size:
            patch += chord(body, *rays.at(rows, columns)) * (body.attenuation - body.replaces)


def _shadow(body: Body, beam: Beam, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Give the rows and columns that the box around a body can be projected to."""
    across, along = beam.axes()
    deep = float(np.abs(along) @ body.half_box)
    nearest = beam.detector_mm - float(body.centre @ along) + deep
    # Magnified like the side nearest to the source, which has the largest projection.
    grown = 1 / (1 - nearest / beam.source_mm)
    least = 1 / (1 - (nearest - 2 * deep) / beam.source_mm)
    height, width = beam.field_mm
    up = float(body.centre[2]) - beam.centre_mm[0]
    aside = float(body.centre @ across)
    rows = _window(-up, float(body.half_box[2]), (least, grown), shape[0] / height, shape[0])
    half = float(np.abs(across) @ body.half_box)
    pixel = shape[1] / width
    columns = _window(aside, half, (least, grown), pixel, shape[1], -beam.centre_mm[1])
    return rows, columns


def _window(
    middle: float,
    half: float,
    grown: tuple[float, float],
    pixels_per_mm: float,
    length: int,
    shift: float = 0.0,
) -> slice:
    edges = [(middle + sign * half) * factor for sign in (-1, 1) for factor in grown]
    first = math.floor((min(edges) + shift) * pixels_per_mm + length / 2)
    last = math.ceil((max(edges) + shift) * pixels_per_mm + length / 2)
    first = min(max(first, 0), length)
    return slice(first, min(max(last, first), length))
