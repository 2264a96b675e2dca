"""A second look at turned and inverted pictures, with the turn and the inversion undone.

Upright pictures are what a model is best at, and few of an archive are not: one more run of a small
model on these costs little, and tells when the first answer contradicts the second.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cxrview.records.answers import QUARTER_TURNS, Answers, PoseAnswers


def run_straightened(
    run: Callable[[NDArray[np.uint8]], Answers], pictures: NDArray[np.uint8]
) -> Answers:
    """Run a model, and again on the pictures that it calls turned or inverted, set right.

    Args:
        run: a model with the outputs on the pose; takes shape (m, side, side), uint8, m from 1.
        pictures: shape (n, side, side), uint8, n from 1.

    Returns:
        Of such a picture, view, chest, mirroring and projection are those of the second run. Turn
        and inversion are the means of both runs, so that two runs that contradict each other leave
        no probability above about 50 %.
    """
    first = run(pictures)
    assert first.pose is not None
    turned = first.pose.turns.argmax(axis=1)
    is_inverted = first.pose.inverted >= 50
    again = np.flatnonzero((turned > 0) | is_inverted)
    if not len(again):
        return first
    second = run(
        np.stack([_set_right(pictures[k], int(turned[k]), bool(is_inverted[k])) for k in again])
    )
    assert second.pose is not None
    turns, inverted = first.pose.turns.copy(), first.pose.inverted.copy()
    mirrored, projection_ap = first.pose.mirrored.copy(), first.pose.projection_ap.copy()
    for row, place in enumerate(again):
        turns[place] = _both_turns(turns[place], second.pose.turns[row], int(turned[place]))
        inverted[place] = _both_inverted(
            inverted[place], second.pose.inverted[row], bool(is_inverted[place])
        )
    mirrored[again] = second.pose.mirrored
    projection_ap[again] = second.pose.projection_ap
    pfi = first.pfi.copy()
    pfi[again] = second.pfi
    chest = first.chest
    if chest is not None and second.chest is not None:
        chest = chest.copy()
        chest[again] = second.chest
    return dataclasses.replace(
        first,
        pfi=pfi,
        chest=chest,
        pose=PoseAnswers(
            turns=turns, mirrored=mirrored, inverted=inverted, projection_ap=projection_ap
        ),
    )


def _set_right(
    picture: NDArray[np.uint8], quarter_turns: int, is_inverted: bool
) -> NDArray[np.uint8]:
    """Turn anticlockwise by so many quarters, and invert."""
    turned = np.rot90(picture, quarter_turns)
    return np.ascontiguousarray(255 - turned if is_inverted else turned)


def _both_turns(
    first: NDArray[np.float64], second: NDArray[np.float64], quarter_turns: int
) -> NDArray[np.float64]:
    """Mean of the first answer and of the second one, counted from where the picture was."""
    return np.asarray((first + np.roll(second, quarter_turns % QUARTER_TURNS)) / 2)


def _both_inverted(first: float, second: float, is_inverted: bool) -> float:
    """Mean of the first answer and of the second one, which is about the inverted picture."""
    return (first + (100 - second if is_inverted else second)) / 2
