"""The outputs of a model for a batch of images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUARTER_TURNS = 4
"""Answers to how far a picture is turned: by 0, 90, 180 and 270 degrees clockwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseAnswer:
    """What a model says of one image besides view and chest, in percent, 0 to 100.

    Attributes:
        turns: probability that the upright picture was turned by 0, 90, 180, 270 degrees clockwise.
        mirrored: probability that left and right were exchanged, before any turn; of a frontal
            radiograph.
        inverted: probability that bone is dark.
        projection_ap: probability that a frontal radiograph is AP and not PA.
    """

    turns: tuple[float, float, float, float]
    mirrored: float
    inverted: float
    projection_ap: float

    @property
    def rotation(self) -> int:
        """The most probable turn: 0, 90, 180 or 270 degrees clockwise."""
        return 90 * self.turns.index(max(self.turns))


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseAnswers:
    """As `PoseAnswer`, for n images; iterating gives one `PoseAnswer` each.

    Attributes:
        turns: shape (n, 4).
        mirrored: shape (n,).
        inverted: shape (n,).
        projection_ap: shape (n,).
    """

    turns: NDArray[np.float64]
    mirrored: NDArray[np.float64]
    inverted: NDArray[np.float64]
    projection_ap: NDArray[np.float64]

    def __iter__(self) -> Iterator[PoseAnswer]:
        for turns, mirrored, inverted, projection_ap in zip(
            self.turns, self.mirrored, self.inverted, self.projection_ap, strict=True
        ):
            none, quarter, half, three_quarters = map(float, turns)
            yield PoseAnswer(
                turns=(none, quarter, half, three_quarters),
                mirrored=float(mirrored),
                inverted=float(inverted),
                projection_ap=float(projection_ap),
            )

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "PoseAnswers":
        """Select images.

        Args:
            chosen: shape (n,) of bool, or indices.
        """
        return PoseAnswers(
            turns=self.turns[chosen],
            mirrored=self.mirrored[chosen],
            inverted=self.inverted[chosen],
            projection_ap=self.projection_ap[chosen],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outputs of a model for one image, in percent, 0 to 100.

    Attributes:
        pfi: probability of frontal.
        chest: probability that it is a chest radiograph at all; None of a model without this
            output.
        pose: turn, mirroring, inversion and projection; None of a model without these outputs.
        is_of_second: whether `pfi` and `chest` are those of the second model of a cascade.
    """

    pfi: float
    chest: float | None = None
    pose: PoseAnswer | None = None
    is_of_second: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The outputs of a model for a batch of n images; iterating gives one `Answer` each.

    Attributes:
        pfi: shape (n,), probability of frontal, percent, 0 to 100.
        chest: shape (n,), probability that it is a chest radiograph at all, percent, 0 to
            100; None of a model without this output.
        pose: turn, mirroring, inversion and projection; None of a model without these outputs.
        is_of_second: shape (n,), whether `pfi` and `chest` are those of the second model of a
            cascade; None of a single model.
    """

    pfi: NDArray[np.float64]
    chest: NDArray[np.float64] | None = None
    pose: PoseAnswers | None = None
    is_of_second: NDArray[np.bool_] | None = None

    def __iter__(self) -> Iterator[Answer]:
        poses: Sequence[PoseAnswer] | None = None if self.pose is None else list(self.pose)
        for number, pfi in enumerate(self.pfi):
            yield Answer(
                pfi=float(pfi),
                chest=None if self.chest is None else float(self.chest[number]),
                pose=poses[number] if poses else None,
                is_of_second=self.is_of_second is not None and bool(self.is_of_second[number]),
            )


def join_answers(parts: Sequence[Answers]) -> Answers:
    """Join the outputs of one model for several batches, or for none."""
    chest = [one.chest for one in parts if one.chest is not None]
    poses = [one.pose for one in parts if one.pose is not None]
    second = [one.is_of_second for one in parts if one.is_of_second is not None]
    return Answers(
        pfi=np.concatenate([np.empty(0), *(one.pfi for one in parts)]),
        chest=np.concatenate(chest) if chest else None,
        pose=_join_poses(poses) if poses else None,
        is_of_second=np.concatenate(second) if second else None,
    )


def _join_poses(parts: Sequence[PoseAnswers]) -> PoseAnswers:
    return PoseAnswers(
        turns=np.concatenate([one.turns for one in parts]),
        mirrored=np.concatenate([one.mirrored for one in parts]),
        inverted=np.concatenate([one.inverted for one in parts]),
        projection_ap=np.concatenate([one.projection_ap for one in parts]),
    )
