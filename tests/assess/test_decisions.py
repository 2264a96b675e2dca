"""Counts of a model's decisions, against a loop that anyone can read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.assess.decisions import count_by, count_decisions, log_loss, views_of
from cxrview.classify.decide import decide
from cxrview.records.classification import Instance
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores, join_scores
from cxrview.terms import Decision, View

CARD = ModelCard(
    model_id="m",
    weights_sha256="",
    input_side=256,
    cutoff=60.0,
    paper_cutoff=99.6,
    review_band=(20.0, 90.0),
    precision="",
    chest_cutoff=40.0,
)
percent = st.floats(0, 100).map(lambda p: round(p, 3))
images = st.lists(
    st.tuples(percent, percent, st.booleans(), st.sampled_from("ab")), min_size=1, max_size=40
)


def scores(drawn, name="m") -> Scores:
    pfi, chest, is_frontal, sources = zip(*drawn, strict=True)
    count = len(drawn)
    return Scores(
        classifier=name,
        files=np.array([f"{k}.png" for k in range(count)]),
        patients=np.array([f"p{k}" for k in range(count)]),
        variants=np.full(count, "progenitor"),
        is_frontal=np.array(is_frontal),
        pfi=np.array(pfi),
        facts={"source": np.array(sources)},
        chest=np.array(chest),
    )


@given(images)
def test_counts_are_those_of_the_rows_that_a_user_gets(drawn):
    counted = count_decisions(scores(drawn), CARD)

    rows = [
        (decide(Instance(path="", content_id=""), pfi, CARD, chest=chest), is_frontal)
        for pfi, chest, is_frontal, _ in drawn
    ]
    truth = {True: View.FRONTAL, False: View.LATERAL}
    decided = [(row, f) for row, f in rows if row.decision is Decision.CLASSIFIED]
    assert counted.images == len(drawn)
    assert counted.errors == sum((pfi >= 60.0) != f for pfi, _, f, _ in drawn)
    assert counted.decided == len(decided)
    assert counted.errors_decided == sum(row.view is not truth[f] for row, f in decided)
    assert counted.refused == sum(row.decision is Decision.NOT_CHEST for row, _ in rows)


@given(images)
def test_kinds_add_up_to_the_whole(drawn):
    one = scores(drawn)

    rows = count_by(one, CARD, one.facts["source"], views_of(one))

    whole = count_decisions(one, CARD)
    for name in ("images", "errors", "decided", "errors_decided", "refused"):
        assert sum(getattr(c, name) for c in rows.values()) == getattr(whole, name)
    assert len(rows) == len({(source, f) for _, _, f, source in drawn})


def test_log_loss_is_scikit_learns():
    from sklearn.metrics import log_loss as reference

    rng = np.random.default_rng(0)
    drawn = [(round(rng.uniform(1, 99), 3), 50.0, bool(rng.random() < 0.5), "a") for _ in range(50)]
    one = scores(drawn)

    assert log_loss(one) == pytest.approx(reference(one.is_frontal, one.pfi / 100, labels=[0, 1]))


@given(images, images)
def test_joined_scores_are_all_of_them_in_order(first, second):
    joined = join_scores([scores(first), scores(second)], "both")

    assert joined.pfi.tolist() == [pfi for pfi, *_ in first + second]
    assert joined.chest.tolist() == [chest for _, chest, *_ in first + second]
    assert joined.facts["source"].tolist() == [source for *_, source in first + second]
