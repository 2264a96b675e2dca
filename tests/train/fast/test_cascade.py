import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest

from cxrview.classify.model import Model
from cxrview.records.classification import Instance
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Answers
from cxrview.terms import Decision, View
from cxrview.train.fast.cascade import Border, Cascade, sure_band

PIXELS = np.zeros((5, 256, 256), np.uint8)
PIXELS[:, 0, 0] = np.arange(5)


@dataclass
class Table:
    """A backend that answers by the first pixel of a picture, and keeps what it was run on."""

    pfi: list[float]
    chest: list[float]
    name: str = "table"
    batch: int = 4
    lanes: int | None = 1
    seen: list[int] = field(default_factory=list)

    def run(self, batch) -> Answers:
        rows = batch[:, 0, 0].tolist()
        self.seen += rows
        return Answers(pfi=np.array(self.pfi)[rows], chest=np.array(self.chest)[rows])


def model(name: str, pfi: list[float], chest: list[float], **more) -> Model:
    facts = {"cutoff": 50.0, "paper_cutoff": 50.0, "review_band": (40.0, 60.0), "precision": ""}
    card = ModelCard(
        model_id=name, weights_sha256="", input_side=256, chest_cutoff=40.0, **{**facts, **more}
    )
    return Model(card=card, backend=Table(pfi, chest))


@pytest.fixture
def cascade() -> Cascade:
    """Sure of 0 and 1; unsure of the view of 2, of the chest of 3; 4 is at the border."""
    fast = model("fast", [99, 1, 70, 99, 95], [99, 95, 99, 60, 99])
    slow = model("slow", [0, 0, 30, 80, 55], [0, 0, 99, 10, 90], cutoff=70.0)
    return Cascade(fast=fast, slow=slow, border=Border(pfi=(5.0, 95.0), chest=90.0))


def test_answer_runs_slow_model_only_where_fast_one_is_not_sure(cascade):
    given = cascade.answer(PIXELS)

    assert given.is_fast.tolist() == [True, True, False, False, False]
    assert cascade.slow.backend.seen == [2, 3, 4]
    assert given.answers.pfi.tolist() == [99, 1, 30, 80, 55]
    assert given.answers.chest.tolist() == [99, 95, 99, 10, 90]


def test_answer_does_not_depend_on_what_shares_a_batch(cascade):
    together = cascade.answer(PIXELS)

    for number in range(5):
        alone = cascade.answer(PIXELS[number : number + 1])
        assert alone.is_fast[0] == together.is_fast[number]
        assert alone.answers.pfi[0] == together.answers.pfi[number]


def test_decide_names_the_model_that_decided_and_takes_its_card(cascade):
    given = cascade.answer(PIXELS)

    rows = [
        cascade.decide(Instance(path="a.png", content_id=""), given, number) for number in range(5)
    ]

    assert [row.model_id for row in rows] == ["fast", "fast", "slow", "slow", "slow"]
    assert [row.view for row in rows] == [View.FRONTAL, View.LATERAL, View.LATERAL, None, None]
    assert [row.decision for row in rows[3:]] == [Decision.NOT_CHEST, Decision.REVIEW]


def test_border_refuses_ends_in_the_wrong_order():
    with pytest.raises(ValueError, match="percentages"):
        Border(pfi=(95.0, 5.0), chest=50.0)


def test_cascade_refuses_border_that_leaves_out_the_cutoff(cascade):
    with pytest.raises(ValueError, match="cutoff"):
        Cascade(fast=cascade.fast, slow=cascade.slow, border=Border(pfi=(55.0, 95.0), chest=90.0))


def test_sure_band_needs_as_many_images_as_the_binomial_tail_says():
    """0.999 ** n <= 0.05 from n = 2,995 on."""
    pfi, truth = np.full(2995, 99.9), np.ones(2995, bool)

    assert sure_band(pfi, truth, max_error=0.001) == pytest.approx((50, 50))
    assert sure_band(pfi[1:], truth[1:], max_error=0.001) is None


def test_sure_band_holds_out_the_errors():
    """All errors are between 20 and 80 percent, and the band is about as wide."""
    rng = np.random.default_rng(0)
    clear, unclear = rng.uniform(85, 99.9, 3000), rng.uniform(51, 80, 300)
    pfi, truth = np.concatenate([clear, unclear]), np.arange(3300) < 3000

    low, high = sure_band(pfi, truth, max_error=0.01)

    assert low == pytest.approx(100 - high)
    assert 75 < high < 85


def test_sure_band_keeps_its_promise_in_new_draws():
    """The true error outside of the band exceeds the promise in at most one set in twenty."""
    rng = np.random.default_rng(1)

    def draw(count: int):
        margin = rng.uniform(0, 5, count)
        is_wrong = rng.random(count) < 0.3 * np.exp(-2 * margin)
        return 100 / (1 + np.exp(-margin)), ~is_wrong

    new_pfi, new_truth = draw(1_000_000)
    order = np.argsort(new_pfi)
    wrong_above = np.cumsum(~new_truth[order][::-1])[::-1]
    broken = sets = 0
    for _ in range(120):
        band = sure_band(*draw(1000), max_error=0.02)
        if band:
            first = np.searchsorted(new_pfi[order], band[1])
            broken += wrong_above[first] / (len(order) - first) > 0.02
            sets += 1

    assert sets > 100
    assert broken / 120 < 0.05 + 2 * (0.05 * 0.95 / 120) ** 0.5


@pytest.mark.parametrize("shares", [(0.0, 0.95), (0.01, 1.0)])
def test_sure_band_refuses_shares_out_of_range(shares):
    with pytest.raises(ValueError, match="above 0"):
        sure_band(np.ones(1), np.ones(1, bool), max_error=shares[0], confidence=shares[1])


def test_cascade_needs_no_torch():
    code = "import cxrview.train.fast.cascade, sys; print('torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
