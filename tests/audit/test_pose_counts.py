"""Turned, mirrored and inverted images, and projections beside the header."""

import pytest

from cxrview.audit.pose_counts import PoseCounts, kinds_of, projection_in_header, unsure_of
from cxrview.terms import Projection


def image(**facts):
    """An upright frontal image that the model calls PA, as its header does."""
    row = {
        "decision": "classified",
        "view": "frontal",
        "header_view_position": "PA",
        "projection": "PA",
        "projection_ap": 1.0,
        "rotation": 0,
        "rotation_probability": 99.0,
        "mirrored": False,
        "mirrored_probability": 1.0,
        "inverted": False,
        "inverted_probability": 1.0,
    }
    return row | facts


LATERAL = {"view": "lateral", "mirrored": None, "mirrored_probability": None}
LATERAL |= {"projection": None, "projection_ap": None}


def counted(*rows) -> PoseCounts:
    counts = PoseCounts()
    for row in rows:
        counts.add(row)
    return counts


def test_pose_counts_add_up_turned_mirrored_and_inverted_images():
    counts = counted(
        image(),
        image(rotation=90, mirrored=True),
        image(rotation=270, inverted=True),
        image(**LATERAL, rotation=270),
    )

    assert counts.images == 4
    assert counts.rotations == {0: 1, 90: 1, 270: 2}
    assert counts.turned == 3
    assert counts.mirrored == {False: 2, True: 1}
    assert counts.inverted == {False: 3, True: 1}
    assert counts.unsure == 0


def test_pose_counts_count_an_image_with_two_missing_answers_once_as_unsure():
    counts = counted(image(rotation=None, inverted=None), image(mirrored=None), image(**LATERAL))

    assert counts.unsure == 2
    assert (counts.rotations[None], counts.mirrored[None], counts.inverted[None]) == (1, 1, 1)


def test_pose_counts_leave_out_images_without_an_answer():
    counts = counted(dict.fromkeys(image()) | {"decision": "skipped"})

    assert counts.images == 0
    assert counts.projection_agreement().total == 0


def test_pose_counts_compare_projections_with_the_header():
    counts = counted(
        image(),
        image(header_view_position="AP SUPINE", projection="AP"),
        image(header_view_position="AP"),
        image(projection=None),
        image(header_view_position=None, projection="AP"),
        image(header_view_position="LL", projection=None),
        image(**LATERAL),
    )

    found = counts.projection_agreement()
    assert (found.agrees, found.disagrees, found.silent, found.unsure) == (2, 1, 2, 1)
    assert found.total == 6
    assert [(one.header, one.ap, one.pa, one.unsure) for one in counts.by_header()] == [
        *(("AP", 1, 1, 0), ("PA", 0, 1, 1), ("", 1, 0, 1)),
    ]


def test_pose_counts_do_not_compare_the_projection_of_what_a_reader_called_lateral():
    counts = counted(
        image(decision="labelled", view="lateral"), image(decision="review", view=None)
    )

    assert counts.projection_agreement().total == 0


@pytest.mark.parametrize(
    ("position", "projection"),
    [
        ("PA", Projection.PA),
        ("ap", Projection.AP),
        ("CHEST_PA", Projection.PA),
        ("AP\\SUPINE", Projection.AP),
        ("PA\\AP", None),
        ("LATERAL", None),
        ("PARTIAL", None),
        ("", None),
    ],
)
def test_projection_in_header_takes_a_whole_word(position, projection):
    assert projection_in_header(position) is projection


def test_kinds_of_an_image_are_several_and_none_of_an_upright_one():
    assert kinds_of(image()) == ()
    assert kinds_of(image(rotation=180, inverted=True)) == ("turned-180", "inverted")
    assert kinds_of(image(rotation=None, mirrored=True)) == ("mirrored", "unsure")


def test_unsure_of_needs_a_probability():
    assert unsure_of(image(**LATERAL)) == ()
    assert unsure_of(image(rotation=None, mirrored=None)) == ("rotation", "mirrored")
