"""Soft tissue of a thorax: skin and muscle, lungs and their vessels, heart, aorta, abdomen."""

import numpy as np
from numpy.typing import ArrayLike

from cxrview.phantom.bodies import AIR, FAT, LUNG, SOFT, Body, Vectors, ellipsoid, tube
from cxrview.phantom.patient import Patient
from cxrview.phantom.skeleton import Spine, arm_direction, shoulder

HILUM = np.array([32.0, 12.0, 112.0])
"""Hilum of the left lung, in mm; mirrored on the right."""


def lungs(patient: Patient) -> list[Body]:
    """Make both lungs: one ellipsoid each, and one for the deep part beside the spine."""
    high = patient.lung
    left = [
        ellipsoid([66, -2, -10], [75, 92, 246 * high], LUNG, tilt_degrees=(-4, 3, 0), above=-75),
        ellipsoid([72, 36, 0], [58, 66, 225 * high], LUNG, tilt_degrees=(-4, 4, 0), above=-75),
    ]
    return [*left, *(body.mirrored() for body in left)]


def surface(patient: Patient, arms_raised: bool) -> list[Body]:
    """Make the outline: trunk, neck, shoulders, arms and breasts, under one layer of fat."""
    return _trunk(patient, arms_raised, patient.fat_mm, FAT)


def muscle(patient: Patient, arms_raised: bool) -> list[Body]:
    """Make the outline without the layer of fat."""
    return _trunk(patient, arms_raised, 0.0, SOFT)


def mediastinum(patient: Patient, spine: Spine) -> list[Body]:
    """Make the soft tissue that replaces the air of the lungs: heart, vessels, diaphragm, spine."""
    z = np.array([330.0, 270, 210, 150, 90, 30, -30, -90, -160])
    beside_spine = spine.at(z) + [0, 6, 0]
    return [
        *tube(beside_spine, 24.0, 27.0, SOFT, flat_towards=(1, 0, 0)),
        *_heart(patient),
        *_great_vessels(patient, spine),
        *_diaphragm(patient),
    ]


def airways(patient: Patient) -> list[Body]:
    """Make trachea, main bronchi, and the gas of the stomach with its flat lower level."""
    fork = (-3, 24, 142)
    trachea = np.array([(0, -2, 330), (0, 2, 280), (0, 10, 230), (-2, 18, 185), fork])
    right = np.array([fork, (-24, 26, 116), (-40, 26, 98)])
    left = np.array([fork, (22, 28, 122), (44, 28, 106)])
    bodies = tube(trachea, 8.5, 8.0, AIR, flat_towards=(1, 0, 0))
    bodies += tube(right, 6.5, 6.5, AIR) + tube(left, 6.0, 6.0, AIR)
    if patient.gas_mm >= 8:
        wide = patient.gas_mm
        bubble = [62.0, -8.0, -34.0 - 0.35 * wide]
        bodies.append(ellipsoid(bubble, [wide, 0.8 * wide, 0.62 * wide], AIR, above=bubble[2] - 4))
    return bodies


def vessels(patient: Patient) -> list[Body]:
    """Make the branching vessels of both lungs, thinner from the hilum outwards."""
    rng = np.random.default_rng([patient.seed, 1])
    return [body for side in (1.0, -1.0) for body in _tree(rng, side)]


def _trunk(patient: Patient, arms_raised: bool, layer: float, made_of: float) -> list[Body]:
    def solid(
        centre: ArrayLike, semi: ArrayLike, tilt: tuple[float, float, float] = (0, 0, 0)
    ) -> Body:
        return ellipsoid(centre, np.asarray(semi) + layer, made_of, tilt_degrees=tilt)

    slim = 0.96 if patient.sex == "F" else 1.0
    slope = [[16, 28, 256], [84, 30, 232], [152, 12, 212]]
    pairs = [
        solid([42, 5, 45], [112 * slim, 112, 222]),
        solid([98, 36, 120], [54, 58, 140], (0, 8, 0)),  # latissimus
        solid([74, -52, 150], [72, 44, 74], (14, 0, 0)),  # pectorals
        *tube(slope, 29 + layer / 2, 36 + layer / 2, made_of),
        *_arm(patient, arms_raised, layer, made_of),
    ]
    middle = [
        solid([0, 4, -120], [148 * slim, 112, 220]),
        *tube(
            [[0, 28, 110], [0, 48, 192], [0, 34, 262], [0, 14, 330]],
            50 + layer / 2,
            62 + layer / 2,
            made_of,
        ),
        solid([0, -42, 430], [70, 92, 104]),
    ]
    if patient.sex == "F" and layer:
        pairs.append(solid([74, -78, 48], [50, 40, 74], (-14, 0, -10)))
    return [*middle, *pairs, *(body.mirrored() for body in pairs)]


