"""The scores of a classifier on images of known view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

PROGENITOR_NAME = "progenitor"
"""Name of the variant that is the unchanged image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """A classifier's PFI of images or of their variants; all arrays have the same order."""

    classifier: str
    """Such as `grey/all-augmented`, `lehmann`, or a `ModelCard.model_id`."""
    files: NDArray[np.str_]
    """Shape (n,), file of the progenitor, as in the labels file."""
    patients: NDArray[np.str_]
    """Shape (n,)."""
    variants: NDArray[np.str_]
    """Shape (n,), `Variant.name` of each."""
    is_frontal: NDArray[np.bool_]
    """Shape (n,), the truth."""
    pfi: NDArray[np.float64]
    """Shape (n,), percent, 0 to 100."""
    facts: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    """Properties of the images, such as `source` and `manufacturer`, each of shape (n,)."""
    chest: NDArray[np.float64] | None = None
    """Shape (n,), as in `Answers`."""

    def __post_init__(self) -> None:
        arrays = [self.files, self.patients, self.variants, self.is_frontal, *self.facts.values()]
        arrays += [] if self.chest is None else [self.chest]
        if any(array.shape != self.pfi.shape for array in arrays):
            raise ValueError(f"{self.classifier}: arrays of different lengths")
        if not ((self.pfi >= 0) & (self.pfi <= 100)).all():
            raise ValueError(f"{self.classifier}: pfi is a percentage, 0 to 100")
        if self.chest is not None and not ((self.chest >= 0) & (self.chest <= 100)).all():
            raise ValueError(f"{self.classifier}: chest is a percentage, 0 to 100")

    def __len__(self) -> int:
        return len(self.pfi)

    @property
    def is_progenitor(self) -> NDArray[np.bool_]:
        """Shape (n,): an unchanged image, on which every candidate is validated."""
        is_progenitor: NDArray[np.bool_] = self.variants == PROGENITOR_NAME
        return is_progenitor

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Shape (n,). Top-1 is the more probable of two classes, so the cutoff is a PFI of 50."""
        is_right: NDArray[np.bool_] = (self.pfi >= 50) == self.is_frontal
        return is_right

    @property
    def accuracy(self) -> float:
        """Share of correct images at top-1, 0 to 1, which the paper compares."""
        return float(self.is_right.mean())

    def where(self, chosen: NDArray[np.bool_]) -> "Scores":
        """Select rows, in their order; `chosen` has shape (n,)."""
        return replace(
            self,
            files=self.files[chosen],
            patients=self.patients[chosen],
            variants=self.variants[chosen],
            is_frontal=self.is_frontal[chosen],
            pfi=self.pfi[chosen],
            facts={kind: names[chosen] for kind, names in self.facts.items()},
            chest=None if self.chest is None else self.chest[chosen],
        )


def join_scores(parts: Sequence[Scores], classifier: str) -> Scores:
    """Concatenate scores of several classifiers or sets, under one name.

    Facts and `chest` are those that all parts have; there is at least one part.
    """
    chest = [one.chest for one in parts if one.chest is not None]
    kinds = [kind for kind in parts[0].facts if all(kind in one.facts for one in parts)]
    return Scores(
        classifier=classifier,
        files=np.concatenate([one.files for one in parts]),
        patients=np.concatenate([one.patients for one in parts]),
        variants=np.concatenate([one.variants for one in parts]),
        is_frontal=np.concatenate([one.is_frontal for one in parts]),
        pfi=np.concatenate([one.pfi for one in parts]),
        facts={kind: np.concatenate([one.facts[kind] for one in parts]) for kind in kinds},
        chest=np.concatenate(chest) if len(chest) == len(parts) else None,
    )
