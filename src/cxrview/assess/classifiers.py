"""Assess several classifiers on the same images, each with cutoffs chosen by the same rules.

The fact SET of the scores distinguishes validation images and the test sets.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.accuracy import assess_pfi
from cxrview.assess.header import CLAIM, assess_claims
from cxrview.records.evaluation import Assessed, Assessment
from cxrview.records.model_card import Cutoff
from cxrview.records.scores import Scores
from cxrview.stats import youden_cutoff

SET = "set"
"""Name of the fact, which is VALIDATION, INSIDE or EXTERNAL."""
VALIDATION, INSIDE, EXTERNAL = "validation", "inside", "external"
BOTH = "both"
"""The two test sets together."""
TEST = "test"
"""All test images, on which the paper's cutoff is chosen."""
HIGHER_END, MIDDLE, AS_NAMED = "higher end", "middle", "at its word"
HEADER, HEADER_LEARNT = "header", "header, learnt"
"""Names of classifiers: the view in the header, and the share of it that was frontal in
training."""
_KINDS = ("source", "manufacturer")


def assess_scores(scores: Sequence[Scores]) -> tuple[Assessed, ...]:
    """Assess each classifier on each test set, by each rule for the cutoff.

    Args:
        scores: with the facts SET and `source`, `manufacturer` if headers have it, and
            `header_view` for HEADER. Classifiers may have scores of different images.

    Returns:
        By classifier, in their order: cutoffs from validation images (HIGHER_END, the paper's
        rule, and MIDDLE, ours), then from test images (the paper's way, if they have both
        views); each on INSIDE, EXTERNAL and BOTH, if these have images. HEADER has no cutoff;
        its rule is AS_NAMED.

    Raises:
        ValueError: the validation images of a classifier do not have both views.

    Source:
        Paper, section 6: the published cutoff is that of both test sets together.
    """
    return tuple(row for one in scores for row in _assess(one))


def images_of(scores: Scores) -> dict[str, Scores]:
    """Return the test sets that are not empty, by name; BOTH only if there are two.

    Args:
        scores: with the fact SET.
    """
    of = scores.facts[SET]
    sets = {name: scores.where(of == name) for name in (INSIDE, EXTERNAL)}
    sets[BOTH] = scores.where(of != VALIDATION)
    if not (len(sets[INSIDE]) and len(sets[EXTERNAL])):
        del sets[BOTH]
    return {name: one for name, one in sets.items() if len(one)}


def cutoffs_of(scores: Scores) -> dict[str, Cutoff]:
    """Compute Youden's range on the validation images, and on all test images of both views.

    Args:
        scores: with the fact SET.

    Raises:
        ValueError: the validation images do not have both views.
    """
    is_validation = scores.facts[SET] == VALIDATION
    found = {VALIDATION: _youden(scores.where(is_validation))}
    test = scores.where(~is_validation)
    if test.is_frontal.any() and not test.is_frontal.all():
        found[TEST] = _youden(test)
    return found


def rules_of(chosen: Cutoff) -> dict[str, float]:
    """Return the cutoff by each rule, percent; the middle to a thousandth, as in model cards."""
    return {HIGHER_END: chosen.high, MIDDLE: round((chosen.low + chosen.high) / 2, 3)}


def is_right(scores: Scores, row: Assessed) -> NDArray[np.bool_]:
    """Return which images a row of the result counts as right, shape (n,), bool."""
    if row.rule == AS_NAMED:
        views = np.where(scores.is_frontal, "frontal", "lateral")
        at_its_word: NDArray[np.bool_] = scores.facts[CLAIM] == views
        return at_its_word
    by_cutoff: NDArray[np.bool_] = (scores.pfi >= row.assessment.cutoff) == scores.is_frontal
    return by_cutoff


def _assess(one: Scores) -> Iterator[Assessed]:
    sets = images_of(one)
    if one.classifier == HEADER:
        for name, of in sets.items():
            found = assess_claims(of.facts[CLAIM], of.is_frontal, kinds=_kinds(of))
            yield _row(one, name, "", AS_NAMED, found)
        return
    for cutoff_from, chosen in cutoffs_of(one).items():
        for rule, cutoff in rules_of(chosen).items():
            for name, of in sets.items():
                found = assess_pfi(of.pfi, of.is_frontal, cutoff=cutoff, kinds=_kinds(of))
                yield _row(one, name, cutoff_from, rule, found)


def _row(one: Scores, images: str, cutoff_from: str, rule: str, found: Assessment) -> Assessed:
    return Assessed(
        classifier=one.classifier,
        images=images,
        cutoff_from=cutoff_from,
        rule=rule,
        assessment=found,
    )


def _youden(scores: Scores) -> Cutoff:
    try:
        return youden_cutoff(scores.pfi, scores.is_frontal)
    except ValueError as error:
        raise ValueError(f"{scores.classifier}, {len(scores)} images: {error}") from error


def _kinds(scores: Scores) -> Mapping[str, NDArray[np.str_]]:
    """Return the facts to slice by, which at least one image has."""
    given = {kind: scores.facts[kind] for kind in _KINDS if kind in scores.facts}
    return {kind: names for kind, names in given.items() if (names != "").any()}
