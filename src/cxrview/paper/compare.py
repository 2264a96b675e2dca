"""Compares the nine candidates on validation images and chooses one, as the paper does.

Each of the paper's tests is complemented by an interval that does not treat images of one patient,
or variants of one image, as independent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.paper.candidates import CANDIDATES, PRE_TRAININGS, Candidate
from cxrview.records.evaluation import ChiSquared, Interval
from cxrview.records.model_card import Cutoff
from cxrview.records.scores import Scores
from cxrview.stats import patient_bootstrap, pooled_chi_squared, youden_cutoff

_COLOUR, _FULL, _SUBSET = "colour", "grey", "grey-subset"
_GREY = (_FULL, _SUBSET)
_ALL = (_COLOUR, _FULL, _SUBSET)
_EVERY = ("fc-original", "fc-augmented", "all-augmented")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two groups of candidates that the paper compares, and its result."""

    name: str
    first: frozenset[Candidate]
    second: frozenset[Candidate]
    paper_percent: tuple[float, float]
    paper_p: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonResult:
    """One of the paper's comparisons with our counts."""

    comparison: Comparison
    first: tuple[int, int]
    """Correct and all images, summed over the pool's candidates."""
    second: tuple[int, int]
    chi_squared: ChiSquared | None
    """None if the pools have no error, or only errors, so that there is nothing to test."""
    difference_on_progenitors: float
    """Mean accuracy of the first pool minus that of the second, same images, 0 to 1."""
    interval: Interval
    """95 % interval of that difference, by a bootstrap over patients."""


def _pool(pre_trainings: Sequence[str], fine_tunings: Sequence[str]) -> frozenset[Candidate]:
    return frozenset(
        candidate
        for candidate in CANDIDATES
        if candidate.pre_training in pre_trainings and candidate.fine_tuning in fine_tunings
    )


COMPARISONS = (
    Comparison(
        name="grey (either) against colour pre-training",
        first=_pool(_GREY, _EVERY),
        second=_pool([_COLOUR], _EVERY),
        paper_percent=(99.5, 93.2),
        paper_p="< 0.001",
    ),
    Comparison(
        name="full against subset greyscale",
        first=_pool([_FULL], _EVERY),
        second=_pool([_SUBSET], _EVERY),
        paper_percent=(99.6, 99.3),
        paper_p="< 0.001",
    ),
    Comparison(
        name="fc-augmented against fc-original",
        first=_pool(_ALL, ["fc-augmented"]),
        second=_pool(_ALL, ["fc-original"]),
        paper_percent=(95.2, 93.4),
        paper_p="< 0.01",
    ),
    Comparison(
        name="all-augmented against fc-augmented",
        first=_pool(_ALL, ["all-augmented"]),
        second=_pool(_ALL, ["fc-augmented"]),
        paper_percent=(99.6, 95.2),
        paper_p="< 0.001",
    ),
    Comparison(
        name="greyscale only: all-augmented against fc-augmented",
        first=_pool(_GREY, ["all-augmented"]),
        second=_pool(_GREY, ["fc-augmented"]),
        paper_percent=(99.7, 99.2),
        paper_p="< 0.001",
    ),
)
"""Paper, section 5."""


def compare_candidates(
    validated: Mapping[Candidate, Scores], *, seed: int, rounds: int = 2000
) -> tuple[ComparisonResult, ...]:
    """Make the paper's five comparisons.

    Args:
        validated: of all nine candidates; their progenitors are the same images in one order.
        seed: of the bootstrap.
        rounds: bootstrap samples.

    Raises:
        ValueError: a candidate is missing, or they were validated on different progenitors.
    """
    _check(validated)
    return tuple(_compare(comparison, validated, seed, rounds) for comparison in COMPARISONS)


def choose_candidate(validated: Mapping[Candidate, Scores]) -> Candidate:
    """Choose the highest validation accuracy; among equals, the most pre-training images.

    Source:
        Paper, section 5. Where both are equal, the first in CANDIDATES (ours).
    """
    return max(
        validated,
        key=lambda c: (
            validated[c].accuracy,
            PRE_TRAININGS[c.pre_training].images,
            -CANDIDATES.index(c),
        ),
    )


def choose_cutoff(validated: Scores) -> Cutoff:
    """Set the cutoff on the candidate's validation progenitors.

    Ours: the paper sets it on the test images.
    """
    shown = validated.is_progenitor
    return youden_cutoff(validated.pfi[shown], validated.is_frontal[shown])


def _check(validated: Mapping[Candidate, Scores]) -> None:
    missing = [c.name for c in CANDIDATES if c not in validated]
    if missing:
        raise ValueError(f"no validation of {', '.join(missing)}")
    first = validated[CANDIDATES[0]]
    for candidate, other in validated.items():
        same = all(
            np.array_equal(a[first.is_progenitor], b[other.is_progenitor])
            for a, b in ((first.files, other.files), (first.is_frontal, other.is_frontal))
        )
        if not same:
            raise ValueError(f"{candidate.name} was validated on other progenitors than the rest")


def _compare(
    comparison: Comparison, validated: Mapping[Candidate, Scores], seed: int, rounds: int
) -> ComparisonResult:
    first, second = (_count(pool, validated) for pool in (comparison.first, comparison.second))
    shares = [_share_right(pool, validated) for pool in (comparison.first, comparison.second)]
    difference = shares[0] - shares[1]
    any_one = validated[CANDIDATES[0]]
    return ComparisonResult(
        comparison=comparison,
        first=first,
        second=second,
        chi_squared=_test(first, second),
        difference_on_progenitors=float(difference.mean()),
        interval=patient_bootstrap(
            difference, any_one.patients[any_one.is_progenitor], seed=seed, rounds=rounds
        ),
    )


def _count(pool: frozenset[Candidate], validated: Mapping[Candidate, Scores]) -> tuple[int, int]:
    right = [validated[candidate].is_right for candidate in pool]
    return sum(int(r.sum()) for r in right), sum(len(r) for r in right)


def _share_right(
    pool: frozenset[Candidate], validated: Mapping[Candidate, Scores]
) -> NDArray[np.float64]:
    """Shape (progenitors,): share of the pool's candidates that are right on each, 0 to 1."""
    right = [validated[c].is_right[validated[c].is_progenitor] for c in pool]
    share: NDArray[np.float64] = np.mean(right, axis=0)
    return share


def _test(first: tuple[int, int], second: tuple[int, int]) -> ChiSquared | None:
    right, total = first[0] + second[0], first[1] + second[1]
    return None if right in (0, total) else pooled_chi_squared(first, second)
