"""The bones of a thorax: spine, ribs, sternum, clavicles, scapulae and arms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrview.phantom.bodies import (
    CORTEX,
    MARROW,
    SOFT,
    SPONGY,
    Body,
    Vectors,
    crossing,
    ellipsoid,
    tube,
)
from cxrview.phantom.patient import Patient

FIRST_THORACIC_Z = 222.0
"""Height of the body of T1 in mm; z = 0 lies near the top of the diaphragm."""
THORACIC_PITCH = 23.0
RIB_STRETCHES = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Spine:
    """The curve of the vertebrae."""

    kyphosis: float
    scoliosis_mm: float

    def at(self, z: ArrayLike) -> Vectors:
        """Give the centres of vertebral bodies at heights z in mm: shape (..., 3)."""
        height = np.asarray(z, dtype=np.float64)
        bend = np.cos((height - 95) / 190 * np.pi / 2)
        x = self.scoliosis_mm * np.sin((height + 60) / 130)
        return np.stack([x, 32 + 26 * self.kyphosis * bend, height], axis=-1)


def spine_of(patient: Patient) -> Spine:
    """Make the curve of a patient's spine."""
    return Spine(kyphosis=patient.kyphosis, scoliosis_mm=patient.scoliosis_mm)


def vertebrae(spine: Spine) -> list[Body]:
    """Make the vertebrae from the fourth cervical to the third lumbar one, with discs between."""
    bodies: list[Body] = []
    z = FIRST_THORACIC_Z
    for level in range(15):  # T1 to L3
        pitch = THORACIC_PITCH if level < 12 else 31.0
        bodies += _vertebra(spine, z, pitch, half_width=13.5 + 0.75 * level)
        z -= pitch + (4 if level == 11 else 0)
    for level in range(1, 5):  # C7 to C4
        bodies += _vertebra(spine, FIRST_THORACIC_Z + 17.5 * level, 17.0, half_width=12.0)
    return bodies


def rib_cage(spine: Spine, lungs: list[Body]) -> list[Body]:
    """Make twelve pairs of ribs on the lungs, and the sternum in front.

    Args:
        spine: the curve where the ribs begin.
        lungs: the ellipsoids that the ribs surround.
    """
    bodies: list[Body] = []
    for number in range(1, 13):
        for side in (1.0, -1.0):
            bodies += _rib(spine, lungs, number, side)
    return bodies + _sternum(lungs)


def shoulder_girdle(arms_raised: bool, arms_degrees: float) -> list[Body]:
    """Make clavicles, scapulae and humeri, with arms down or raised forwards."""
    left = [*_clavicle(), *_scapula(arms_raised), *_humerus(arms_raised, arms_degrees)]
    return left + [body.mirrored() for body in left]


def shoulder(arms_raised: bool) -> Vectors:
    """Give the centre of the head of the left humerus, shape (3,) in mm."""
    return np.array([146.0, -30.0, 240.0]) if arms_raised else np.array([168.0, 8.0, 200.0])


def arm_direction(arms_raised: bool, degrees: float) -> Vectors:
    """Give the direction of the left upper arm from its shoulder, a unit vector of shape (3,)."""
    if arms_raised:
        rise = np.radians(degrees)
        pointing = np.array([-0.12, -np.cos(rise), np.sin(rise)])
    else:
        pointing = np.array([0.26, 0.02, -1.0])
    return np.asarray(pointing / np.linalg.norm(pointing))


def _hollow(
    path: ArrayLike,
    width: float,
    thickness: float,
    shell: float,
    flat_towards: ArrayLike = (0, 0, 1),
) -> list[Body]:
    """Make a long bone: a shell of cortex around marrow."""
    inner = (width - shell, thickness - shell)
    return [
        *tube(path, width, thickness, CORTEX, replaces=SOFT, flat_towards=flat_towards),
        *tube(path, *inner, MARROW, replaces=CORTEX, flat_towards=flat_towards),
    ]


def _vertebra(spine: Spine, z: float, pitch: float, half_width: float) -> list[Body]:
    half = pitch * 0.4
    depth = 0.82 * half_width
    below, centre, above = spine.at([z - half, z, z + half])
    up = (above - below) / np.linalg.norm(above - below)
    side = np.array([1.0, 0.0, 0.0])
    back = np.cross(up, side)
    plate = up * 0.55

    def disc(
        low: Vectors, high: Vectors, grow: float, made_of: float, instead: float
    ) -> list[Body]:
        size = (half_width * grow, depth * grow)
        return tube([low, high], *size, made_of, replaces=instead, flat_towards=side)

    bodies = disc(below, above, 1.0, SPONGY, SOFT)
    bodies += disc(below - plate, below + plate, 1.06, CORTEX, SPONGY)
    bodies += disc(above - plate, above + plate, 1.06, CORTEX, SPONGY)
    arch = centre + back * (depth + 12) + up * half * 0.2
    spinous = arch + back * 20 - up * pitch * 0.75
    for sign in (1.0, -1.0):
        root = centre + side * sign * half_width * 0.72 + up * half * 0.35
        pedicle = [root + back * depth * 0.8, root + back * (depth + 11)]
        bodies += tube(pedicle, half * 0.5, 2.6, SPONGY, replaces=SOFT)
        tip = pedicle[1] + side * sign * 17 + back * 8 + up * 3
        bodies += tube([pedicle[1], tip], 4.0, 3.5, SPONGY, replaces=SOFT)
        bodies += tube([pedicle[1], arch + back * 5], half * 0.75, 2.5, SPONGY, replaces=SOFT)
    return bodies + tube([arch, spinous], 4.5, 1.6, SPONGY, replaces=SOFT)


