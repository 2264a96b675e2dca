"""Builds a patient's anatomy: layers of tissue and details within them."""

from dataclasses import dataclass

from cxrview.phantom.bodies import Body
from cxrview.phantom.organs import airways, lungs, mediastinum, muscle, surface, vessels
from cxrview.phantom.patient import Patient
from cxrview.phantom.skeleton import rib_cage, shoulder_girdle, spine_of, vertebrae


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """The bodies of one patient in one posture."""

    patient: Patient
    layers: tuple[tuple[Body, ...], ...]
    """Each layer is one tissue; along a ray a later layer replaces the earlier ones."""
    details: tuple[Body, ...]
    """Small bodies, each counted as the difference from the tissue that it replaces."""

    def mirrored(self) -> "Anatomy":
        """Mirror the anatomy, left and right exchanged, as in situs inversus."""
        return Anatomy(
            patient=self.patient,
            layers=tuple(tuple(body.mirrored() for body in layer) for layer in self.layers),
            details=tuple(body.mirrored() for body in self.details),
        )


def build_thorax(patient: Patient, *, arms_raised: bool) -> Anatomy:
    """Build the anatomy of a patient.

    Args:
        patient: see `draw_patient`.
        arms_raised: arms forwards and up, as for a lateral view, instead of down.
    """
    spine = spine_of(patient)
    both_lungs = lungs(patient)
    layers = [
        surface(patient, arms_raised),
        muscle(patient, arms_raised),
        both_lungs,
        mediastinum(patient, spine),
        airways(patient),
    ]
    details = [
        *vertebrae(spine),
        *rib_cage(spine, both_lungs),
        *shoulder_girdle(arms_raised, patient.arms_degrees),
        *vessels(patient),
    ]
    return Anatomy(
        patient=patient,
        layers=tuple(tuple(body.scaled(patient.size) for body in layer) for layer in layers),
        details=tuple(body.scaled(patient.size) for body in details),
    )
