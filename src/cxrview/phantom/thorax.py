"""Puts a patient's bodies together: painted layers and the details that lie in them."""

from dataclasses import dataclass

from cxrview.phantom.bodies import Body
from cxrview.phantom.organs import airways, lungs, mediastinum, muscle, surface, vessels
from cxrview.phantom.patient import Patient
from cxrview.phantom.skeleton import rib_cage, shoulder_girdle, spine_of, vertebrae


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """One patient in one posture, ready to be projected."""

    patient: Patient
    layers: tuple[tuple[Body, ...], ...]
    """Each layer is one tissue; along a ray a later layer takes the place of the earlier ones."""
    details: tuple[Body, ...]
    """Small bodies, each counted as the difference to the tissue that it replaces."""

    def mirrored(self) -> "Anatomy":
        """The same patient with left and right exchanged, as in situs inversus."""
        return Anatomy(
            patient=self.patient,
            layers=tuple(tuple(body.mirrored() for body in layer) for layer in self.layers),
            details=tuple(body.mirrored() for body in self.details),
        )


def build_thorax(patient: Patient, *, arms_raised: bool) -> Anatomy:
    """Give a patient a body.

    Args:
        patient: who; see `draw_patient`.
        arms_raised: forwards and up, as for a lateral view, instead of hanging.
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