def _rib_path(spine: Spine, lungs: list[Body], number: int, side: float) -> Vectors:
    """Compute the centre line of a rib from its head to its cartilage, shape (n, 3)."""
    joint_z = FIRST_THORACIC_Z + 6 - THORACIC_PITCH * (number - 1)
    joint = spine.at(joint_z)
    last = np.radians({1: 138, 2: 146, 11: 104, 12: 76}.get(number, 152 - 1.5 * number))
    angle = np.linspace(np.radians(15), last, RIB_STRETCHES)
    fall = {1: 40, 2: 58, 11: 82, 12: 78}.get(number, 76 + 5 * number if number < 8 else 112)
    # A rib rises a little from its joint, then falls, most steeply at the side.
    z = joint_z + 7 * np.sin(np.minimum(angle * 2.2, np.pi)) - fall * np.sin(angle / 2) ** 2.4
    reach = _outside(lungs, angle, np.minimum(z, 200 - 4 * abs(number - 1)), side) + 5
    path = np.stack(
        [side * reach * np.sin(angle), 5 + reach * np.cos(angle), z],
        axis=-1,
    )
    head = np.array([joint[0] + side * 15, joint[1] + 8, joint_z])
    tubercle = np.array([joint[0] + side * 32, joint[1] + 26, joint_z + 3])
    keep = np.abs(path[:, 0] - joint[0]) > 40
    return np.concatenate([[head, tubercle], path[keep]])


def _outside(
    lungs: list[Body], angle: NDArray[np.float64], z: NDArray[np.float64], side: float
) -> NDArray[np.float64]:
    """Compute the distance from the middle axis to the lungs' surface, by angle from the back."""
    zero = np.zeros_like(angle)
    origin = np.stack([zero, zero + 5, z], axis=-1)
    outward = np.stack([side * np.sin(angle), np.cos(angle), zero], axis=-1)
    exits = [crossing(body, origin, outward) for body in lungs]
    met = [np.where(leave > enter, leave, 0) for enter, leave in exits]
    return np.asarray(np.maximum(np.max(met, axis=0), 30))


def _rib(spine: Spine, lungs: list[Body], number: int, side: float) -> list[Body]:
    path = _rib_path(spine, lungs, number, side)
    wide = 7.2 if number < 11 else 5.0
    # A rib's flat side faces the lung, so its wide axis is nearly vertical.
    return _hollow(path, wide, 4.6, 1.4, flat_towards=(0.0, 0.0, 1.0))


def _sternum(lungs: list[Body]) -> list[Body]:
    z = np.array([192.0, 165.0, 138.0, 110.0, 82.0, 56.0, 40.0])
    front = 6 + np.array([58, 70, 80, 87, 92, 95, 95]) * _depth(lungs)
    path = np.stack([np.zeros_like(z), -front, z], axis=-1)
    wide = [24, 20, 15, 16, 17, 12]
    thin = [6.5, 5.5, 5, 5, 5, 4]
    shell = tube(path, wide, thin, CORTEX, replaces=SOFT, flat_towards=(1, 0, 0))
    inside = (np.array(wide) - 1.2, np.array(thin) - 1.2)
    core = tube(
        path, list(inside[0]), list(inside[1]), MARROW, replaces=CORTEX, flat_towards=(1, 0, 0)
    )
    return shell + core


def _depth(lungs: list[Body]) -> float:
    """Compute how far the lungs extend forwards, relative to an average chest."""
    foremost = min(float(body.centre[1] - 1 / np.linalg.norm(body.to_unit[:, 1])) for body in lungs)
    return -foremost / 92


def _clavicle() -> list[Body]:
    path = [
        [20, -66, 192], [34, -68, 198], [50, -68, 205], [68, -62, 212], [88, -50, 219],
        [108, -36, 225], [126, -24, 229], [142, -16, 230], [152, -12, 228],
    ]  # fmt: skip
    return _hollow(path, 6.2, 5.2, 1.6)


def _scapula(arms_raised: bool) -> list[Body]:
    out = 0.0 if arms_raised else 14.0
    turn = 24.0 if arms_raised else 38.0
    blade = ellipsoid(
        [108 + out, 82 - out, 140],
        [40, 2.6, 66],
        CORTEX,
        replaces=SOFT,
        tilt_degrees=(-6, -10, -turn),
    )
    socket = shoulder(arms_raised) + np.array([-20, 8, -6])
    lower = np.array([100 + out, 92 - out, 78])
    border = np.linspace(socket + [-4, 10, -14], lower, 7)
    ridge = np.array(
        [(76 + out, 96 - out, 180), (112 + out, 84 - out, 204), (148, 40, 226), (166, 10, 232)]
    )
    coracoid = socket + np.array([[-14, -2, 12], [-10, -22, 16], [2, -32, 10]])
    return [
        blade,
        *_hollow(border, 4.2, 3.4, 1.3),
        *_hollow(ridge, 5.0, 4.0, 1.2),
        *_hollow(coracoid, 4.6, 4.6, 1.4),
        ellipsoid(socket, [5, 13, 18], SPONGY, replaces=SOFT),
    ]


def _humerus(arms_raised: bool, degrees: float) -> list[Body]:
    head = shoulder(arms_raised)
    along = arm_direction(arms_raised, degrees)
    shaft = [head + along * step for step in (18.0, 60.0, 330.0)]
    return [
        ellipsoid(head, [23, 23, 23], CORTEX, replaces=SOFT),
        ellipsoid(head, [22.4, 22.4, 22.4], MARROW, replaces=CORTEX),
        *_hollow(shaft, 11.5, 11.5, 3.2, flat_towards=(0, 1, 0)),
    ]
