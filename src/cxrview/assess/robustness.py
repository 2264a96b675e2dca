"""Count how often a classifier is right under each modification of `assess.modify` (Fig 6)."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.accuracy import count_two_by_two
from cxrview.assess.modify import MODIFICATIONS, Modification
from cxrview.assess.robustness_pose import count_answers
from cxrview.records.answers import Answers, join_answers
from cxrview.records.evaluation import Interval, ModifiedCount
from cxrview.records.pixels import squashed_pictures
from cxrview.records.scores import PROGENITOR_NAME, Scores
from cxrview.stats import exact_interval

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""From squashed radiographs, shape (n, side, side) uint8, to PFI in percent, shape (n,)."""
Answer = Callable[[NDArray[np.uint8]], Answers]
"""As `Predict`, to all answers of a model."""


def score_modified(
    pixels: NDArray[np.uint8],
    modification: Modification,
    predict: Predict,
    *,
    batch: int,
    watch: Callable[[int], None] = lambda done: None,
) -> NDArray[np.float64]:
    """Modify every image in one way, and run a model on it.

    Args:
        pixels: shape (n, side, side), uint8.
        modification: one of `assess.modify.MODIFICATIONS`.
        predict: runs the model.
        batch: number of images of one call of the model, which are in memory at a time.
        watch: called with the number of images done since the last call.

    Returns:
        PFI in percent, shape (n,).

    Raises:
        ValueError: pixels of another type, range or shape.
    """
    return answer_modified(
        pixels,
        modification,
        lambda shown: Answers(pfi=predict(shown)),
        batch=batch,
        watch=watch,
    ).pfi


def answer_modified(
    pixels: NDArray[np.uint8],
    modification: Modification,
    answer: Answer,
    *,
    batch: int,
    watch: Callable[[int], None] = lambda done: None,
) -> Answers:
    """Modify every image in one way, and return all answers of a model; see `score_modified`.

    Raises:
        ValueError: pixels of another type, range or shape.
    """
    pixels = squashed_pictures(pixels, np.shape(pixels)[-1] if np.ndim(pixels) else 0)
    parts = []
    for start in range(0, len(pixels), batch):
        some = [modification.make(one) for one in pixels[start : start + batch]]
        parts.append(answer(np.stack(some)))
        watch(len(some))
    return join_answers(parts)


def count_modified(
    scores: Scores,
    *,
    cutoff: float | NDArray[np.float64],
    drawn_from: int | None = None,
    modifications: Sequence[Modification] = MODIFICATIONS,
) -> tuple[ModifiedCount, ...]:
    """Count right images under each modification, of the same images.

    Args:
        scores: variants with names such as `rotation/10`, including the unmodified images,
            `progenitor`; with the facts of `answer_facts`, for a model that answers these.
        cutoff: percent; frontal if PFI is at least this. Shape (len(scores),) if it depends on the
            model that answered.
        drawn_from: number of images that these were drawn from; None for those in `scores`.
        modifications: by which the variants were made; they determine the true pose.

    Returns:
        One for each variant, in their order.

    Raises:
        ValueError: `scores` is empty, the unmodified images are missing, a modification was made
            of other images or in another order, or the cutoff is not within 0 to 100.
    """
    cutoffs = np.broadcast_to(cutoff, len(scores))
    if not ((cutoffs >= 0) & (cutoffs <= 100)).all():
        raise ValueError(f"a cutoff is a percentage, 0 to 100; got {cutoff}")
    is_right = (scores.pfi >= cutoffs) == scores.is_frontal
    unmodified, was_right = scores.where(scores.is_progenitor), is_right[scores.is_progenitor]
    if not len(unmodified):
        raise ValueError("the unmodified images are missing, so there is nothing to compare with")
    made_by = {row.name: row for row in modifications}
    counts = []
    for name in dict.fromkeys(scores.variants.tolist()):
        is_of_it = scores.variants == name
        modified = scores.where(is_of_it)
        if not np.array_equal(modified.files, unmodified.files):
            raise ValueError(f"{name} was made of other images than the rest")
        count = _count(modified, is_right[is_of_it], was_right, drawn_from or len(unmodified))
        poses = count_answers(modified, made_by[name]) if name in made_by else ()
        counts.append(replace(count, poses=poses))
    return tuple(counts)


def _count(
    modified: Scores, is_right: NDArray[np.bool_], was_right: NDArray[np.bool_], drawn_from: int
) -> ModifiedCount:
    name = str(modified.variants[0])
    table = count_two_by_two(is_right == modified.is_frontal, modified.is_frontal)
    kind, _, severity = name.partition("/")
    return ModifiedCount(
        modification="unmodified" if name == PROGENITOR_NAME else kind,
        severity=severity,
        table=table,
        interval=exact_interval(table.right, table.total),
        frontal_interval=_interval(table.frontal_called_frontal, table.frontal),
        lateral_interval=_interval(table.lateral_called_lateral, table.lateral),
        lost=int((was_right & ~is_right).sum()),
        gained=int((is_right & ~was_right).sum()),
        drawn_from=drawn_from,
    )


def _interval(right: int, total: int) -> Interval | None:
    return exact_interval(right, total) if total else None
