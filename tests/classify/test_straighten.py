import numpy as np
import pytest

from cxrview.classify.straighten import run_straightened
from cxrview.records.answers import Answers, PoseAnswers

UPRIGHT = np.zeros((8, 8), np.uint8)
UPRIGHT[0] = 40
"""Brighter at the top, dark elsewhere."""


class Oracle:
    """Sees by the bright edge how far a picture is turned, and by its middle whether it is
    inverted; it is not sure of the view unless the picture is upright."""

    def __init__(self):
        self.seen = 0

    def __call__(self, pictures) -> Answers:
        self.seen += len(pictures)
        turns, inverted, pfi = [], [], []
        for picture in pictures:
            is_inverted = picture[4, 4] == 255
            plain = 255 - picture if is_inverted else picture
            edges = [plain[0, 4], plain[4, -1], plain[-1, 4], plain[4, 0]]
            turn = edges.index(40)
            turns.append([90.0 if k == turn else 10 / 3 for k in range(4)])
            inverted.append(95.0 if is_inverted else 5.0)
            pfi.append(99.0 if turn == 0 and not is_inverted else 60.0)
        pfi = np.array(pfi)
        pose = PoseAnswers(
            turns=np.array(turns), mirrored=pfi, inverted=np.array(inverted), projection_ap=pfi
        )
        return Answers(pfi=pfi, chest=pfi, pose=pose)


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("is_inverted", [False, True])
def test_run_straightened_answers_view_as_of_the_upright_picture(turn, is_inverted):
    picture = np.rot90(UPRIGHT, -turn)
    picture = np.ascontiguousarray(255 - picture if is_inverted else picture)
    oracle = Oracle()

    answers = run_straightened(oracle, picture[None])

    assert answers.pfi == answers.chest == answers.pose.mirrored == answers.pose.projection_ap == 99
    assert answers.pose.turns[0].argmax() == turn
    assert answers.pose.turns[0, turn] == pytest.approx(90)
    assert answers.pose.inverted[0] == pytest.approx(95 if is_inverted else 5)
    assert oracle.seen == (2 if turn or is_inverted else 1)


def test_run_straightened_is_not_sure_where_the_runs_contradict_each_other():
    def always_turned(pictures) -> Answers:
        many = np.full(len(pictures), 97.0)
        turns = np.tile([1.0, 97, 1, 1], (len(pictures), 1))
        pose = PoseAnswers(turns=turns, mirrored=many, inverted=many, projection_ap=many)
        return Answers(pfi=many, pose=pose)

    answers = run_straightened(always_turned, np.zeros((1, 8, 8), np.uint8))

    assert answers.pose.turns.max() == pytest.approx(49)
    assert answers.pose.inverted[0] == pytest.approx(50)


def test_run_straightened_does_not_mix_up_the_pictures_of_a_batch():
    pictures = np.stack([np.rot90(UPRIGHT, -turn) for turn in (0, 1, 0, 3)])

    answers = run_straightened(Oracle(), pictures)

    assert answers.pose.turns.argmax(axis=1).tolist() == [0, 1, 0, 3]
    assert answers.pfi.tolist() == [99] * 4
