"""`cxrview annotate import`: readings made elsewhere, and rows that are not valid."""

import re
from pathlib import Path

import pytest

from cxrview.errors import UsageError
from cxrview.terms import Method, ReadingRound


def test_the_same_file_twice_changes_nothing(room):
    room.create()

    first = room.run("annotate import study.db readings.csv").output
    second = room.run("annotate import study.db readings.csv").output

    assert "80 readings written, 0 were already there" in first
    assert "0 readings written, 80 were already there" in second
    *_, readings = room.study()
    assert len(readings) == 80
    assert {(r.round, r.how) for r in readings} == {(ReadingRound.BLIND, Method.IMPORT)}


def test_a_changed_row_is_one_new_reading_and_the_last_one_stands(room):
    room.create_read()
    text = Path("readings.csv").read_text().replace("00.png,ben,lateral", "00.png,ben,frontal")
    Path("readings.csv").write_text(text)

    said = room.run("annotate import study.db readings.csv").output

    assert "1 reading written, 79 were already there" in said
    assert "conflict" not in room.run("annotate status study.db").output


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("archive/here/99.png,anna,frontal,", "line 82: the study has no image archive/here/99"),
        ("archive/here/02.png,anna,oblique,", "line 82: the study has no label 'oblique'"),
        ("archive/here/02.png,anna,excluded,tired", "line 82: tired is not a reason to exclude"),
        ("archive/here/02.png,anna,,", "line 82: neither a label nor a reason"),
        ("archive/here/02.png,anna,frontal,other", "line 82: a label and a reason"),
        ("archive/here/02.png,,frontal,", "line 82: no reader"),
        ("archive/here/02.png,anna,frontal,,x", "line 82: more cells than columns"),
        (
            "archive/here/02.png,ada,frontal,",
            "ada is an adjudicator of this study and not a reader",
        ),
        ("archive/here/02.png,anna,excluded,other", "line 6 and line 82 are different verdicts"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_by_its_line_and_nothing_written(room, line, why):
    room.create()
    with Path("readings.csv").open("a") as file:
        file.write(line + "\n")

    with pytest.raises(UsageError, match=re.escape(why)):
        room.run("annotate import study.db readings.csv")

    *_, readers, readings = room.study()
    assert (len(readers), readings) == (3, [])


def test_of_two_verdicts_on_one_image_the_later_stands_wherever_its_row_is(room):
    room.create()
    rows = [
        ("archive/here/02.png", "anna", "lateral", "2017-04-02"),
        ("archive/here/02.png", "anna", "frontal", "2017-04-01"),
    ]
    room.write_csv("dated.csv", ("file", "reader", "label", "made"), rows)
    room.run("annotate import study.db dated.csv")

    *_, readings = room.study()
    assert [reading.label for reading in readings] == ["frontal", "lateral"]


def test_what_is_unknown_is_passed_over_only_when_asked_to(room):
    room.create("--only", "review")

    done = room.run("annotate import study.db readings.csv --skip-unknown", code=1)

    assert "8 readings written" in done.output
    assert done.output.count("skipped") == 72


def test_a_labels_file_is_one_readers_and_files_may_be_named_from_the_root(room):
    room.create()
    lines = [("here/02.png", "p1", "frontal"), ("here/03.png", "p1", "not-chest")]
    room.write_csv("labels.csv", ("file", "patient", "view"), lines)

    with pytest.raises(UsageError, match="no column reader"):
        room.run("annotate import study.db labels.csv")
    said = room.run("annotate import study.db labels.csv --reader dora").output

    assert "dora is new among the readers" in said
    *_, readings = room.study()
    assert [(r.label, r.reason) for r in readings] == [
        ("frontal", ""),
        ("", "not a chest radiograph"),
    ]


def test_nothing_is_blind_once_the_blind_round_is_closed(room):
    room.create()
    room.run("annotate status study.db --close-blind-round --even-so")

    with pytest.raises(UsageError, match="blind round of this study is closed"):
        room.run("annotate import study.db readings.csv")


def test_words_of_radiology_are_the_studys_labels_of_that_view(room):
    room.create()
    lines = [f"{room.file(2)};PA", f"{room.file(3)};LATERAL", f"{room.file(4)};Not_Chest"]
    Path("excel.csv").write_text(
        "\n".join(["File;Label", *lines]).replace("/", "\\"), encoding="utf-16"
    )

    room.run("annotate import study.db excel.csv --reader anna")

    *_, readings = room.study()
    said = [reading.label or reading.reason for reading in readings]
    assert said == ["frontal", "lateral", "not a chest radiograph"]


@pytest.mark.parametrize(
    ("labels", "word", "why"),
    [
        ("PA:p,AP:a,lateral:l", "frontal", "'frontal' could be any of the labels PA, AP"),
        ("frontal:f,other:o", "LL", "no label 'LL', and none that is lateral"),
        ("frontal:f,lateral:l", "LLD", "no label 'LLD'"),
    ],
)
def test_a_word_that_fits_no_one_label_is_refused(room, labels, word, why):
    room.create("--labels", labels)
    room.write_csv("said.csv", ("file", "view"), [(room.file(2), word)])

    with pytest.raises(UsageError, match=re.escape(why)):
        room.run("annotate import study.db said.csv --reader anna")


def test_a_drive_of_windows_in_an_import_is_called_one(room):
    room.create()
    room.write_csv("said.csv", ("file", "view"), [("C:\\films\\02.png", "PA")])

    with pytest.raises(UsageError, match="relative to the table, not by a drive"):
        room.run("annotate import study.db said.csv --reader anna")
