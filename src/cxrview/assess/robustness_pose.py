"""What a model answers on the pose of modified radiographs, and how often that is wrong."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.modify import Modification
from cxrview.assess.pose import answer_probability
from cxrview.records.answers import PoseAnswers
from cxrview.records.evaluation import AnsweredCount
from cxrview.records.scores import Scores

ANSWERS = ("rotation", "mirrored", "inverted")
_NO_ANSWER = ""


def answer_facts(pose: PoseAnswers, thresholds: Mapping[str, float]) -> dict[str, NDArray[np.str_]]:
    """Return the answers of a model as facts of `Scores`, in the words of a result.

    Args:
        pose: of n images.
        thresholds: of the model card, percent.

    Returns:
        By ANSWERS, shape (n,): `0` to `270`, `true` or `false`; empty where the model is not sure.
    """
    facts = {}
    for answer in ANSWERS:
        percent, given = answer_probability(pose, answer)
        words = 90 * given if answer == "rotation" else np.where(given == 1, "true", "false")
        is_answered = percent.round(3) > thresholds[answer]
        facts[answer] = np.where(is_answered, words.astype(str), _NO_ANSWER)
    return facts


def count_answers(modified: Scores, modification: Modification) -> tuple[AnsweredCount, ...]:
    """Count the answers on the pose under one modification.

    The images are assumed to be upright, neither mirrored nor inverted, before it.

    Args:
        modified: of that modification; with the facts of `answer_facts`, else nothing is counted.
        modification: determines the truth. Mirroring is counted for frontal images only.
    """
    if any(answer not in modified.facts for answer in ANSWERS):
        return ()
    turns = modification.quarter_turns
    truth = {
        "rotation": None if turns is None else str(90 * turns),
        "mirrored": str(modification.is_mirrored).lower(),
        "inverted": str(modification.is_inverted).lower(),
    }
    counts = []
    for answer, right in truth.items():
        given = modified.facts[answer]
        given = given[modified.is_frontal] if answer == "mirrored" else given
        is_answered = given != _NO_ANSWER
        wrong = None if right is None else int((is_answered & (given != right)).sum())
        counts.append(
            AnsweredCount(
                answer=answer, images=len(given), answered=int(is_answered.sum()), wrong=wrong
            )
        )
    return tuple(counts)
