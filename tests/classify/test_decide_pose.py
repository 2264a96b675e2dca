"""What is decided besides the view, each answer by its threshold."""

import pytest

from cxrview.classify.decide import decide
from cxrview.records.answers import PoseAnswer
from cxrview.records.classification import Instance
from cxrview.records.model_card import THRESHOLDS, ModelCard
from cxrview.terms import Projection

CARD = ModelCard(
    model_id="any",
    weights_sha256="",
    input_side=256,
    cutoff=50.0,
    paper_cutoff=50.0,
    review_band=(40.0, 60.0),
    chest_cutoff=50.0,
    precision="",
    thresholds=dict.fromkeys(THRESHOLDS, 90.0),
)
FIELDS = ("projection", "rotation", "mirrored", "inverted")
PERCENTAGES = (
    "projection_ap",
    "rotation_probability",
    "mirrored_probability",
    "inverted_probability",
)


def decided(pfi: float = 99.0, chest: float = 99.0, is_constant: bool = False, **answers):
    sure = {"turns": (2.0, 95.0, 2.0, 1.0), "mirrored": 1.0, "inverted": 99.0, "projection_ap": 3.0}
    return decide(
        Instance(path="a.png", content_id=""),
        pfi,
        CARD,
        chest=chest,
        pose=PoseAnswer(**{**sure, **answers}),
        is_constant=is_constant,
    )


def test_decide_answers_where_the_probability_is_above_the_threshold():
    row = decided()

    assert [getattr(row, name) for name in FIELDS] == [Projection.PA, 90, False, True]
    assert [getattr(row, name) for name in PERCENTAGES] == [3, 95, 1, 99]


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"turns": (5.1, 89.9, 4.0, 1.0)}, "rotation"),
        ({"mirrored": 10.1}, "mirrored"),
        ({"inverted": 89.9}, "inverted"),
        ({"projection_ap": 50.0}, "projection"),
    ],
)
def test_decide_leaves_empty_what_is_less_probable(answers, field):
    row = decided(**answers)

    assert [name for name in FIELDS if getattr(row, name) is None] == [field]
    assert all(getattr(row, name) is not None for name in PERCENTAGES)


def test_decide_takes_the_threshold_itself_as_too_little():
    assert decided(projection_ap=90.0).projection is None
    assert decided(projection_ap=90.001).projection is Projection.AP
    assert decided(projection_ap=9.999).projection is Projection.PA


def test_decide_leaves_projection_and_mirroring_to_frontals():
    row = decided(pfi=1.0)

    assert (row.projection, row.projection_ap, row.mirrored, row.mirrored_probability) == (
        (None,) * 4
    )
    assert (row.rotation, row.inverted) == (90, True)


@pytest.mark.parametrize("kind", [{"chest": 10.0}, {"is_constant": True}])
def test_decide_gives_no_pose_to_what_shows_no_chest(kind):
    row = decided(**kind)

    assert {getattr(row, name) for name in (*FIELDS, *PERCENTAGES)} == {None}


def test_decide_gives_a_pose_to_an_image_under_review():
    row = decided(pfi=50.0)

    assert (row.view, row.rotation, row.inverted) == (None, 90, True)
