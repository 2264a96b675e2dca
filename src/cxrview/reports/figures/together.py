"""Test sets as the paper shows them: each alone, and all of them together."""

from collections.abc import Mapping

import numpy as np

from cxrview.records import Scores

TOGETHER = "all together"


def all_together(sets: Mapping[str, Scores]) -> dict[str, Scores]:
    """The sets, and behind several of them their union under the name TOGETHER.

    Args:
        sets: name to what one classifier says of the images; at least one, each with an image.

    Raises:
        ValueError: no set, or a set without an image.
    """
    if not sets or not all(len(scores) for scores in sets.values()):
        raise ValueError("a figure of test images needs at least one set, each with an image")
    if len(sets) == 1:
        return dict(sets)
    each = list(sets.values())
    union = Scores(
        classifier=each[0].classifier,
        files=np.concatenate([scores.files for scores in each]),
        patients=np.concatenate([scores.patients for scores in each]),
        variants=np.concatenate([scores.variants for scores in each]),
        is_frontal=np.concatenate([scores.is_frontal for scores in each]),
        pfi=np.concatenate([scores.pfi for scores in each]),
    )
    return {**sets, TOGETHER: union}
