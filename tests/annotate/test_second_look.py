"""The labels that the model finds most surprising come first, and no others come."""

import pytest

from cxrview.annotate.second_look import Disagreement, second_look_order
from cxrview.records.annotation import Settled, StudyImage
from cxrview.terms import LabelStatus, ReadingRound


def model(image_id: str, view: str = "", pfi: float | None = None) -> StudyImage:
    return StudyImage(image_id=image_id, path=image_id, model_view=view, pfi=pfi)


def settled(image_id: str, label: str = "", reason: str = "", **facts) -> Settled:
    return Settled(image_id=image_id, how=LabelStatus.AGREED, label=label, reason=reason, **facts)


def test_the_most_surprising_label_comes_first():
    images = [
        model("sure", "frontal", 99.9),
        model("surer", "lateral", 0.05),
        model("less", "frontal", 70),
        model("silent", "frontal"),
        model("right", "frontal", 98),
    ]
    labels = {"sure": "lateral", "surer": "frontal", "less": "lateral", "silent": "lateral"}

    order = second_look_order(
        images, {i: settled(i, label) for i, label in {**labels, "right": "frontal"}.items()}
    )

    assert [doubt.image_id for doubt in order] == ["silent", "surer", "sure", "less"]
    assert [doubt.surprise for doubt in order] == pytest.approx([100, 99.95, 99.9, 70])


@pytest.mark.parametrize(
    ("label", "model_view", "differs"),
    [
        ("PA", "frontal", False),
        ("AP", "lateral", True),
        ("LL", "lateral", False),
        ("RL", "frontal", True),
        ("other", "frontal", False),
    ],
)
def test_projections_count_as_their_view_and_what_is_no_view_is_no_matter(
    label, model_view, differs
):
    order = second_look_order([model("a", model_view, 50)], {"a": settled("a", label)})

    assert bool(order) is differs


def test_where_the_model_named_no_view_its_pfi_decides():
    images = [model("a", pfi=40), model("b", pfi=60), model("c", pfi=50)]

    order = second_look_order(images, {i: settled(i, "frontal") for i in "abc"})

    assert order == (Disagreement(image_id="a", surprise=60, is_looked_at=False),)


def test_a_view_that_the_model_named_counts_by_its_own_cutoff():
    """A cutoff of 99.6 calls 99 lateral."""
    (doubt,) = second_look_order([model("a", "lateral", 99)], {"a": settled("a", "frontal")})

    assert doubt.surprise == 1


def test_what_is_excluded_open_or_not_scored_is_left_out():
    open_one = Settled(image_id="open", how=LabelStatus.CONFLICT)
    found = {"excluded": settled("excluded", reason="other"), "open": open_one}
    found["plain"] = settled("plain", "lateral")
    images = [*(model(i, "frontal", 99) for i in ("excluded", "open", "new")), model("plain")]

    assert second_look_order(images, found) == ()


def test_what_was_looked_at_and_confirmed_says_so(say):
    look = say(3, "a", "lateral", round=ReadingRound.SECOND_LOOK)
    confirmed = settled("a", "lateral", readings=(look,))

    (doubt,) = second_look_order([model("a", "frontal", 90)], {"a": confirmed})

    assert doubt.is_looked_at
