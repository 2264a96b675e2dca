"""Asks a finished network about radiographs, in every orientation, and about what is none."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.records import Answers, Scores, join_answers
from cxrview.records.scores import PROGENITOR_NAME
from cxrview.terms import View
from cxrview.train.batch import LabelledPixels
from cxrview.train.pool import Pool

Ask = Callable[[NDArray[np.uint8]], Answers]
"""Squashed pictures, shape (n, 256, 256), uint8, n at most AT_ONCE, to what a network says."""
AT_ONCE = 4

MOST_TURNED = 200
"""Radiographs of one source and view that are also shown in the other fifteen orientations, unless
told otherwise."""


def examine(
    radiographs: LabelledPixels,
    ask: Ask,
    *,
    name: str,
    most_turned: int | None = MOST_TURNED,
    progress: Callable[[int], None] = lambda done: None,
) -> Scores:
    """Ask about every radiograph as it is, and about some of each kind in all orientations.

    Args:
        radiographs: of which patients it does not matter.
        ask: the network.
        name: of the network.
        most_turned: of each source and view; all where None. Always the same ones.
        progress: told how many more pictures were asked about.

    Returns:
        Orientation by orientation, `variants` naming it; facts: `source`.
    """
    labels = np.array(radiographs.labels, object)
    turned = _draw_turned(radiographs, most_turned)
    parts = []
    for orientation, turn in ORIENTATIONS.items():
        chosen = np.arange(len(labels)) if orientation == PROGENITOR_NAME else turned
        answers = _ask_all(turn, radiographs.pixels, chosen, ask, progress)
        parts.append((orientation, labels[chosen], answers))
    each = [label for _, chosen, _ in parts for label in chosen]
    said = join_answers([answers for _, _, answers in parts])
    return Scores(
        classifier=name,
        files=np.array([label.file for label in each], str),
        patients=np.array([label.patient for label in each], str),
        variants=np.repeat(list(ORIENTATIONS), [len(chosen) for _, chosen, _ in parts]),
        is_frontal=np.array([label.view is View.FRONTAL for label in each], bool),
        pfi=said.pfi,
        facts={"source": np.array([label.source for label in each], str)},
        chest=said.chest,
    )


def answers_of_others(
    pool: Pool, ask: Ask, progress: Callable[[int], None] = lambda done: None
) -> Answers | None:
    """Ask about pictures of a pool that show no chest, upright; None where there is none."""
    if not pool.others:
        return None
    upright = ORIENTATIONS[PROGENITOR_NAME]
    return _ask_all(upright, pool.not_chest, np.arange(len(pool.others)), ask, progress)


def chest_of_others(
    pool: Pool, ask: Ask, progress: Callable[[int], None] = lambda done: None
) -> NDArray[np.float64] | None:
    """Ask the same about `chest` alone.

    Returns:
        Shape (m,), percent; None where there is no such picture, or the network does not tell.
    """
    answers = answers_of_others(pool, ask, progress)
    return answers.chest if answers else None


def asked_in_all(radiographs: LabelledPixels, most_turned: int | None = MOST_TURNED) -> int:
    """How many pictures `examine` tells `progress` of."""
    turned = len(_draw_turned(radiographs, most_turned))
    return len(radiographs.labels) + (len(ORIENTATIONS) - 1) * turned


def _ask_all(
    turn: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    pixels: NDArray[np.uint8],
    chosen: NDArray[np.intp],
    ask: Ask,
    progress: Callable[[int], None],
) -> Answers:
    """Ask about some pictures, turned, AT_ONCE together."""
    answers = []
    for start in range(0, len(chosen), AT_ONCE):
        answers.append(ask(turn(pixels[chosen[start : start + AT_ONCE]])))
        progress(len(answers[-1].pfi))
    return join_answers(answers)


def _draw_turned(radiographs: LabelledPixels, most: int | None) -> NDArray[np.intp]:
    rng = np.random.default_rng(0)
    kinds = np.array([f"{label.source}\0{label.view}" for label in radiographs.labels], str)
    chosen = [np.empty(0, np.intp)]
    for kind in np.unique(kinds):
        of = np.flatnonzero(kinds == kind)
        is_few = most is None or len(of) <= most
        chosen.append(of if is_few else rng.choice(of, most, replace=False))
    return np.sort(np.concatenate(chosen))
