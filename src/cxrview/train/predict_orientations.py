"""Runs a model on the radiographs of a pool in sixteen orientations, and on its other images."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.pose import choose_few
from cxrview.callbacks import ignore
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.records.answers import Answers, join_answers
from cxrview.records.scores import PROGENITOR_NAME, Scores
from cxrview.terms import View
from cxrview.train.batch import LabelledPixels
from cxrview.train.pool import ImagePool

Predict = Callable[[NDArray[np.uint8]], Answers]
"""Runs a model on squashed images, shape (n, 256, 256), uint8, n at most BATCH."""
BATCH = 4

MAX_TURNED = 200
"""Radiographs of one source and view on which a model is also run in the other fifteen
orientations, by default."""


def predict_orientations(
    radiographs: LabelledPixels,
    predict: Predict,
    *,
    name: str,
    max_turned: int | None = MAX_TURNED,
    progress: Callable[[int], None] = ignore,
) -> Scores:
    """Run a model on every radiograph upright, and on some of each kind in all orientations.

    Args:
        radiographs: of any partition.
        predict: runs the model.
        name: of the model.
        max_turned: per source and view; None turns all. The choice is always the same.
        progress: called with how many more images the model was run on.

    Returns:
        Orientation by orientation, which `variants` names; facts: `source`.
    """
    labels = np.array(radiographs.labels, object)
    turned = _choose_turned(radiographs, max_turned)
    parts = []
    for orientation, turn in ORIENTATIONS.items():
        chosen = np.arange(len(labels)) if orientation == PROGENITOR_NAME else turned
        answers = _predict_batches(turn, radiographs.pixels, chosen, predict, progress)
        parts.append((labels[chosen], answers))
    each = [label for chosen, _ in parts for label in chosen]
    joined = join_answers([answers for _, answers in parts])
    return Scores(
        classifier=name,
        files=np.array([label.file for label in each], str),
        patients=np.array([label.patient for label in each], str),
        variants=np.repeat(list(ORIENTATIONS), [len(chosen) for chosen, _ in parts]),
        is_frontal=np.array([label.view is View.FRONTAL for label in each], bool),
        pfi=joined.pfi,
        facts={"source": np.array([label.source for label in each], str)},
        chest=joined.chest,
    )


def predict_others(
    pool: ImagePool, predict: Predict, progress: Callable[[int], None] = ignore
) -> Answers | None:
    """Run a model on the images of a pool that show no chest; None if it has none."""
    if not pool.others:
        return None
    upright = ORIENTATIONS[PROGENITOR_NAME]
    everything = np.arange(len(pool.others))
    return _predict_batches(upright, pool.not_chest, everything, predict, progress)


def predict_chest_of_others(
    pool: ImagePool, predict: Predict, progress: Callable[[int], None] = ignore
) -> NDArray[np.float64] | None:
    """As `predict_others`, the output `chest` alone.

    Returns:
        Shape (m,), percent; None if the pool has no such images, or the model no such output.
    """
    answers = predict_others(pool, predict, progress)
    return answers.chest if answers else None


def count_predictions(radiographs: LabelledPixels, max_turned: int | None = MAX_TURNED) -> int:
    """On how many images `predict_orientations` runs the model."""
    turned = len(_choose_turned(radiographs, max_turned))
    return len(radiographs.labels) + (len(ORIENTATIONS) - 1) * turned


def _predict_batches(
    turn: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    pixels: NDArray[np.uint8],
    chosen: NDArray[np.intp],
    predict: Predict,
    progress: Callable[[int], None],
) -> Answers:
    """Run a model on some images, turned, in batches."""
    answers = []
    for start in range(0, len(chosen), BATCH):
        answers.append(predict(turn(pixels[chosen[start : start + BATCH]])))
        progress(len(answers[-1].pfi))
    return join_answers(answers)


def _choose_turned(radiographs: LabelledPixels, most: int | None) -> NDArray[np.intp]:
    kinds = np.array([f"{label.source}\0{label.view}" for label in radiographs.labels], str)
    return choose_few(kinds, most)
