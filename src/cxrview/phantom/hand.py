"""A hand, as an image that is not a chest radiograph."""

import numpy as np
from numpy.typing import ArrayLike

from cxrview.phantom.bodies import CORTEX, MARROW, SOFT, SPONGY, Body, Vectors, ellipsoid, tube
from cxrview.phantom.patient import Patient
from cxrview.phantom.thorax import Anatomy

FINGERS = (
    (-58.0, -52.0, 0.62),
    (-26.0, -20.0, 0.94),
    (-2.0, -2.0, 1.0),
    (20.0, 18.0, 0.93),
    (40.0, 42.0, 0.75),
)
"""Thumb to little finger: x of the knuckle, sideways lean in mm, length of the finger."""


def build_hand(patient: Patient) -> Anatomy:
    """Make a hand flat on the detector, with its centre near z = 10 mm."""
    flesh: list[Body] = [
        ellipsoid([-4, 0, 20], [54, 16, 66], SOFT),
        *tube([[0, 0, -160], [0, 0, -20]], 30, 22, SOFT, flat_towards=(1, 0, 0)),
    ]
    bones: list[Body] = [*_long_bone([-14, 0, -170], [-16, 0, -52], 11.0)]
    bones += _long_bone([16, 0, -170], [14, 0, -52], 9.0)
    bones += _wrist()
    for knuckle, lean, length in FINGERS:
        joints = _joints(knuckle, lean, length)
        flesh += tube(joints[1:], 9.5, 9.5, SOFT, flat_towards=(1, 0, 0))
        flesh.append(ellipsoid(joints[-1], [9.5, 9.5, 11], SOFT))
        for start, end, radius in zip(joints, joints[1:], (5.0, 5.0, 4.2, 3.4), strict=False):
            gap = (end - start) * 0.06
            bones += _long_bone(start + gap, end - gap, radius)
    return Anatomy(patient=patient, layers=(tuple(flesh),), details=tuple(bones))


def _joints(knuckle: float, lean: float, length: float) -> Vectors:
    root = np.array([knuckle * 0.45, 0.0, -22.0])
    head = np.array([knuckle, 0.0, 46.0 if length > 0.7 else 18.0])
    step = np.array([lean * 0.0075, 0.0, 1.0])
    reach = np.cumsum([40.0, 26.0, 20.0]) * length
    return np.stack([root, head, *(head + step * far for far in reach)])


def _long_bone(start: ArrayLike, end: ArrayLike, radius: float) -> list[Body]:
    path = np.stack([np.asarray(start, dtype=float), np.asarray(end, dtype=float)])
    return [
        *tube(path, radius, radius, CORTEX, replaces=SOFT, flat_towards=(1, 0, 0)),
        *tube(path, radius - 1.6, radius - 1.6, MARROW, replaces=CORTEX, flat_towards=(1, 0, 0)),
        *(ellipsoid(p, [radius * 1.3, radius, 5], SPONGY, replaces=SOFT) for p in path),
    ]


def _wrist() -> list[Body]:
    places = [(-16, -42), (0, -44), (15, -40), (-20, -30), (-6, -28), (7, -28), (19, -28)]
    return [ellipsoid([x, 0, z], [7, 6, 6.5], SPONGY, replaces=SOFT) for x, z in places]
