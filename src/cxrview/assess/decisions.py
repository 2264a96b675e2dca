"""Count the decisions of a model on labelled images: right, wrong, review, not a chest."""

import numpy as np
from numpy.typing import NDArray

from cxrview.records.answers import Answers
from cxrview.records.card_about import DecisionCounts, PointsApart
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores
from cxrview.stats import exact_interval, log_odds
from cxrview.terms import Decision, View


def count_decisions(scores: Scores, card: ModelCard) -> DecisionCounts:
    """Count errors of a model without and with the review band.

    Args:
        scores: of at least one image.
        card: with the cutoffs and the review band.
    """
    is_called_frontal = scores.pfi >= card.cutoff
    decisions = decisions_of(Answers(pfi=scores.pfi, chest=scores.chest), card)
    is_refused = decisions == Decision.NOT_CHEST
    is_decided = ~is_refused & (decisions != Decision.REVIEW)
    is_wrong = is_called_frontal != scores.is_frontal
    images, errors = len(scores), int(is_wrong.sum())
    interval = exact_interval(images - errors, images)
    return DecisionCounts(
        images=images,
        errors=errors,
        accuracy_percent=round(100 * (1 - errors / images), 3),
        interval_95_percent=(round(100 * interval.low, 3), round(100 * interval.high, 3)),
        decided=int(is_decided.sum()),
        errors_decided=int((is_wrong & is_decided).sum()),
        refused=int(is_refused.sum()),
    )


def decisions_of(
    answers: Answers, card: ModelCard, second: ModelCard | None = None
) -> NDArray[np.str_]:
    """Return the decision for each of n pictures: its view, `review` or `not_chest`; shape (n,).

    Args:
        answers: of the model that the card belongs to.
        card: with the cutoffs and the review band.
        second: card of the second model, for answers of a cascade.
    """
    if second is not None and answers.is_of_second is not None:
        return np.where(
            answers.is_of_second, decisions_of(answers, second), decisions_of(answers, card)
        )
    low, high = card.review_band
    decisions = np.where(answers.pfi >= card.cutoff, View.FRONTAL.value, View.LATERAL.value)
    is_unsure = (answers.pfi >= low) & (answers.pfi <= high)
    decisions = np.where(is_unsure, Decision.REVIEW.value, decisions)
    if answers.chest is not None and card.chest_cutoff is not None:
        is_refused = answers.chest < card.chest_cutoff
        decisions = np.where(is_refused, Decision.NOT_CHEST.value, decisions)
    return decisions


def points_apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> PointsApart:
    """Compare two models on the same n pictures: mean, 99th percentile, maximum; in points.

    Args:
        one: shape (n,), percent.
        other: shape (n,), percent.
    """
    apart = abs(one - other)
    return PointsApart(
        mean=round(float(apart.mean()), 4),
        percentile_99=round(float(np.quantile(apart, 0.99)), 4),
        largest=round(float(apart.max()), 4),
    )


def count_by(
    scores: Scores, card: ModelCard, *kinds: NDArray[np.str_]
) -> dict[tuple[str, ...], DecisionCounts]:
    """Count the decisions for each existing combination of names, in alphabetical order.

    Args:
        scores: of n images.
        card: as for `count_decisions`.
        kinds: at least one array of shape (n,), such as the source of each image.
    """
    counts = {}
    for combination in sorted(set(zip(*kinds, strict=True))):
        of = np.ones(len(scores), bool)
        for names, name in zip(kinds, combination, strict=True):
            of &= names == name
        counts[tuple(map(str, combination))] = count_decisions(scores.where(of), card)
    return counts


def views_of(scores: Scores) -> NDArray[np.str_]:
    """Return the true view of each image, shape (n,)."""
    return np.where(scores.is_frontal, View.FRONTAL.value, View.LATERAL.value)


def log_loss(scores: Scores) -> float:
    """Return the mean log loss in nats: 0 if every PFI is 0 or 100 and right."""
    margins = np.where(scores.is_frontal, 1, -1) * log_odds(scores.pfi)
    return float(np.logaddexp(0, -margins).mean())
