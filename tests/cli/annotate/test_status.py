"""`cxrview annotate status`: what is settled and left, and closing the blind round."""

import pytest

from cxrview.errors import UsageError


def test_status_counts_what_is_settled_and_what_is_left(room):
    room.create_read()

    said = room.run("annotate status study.db").output

    assert "agreed           39" in said
    assert "conflict          1" in said
    assert "anna, reader: 40 of 40 read, 0 left" in said
    assert "blind round open" in said


def test_status_says_when_too_few_can_read(room):
    lone = "annotate create lone.db --from views.parquet --reader anna --reader ada:adjudicator"
    room.run(lone)
    room.create()

    assert "1 of 2 readers that an image needs" in room.run("annotate status lone.db").output
    assert "readers that an image needs" not in room.run("annotate status study.db").output


def test_the_blind_round_is_closed_early_only_on_purpose_and_once(room):
    room.create()

    with pytest.raises(UsageError, match="readers have 80 readings left"):
        room.run("annotate status study.db --close-blind-round")
    assert "blind round open" in room.run("annotate status study.db").output
    first = room.run("annotate status study.db --close-blind-round --even-so").output
    again = room.run("annotate status study.db --close-blind-round").output

    assert "blind round closed 20" in first
    assert again == first