def _arm(patient: Patient, arms_raised: bool, layer: float, made_of: float) -> list[Body]:
    start = shoulder(arms_raised)
    along = arm_direction(arms_raised, patient.arms_degrees)
    thick = 40 if patient.sex == "F" else 46
    path = [start - along * 6, start + along * 120, start + along * 360]
    radii = [thick + 0.6 * layer] * 2
    deltoid = ellipsoid(start, np.array([40, 44, 42]) + 0.6 * layer, made_of)
    return [deltoid, *tube(path, radii, radii, made_of, flat_towards=(0, 1, 0))]


def _heart(patient: Patient) -> list[Body]:
    wide = patient.heart
    return [
        # The left ventricle: its long axis points left, forwards and down.
        ellipsoid([32 * wide, -38, 38], [66 * wide, 46, 44], SOFT, tilt_degrees=(14, 34, -24)),
        ellipsoid([-8, -26, 54], [36 * wide, 40, 50], SOFT, tilt_degrees=(0, 8, 0)),  # right atrium
        ellipsoid([8, 4, 74], [38, 32, 34], SOFT),  # left atrium
        ellipsoid([12, -52, 46], [46 * wide, 34, 44], SOFT),  # right ventricle
        ellipsoid([22, -20, 104], [28, 34, 34], SOFT),  # pulmonary trunk
    ]


def _great_vessels(patient: Patient, spine: Spine) -> list[Body]:
    arch = patient.aorta
    down = spine.at(np.linspace(150, -120, 9)) + np.array([1.0, -16.0, 0.0])
    down[:, 0] += np.linspace(24, 6, 9)
    return [
        ellipsoid([-2, -14, 190], [25, 44, 62], SOFT),
        ellipsoid([-4, 6, 250], [32, 36, 60], SOFT),
        ellipsoid([-22, -12, 132], [13, 16, 70], SOFT),  # superior vena cava
        ellipsoid([20, 4, 158], [20 * arch, 34, 17 * arch], SOFT),  # aortic arch
        ellipsoid([-4, -24, 130], [24, 26, 46], SOFT),  # ascending aorta
        *tube(down, 12 * arch, 12 * arch, SOFT),
        *(ellipsoid(HILUM * [s, 1, 1], [15, 16, 24], SOFT) for s in (1.0, -1.0)),
    ]


def _diaphragm(patient: Patient) -> list[Body]:
    low = 14 * (patient.lung - 1) / 0.1
    return [
        ellipsoid([-70, -12, -112 - low], [104, 126, 134], SOFT, tilt_degrees=(10, -4, 0)),
        ellipsoid([76, -14, -118 - low], [98, 124, 128], SOFT, tilt_degrees=(10, 5, 0)),
        ellipsoid([0, -20, -100 - low], [76, 96, 116], SOFT),
    ]


def _tree(rng: np.random.Generator, side: float) -> list[Body]:
    hilum = HILUM * [side, 1, 1]
    centre = np.array([side * 74, 4, 70])
    bodies: list[Body] = []
    for _ in range(15):
        outward = rng.normal(size=3)
        outward[0] = side * abs(outward[0])
        outward /= np.linalg.norm(outward)
        end = centre + outward * [56, 72, 125] * rng.uniform(0.6, 0.98)
        bodies += _branch(rng, hilum + rng.normal(0, 6, 3), end, rng.uniform(2.6, 4.6), 3)
    return bodies


def _branch(
    rng: np.random.Generator, start: Vectors, end: Vectors, radius: float, generations: int
) -> list[Body]:
    length = float(np.linalg.norm(end - start))
    bend = rng.normal(0, 0.05, 3) * length
    path = [start, start + (end - start) * 0.35 + bend, start + (end - start) * 0.7 + bend, end]
    radii = [radius, radius * 0.75, radius * 0.5]
    bodies = tube(path, radii, radii, SOFT, replaces=LUNG)
    if generations > 1:
        for at in (path[1], path[2], path[2]):
            aside = rng.normal(0, 0.28, 3) * length
            tip = at + (end - at) * rng.uniform(0.5, 0.9) + aside
            bodies += _branch(rng, at, tip, radius * 0.55, generations - 1)
    return [body for body in bodies if body.centre[2] > 10]
