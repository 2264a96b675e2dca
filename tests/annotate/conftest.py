"""A study of the annotation room in short words: its images, readers and what they said."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from cxrview.records import (
    EXCLUSION_REASONS,
    AnnotationStudy,
    LabelChoice,
    Reader,
    Reading,
    StudyImage,
)
from cxrview.terms import Action, ReadingRound, Role

NOON = datetime(2017, 4, 1, 12, tzinfo=UTC)

MakeStudy = Callable[..., AnnotationStudy]
Say = Callable[..., Reading]


@pytest.fixture
def make_study() -> MakeStudy:
    """A study of the paper's two labels, or of those that are named."""

    def make(*labels: str, **facts: Any) -> AnnotationStudy:
        if labels:
            facts["choices"] = tuple(LabelChoice(name=x, key=x[0].lower()) for x in labels)
        return AnnotationStudy(**{"study_id": "7" * 32, "name": "tried", "created": NOON, **facts})

    return make


@pytest.fixture
def study(make_study: MakeStudy) -> AnnotationStudy:
    """Two readings an image, frontal or lateral."""
    return make_study()


@pytest.fixture
def images() -> tuple[StudyImage, ...]:
    """Two hundred of them."""
    return tuple(StudyImage(image_id=f"{n:016x}", path=f"{n}.dcm") for n in range(200))


@pytest.fixture
def readers() -> tuple[Reader, ...]:
    """1 and 2 read, 2 and 3 adjudicate: 2 is the paper's senior reader."""
    roles = ({Role.READER}, {Role.READER, Role.ADJUDICATOR}, {Role.ADJUDICATOR})
    return tuple(
        Reader(reader_id=n, name=f"reader {n}", roles=frozenset(held))
        for n, held in enumerate(roles, start=1)
    )


@pytest.fixture
def new_say() -> Callable[[], Say]:
    """Begins to count anew at each call, as every example of hypothesis must."""
    return _new_say


@pytest.fixture
def say() -> Say:
    """One more reading, made a second after the last.

    `say(1, "a", "frontal")` labels, `say(1, "a", "duplicate")` excludes, `say(1, "a", Action.FLAG)`
    does what is left.
    """
    return _new_say()


def _new_say() -> Say:
    numbers = count(1)

    def say(reader_id: int, image_id: str, said: str | Action, **facts: Any) -> Reading:
        n = next(numbers)
        if isinstance(said, Action):
            what = {"act": said}
        elif said in EXCLUSION_REASONS:
            what = {"act": Action.EXCLUDE, "reason": said}
        else:
            what = {"act": Action.LABEL, "label": said}
        known = {"reading_id": n, "uid": f"{n}", "round": ReadingRound.BLIND}
        when = {"made": NOON + timedelta(seconds=n)}
        whose = {"reader_id": reader_id, "image_id": image_id}
        return Reading(**{**known, **when, **whose, **what, **facts})

    return say
