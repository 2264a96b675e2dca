"""Two models, of which the second decides what the first is not sure of."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from cxrview.classify.model import Model
from cxrview.records.answers import Answers, PoseAnswers
from cxrview.records.classification import Instance
from cxrview.records.model_card import THRESHOLDS, ModelCard
from cxrview.terms import Decision, View

PIXELS = np.zeros((5, 256, 256), np.uint8)
PIXELS[:, 0, 0] = np.arange(5)


@dataclass
class Table:
    """A backend that answers by the first pixel of a picture, and keeps what it was run on."""

    pfi: list[float]
    chest: list[float]
    has_pose: bool = False
    name: str = "table"
    batch: int = 4
    lanes: int | None = 1
    seen: list[int] = field(default_factory=list)

    def run(self, batch) -> Answers:
        rows = batch[:, 0, 0].tolist()
        self.seen += rows
        percent = 10.0 * np.array(rows)
        pose = PoseAnswers(
            turns=np.stack([100 - percent, percent, 0 * percent, 0 * percent], axis=1),
            mirrored=percent,
            inverted=percent,
            projection_ap=percent,
        )
        return Answers(
            pfi=np.array(self.pfi)[rows],
            chest=np.array(self.chest)[rows],
            pose=pose if self.has_pose else None,
        )


def model(name: str, pfi: list[float], chest: list[float], has_pose: bool = False, **more) -> Model:
    facts = {"cutoff": 50.0, "paper_cutoff": 50.0, "review_band": (40.0, 60.0), "precision": ""}
    card = ModelCard(
        model_id=name, weights_sha256="", input_side=256, **{"chest_cutoff": 40.0, **facts, **more}
    )
    return Model(card=card, backend=Table(pfi, chest, has_pose))


@pytest.fixture
def cascade() -> Model:
    """Sure of 0 and 1; unsure of the view of 2, of the chest of 3; 4 is at the border."""
    fast = model(
        "fast",
        [99, 1, 70, 99, 95],
        [99, 95, 99, 60, 99],
        has_pose=True,
        review_band=(5.0, 95.0),
        chest_cutoff=90.0,
        thresholds=dict.fromkeys(THRESHOLDS, 75.0),
    )
    return replace(fast, second=model("slow", [0, 0, 30, 80, 55], [0, 0, 99, 10, 90], cutoff=70.0))


def rows_of(cascade: Model):
    answers = cascade.answer(PIXELS)
    return [cascade.decide(Instance(path="a.png", content_id=""), one) for one in answers]


def test_answer_runs_second_model_only_where_first_is_not_sure(cascade):
    answers = cascade.answer(PIXELS)

    assert answers.is_of_second.tolist() == [False, False, True, True, True]
    assert cascade.second.backend.seen == [2, 3, 4]
    assert answers.pfi.tolist() == [99, 1, 30, 80, 55]
    assert answers.chest.tolist() == [99, 95, 99, 10, 90]


def test_answer_does_not_depend_on_what_shares_a_batch(cascade):
    together = list(cascade.answer(PIXELS))

    for number in range(5):
        (alone,) = cascade.answer(PIXELS[number : number + 1])
        assert alone == together[number]


def test_decide_names_the_model_that_decided_and_takes_its_card(cascade):
    rows = rows_of(cascade)

    assert [row.model_id for row in rows] == ["fast", "fast", "slow", "slow", "slow"]
    assert [row.view for row in rows] == [View.FRONTAL, View.LATERAL, View.LATERAL, None, None]
    assert [row.decision for row in rows[3:]] == [Decision.NOT_CHEST, Decision.REVIEW]


def test_decide_takes_the_pose_of_the_first_model_for_all(cascade):
    rows = rows_of(cascade)

    assert [row.rotation for row in rows] == [0, 0, 0, None, None]
    assert [row.inverted for row in rows] == [False, False, False, None, None]
    assert [row.inverted_probability for row in rows] == [0, 10, 20, None, 40]
    assert [row.projection for row in rows] == ["PA", None, None, None, None]


def test_decide_applies_the_band_of_the_user_to_both_models(cascade):
    answers = cascade.answer(PIXELS[:3])

    rows = [
        cascade.decide(Instance(path="a.png", content_id=""), one, review_band=(29.0, 99.0))
        for one in answers
    ]

    assert [row.decision for row in rows] == [Decision.REVIEW, Decision.CLASSIFIED, Decision.REVIEW]
