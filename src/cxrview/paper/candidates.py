"""The paper's nine candidates as rows of data: three pre-trainings, three fine-tunings."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from cxrview.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Stochastic gradient descent as in the paper (section 3); every value can be changed."""

    rate: float
    """Base learning rate."""
    is_nesterov: bool
    epochs: int = 30
    batch: int = 24
    momentum: float = 0.9
    weight_decay: float = 0.0005
    rate_divisor: float = 10.0
    rate_epochs: int = 10
    """The rate is divided each time so many epochs are done."""
    auxiliary_weight: float = 0.3
    """Weight of the two auxiliary losses. Ours: the paper does not say."""

    def rate_at(self, epoch: int) -> float:
        """Learning rate of an epoch, counted from 0."""
        return self.rate / self.rate_divisor ** (epoch // self.rate_epochs)

    def with_changes(
        self,
        *,
        rate: float | None = None,
        is_nesterov: bool | None = None,
        epochs: int | None = None,
        batch: int | None = None,
        momentum: float | None = None,
        weight_decay: float | None = None,
        rate_divisor: float | None = None,
        rate_epochs: int | None = None,
        auxiliary_weight: float | None = None,
    ) -> "Schedule":
        """The same schedule with some values changed; None leaves a value as it is.

        Raises:
            UsageError: the rate cannot be divided so, or Nesterov's momentum would be 0.
        """
        given = {
            "rate": rate,
            "is_nesterov": is_nesterov,
            "epochs": epochs,
            "batch": batch,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "rate_divisor": rate_divisor,
            "rate_epochs": rate_epochs,
            "auxiliary_weight": auxiliary_weight,
        }
        changes: dict[str, Any] = {
            name: value for name, value in given.items() if value is not None
        }
        changed = replace(self, **changes)
        if not changed.rate_divisor > 0:
            raise UsageError(f"--rate-divisor is above 0; got {changed.rate_divisor:g}")
        if changed.is_nesterov and not changed.momentum > 0:
            raise UsageError(
                "Nesterov's momentum cannot be 0", "Use --no-nesterov, or a --momentum above 0"
            )
        return changed


@dataclass(frozen=True, slots=True, kw_only=True)
class PreTraining:
    """Training of a model before it sees radiographs (paper, section 3)."""

    name: str
    images: int
    """Training pictures as published; decides between candidates of equal accuracy."""
    schedule: Schedule | None
    """Of the training on grey pictures; None for the unchanged published colour weights."""
    is_subset: bool = False
    """On the 100 classes of `dataset.natural.ilsvrc` instead of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuning:
    """How a pre-trained model is trained on radiographs (paper, section 4)."""

    name: str
    schedule: Schedule
    is_trunk_trained: bool
    """Train all layers, not only the fully connected one."""
    is_augmented: bool
    """Train and validate on the 106 variants of each progenitor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One of the nine combinations."""

    pre_training: str
    fine_tuning: str

    @property
    def name(self) -> str:
        """`grey/all-augmented`."""
        return f"{self.pre_training}/{self.fine_tuning}"


_ILSVRC, _SUBSET = 1_281_167, 128_769
_GREY = Schedule(rate=0.0005, is_nesterov=True)

PRE_TRAININGS = {
    row.name: row
    for row in (
        PreTraining(name="colour", images=_ILSVRC, schedule=None),
        PreTraining(name="grey", images=2 * _ILSVRC, schedule=_GREY),
        PreTraining(name="grey-subset", images=_ILSVRC + _SUBSET, schedule=_GREY, is_subset=True),
    )
}
"""Both grey ones start from the colour weights."""

FINE_TUNINGS = {
    row.name: row
    for row in (
        FineTuning(
            name="fc-original",
            schedule=Schedule(rate=0.005, is_nesterov=False),
            is_trunk_trained=False,
            is_augmented=False,
        ),
        FineTuning(
            name="fc-augmented",
            schedule=Schedule(rate=0.005, is_nesterov=False),
            is_trunk_trained=False,
            is_augmented=True,
        ),
        FineTuning(
            name="all-augmented",
            schedule=Schedule(rate=0.0005, is_nesterov=False),
            is_trunk_trained=True,
            is_augmented=True,
        ),
    )
}

CANDIDATES = tuple(
    Candidate(pre_training=pre, fine_tuning=fine)
    for pre, fine in product(PRE_TRAININGS, FINE_TUNINGS)
)
PAPERS_CHOICE = Candidate(pre_training="grey", fine_tuning="all-augmented")
"""The candidate that the paper chose (section 5)."""


def fine_tuning_named(name: str) -> FineTuning:
    """The fine-tuning method of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in FINE_TUNINGS:
        raise UsageError(f"method {name} does not exist", f"Choose from {', '.join(FINE_TUNINGS)}")
    return FINE_TUNINGS[name]
