"""What a study's manager can take back, and what `verify`, `status` and the exports tell of it."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from cxrview.annotate.database.store import open_readings
from cxrview.errors import UsageError
from cxrview.records.annotation import Reading
from cxrview.results.tables import each_row
from cxrview.terms import Action, ReadingRound


def test_a_wrong_import_is_taken_back_and_may_be_made_again(room):
    room.create()
    first = room.run("annotate import study.db readings.csv").output
    assert "80 readings written" in first and "this is import 1" in first

    undone = room.run("annotate import study.db --undo 1").output
    status = room.run("annotate status study.db").output
    listed = room.run("annotate imports study.db").output
    again = room.run("annotate import study.db readings.csv").output

    assert "import 1 is undone: its 80 readings do not count any more" in undone
    assert "anna, reader: 0 of 40 read, 40 left" in status
    assert "import 1 (80 readings of readings.csv) is undone" in status
    assert "1: 80 readings of readings.csv" in listed and "undone" in listed
    assert "80 readings written, 0 were already there" in again
    assert "anna, reader: 40 of 40 read" in room.run("annotate status study.db").output
    assert "0 readings written, 80" in room.run("annotate import study.db readings.csv").output


@pytest.mark.parametrize("words", ["--undo 1", "", "readings.csv --undo 1"])
def test_what_is_no_import_is_not_undone(room, words):
    room.create()

    with pytest.raises(UsageError, match="no import 1|name the FILE|cannot be combined"):
        room.run(f"annotate import study.db {words}")


def test_a_dry_run_says_what_would_be_and_writes_nothing(room):
    room.create()
    rename = "--rename anna=dora"

    dry = room.run(f"annotate import study.db readings.csv --dry-run {rename}").output

    _, _, readers, readings = room.study()
    assert "dora would be new among the readers" in dry
    assert "80 readings would be written, 0 were already there" in dry
    assert (len(readers), readings) == (3, [])
    room.run("annotate import study.db readings.csv")
    known = room.run("annotate import study.db readings.csv --dry-run").output
    assert "0 readings would be written, 80 were already there" in known


def test_one_persons_readings_under_two_names_are_told_and_can_be_withdrawn(room):
    room.create()
    room.run("annotate import study.db readings.csv")

    twice = room.run("annotate import study.db readings.csv --rename anna=dora").output

    assert "anna and dora gave the same verdict on all 40 images that both read" in twice
    assert "anna and ben say" not in twice
    withdrawn = room.run("annotate reader study.db dora --withdraw").output
    assert "dora is retired, and none of 40 acts counts" in withdrawn
    status = room.run("annotate status study.db").output
    assert "dora, reader: withdrawn, no reading counts" in status
    assert "anna, reader: 40 of 40 read" in status
    assert "agreed           39" in status
    room.run("annotate reader study.db dora --restore")
    restored = room.run("annotate status study.db").output
    assert re.search(r"dora, reader: (\d+) of \1 read, 0 left", restored)


def test_a_retired_reader_keeps_readings_and_gives_up_the_share(room):
    room.create("--reader", "carl")
    lines = [[room.file(k), "anna", room.view(k), ""] for k in range(4)]
    room.write_csv("some.csv", ("file", "reader", "label", "reason"), lines)
    room.run("annotate import study.db some.csv")

    said = room.run("annotate reader study.db anna --retire").output

    assert "anna is retired; 4 acts" in said
    # Of 40 images 4 need one reader more, 36 two: 76 readings, of which two readers do all.
    left = [
        int(line.split(":")[1].split()[0]) for line in said.splitlines() if " left to read" in line
    ]
    assert sum(left) == 76
    assert "anna, reader: retired, 4 read" in room.run("annotate status study.db").output


def test_when_too_few_are_left_it_is_said(room):
    room.create()

    said = room.run("annotate reader study.db anna --retire").output

    assert "1 of 2 readers that an image needs are left" in said


def test_a_renamed_reader_is_not_made_anew_by_the_next_import(room):
    room.create_read()

    said = room.run("annotate reader study.db anna --rename Dora").output

    assert "anna is now Dora" in said
    with pytest.raises(UsageError, match="anna was renamed to Dora"):
        room.run("annotate import study.db readings.csv")
    again = room.run("annotate import study.db readings.csv --rename anna=Dora").output
    assert "0 readings written, 80 were already there" in again


@pytest.mark.parametrize(
    "words",
    [
        "--retire --withdraw",
        "--retire --link",
        "--rename x --role reader",
        "--restore",
        "--rename ben",
    ],
)
def test_changes_that_make_no_sense_are_refused(room, words):
    room.create()

    with pytest.raises(UsageError, match="cannot be combined|not retired|already"):
        room.run(f"annotate reader study.db anna {words}")


def replace_file(room, k):
    Image.fromarray(np.eye(20, dtype=np.uint8) * 200).save(room.file(k))


def test_a_replaced_file_is_left_out_of_the_export(room):
    room.create_read()
    replace_file(room, 7)

    said = room.run("annotate export study.db --out labels.csv --links links", code=1).output

    files = [row["file"] for row in room.read_csv("labels.csv")]
    assert len(files) == 38 and room.file(7) not in files
    assert "1 file was replaced after the study was created: " in said
    assert len(list(Path("links").rglob("*.png"))) == 37  # and one is excluded


def test_a_replaced_file_keeps_the_models_word_in_a_merged_result(room):
    room.create_read()
    replace_file(room, 7)

    said = room.run("merge views.parquet study.db --out merged.csv").output

    rows = {row["path"]: row for row in room.read_csv("merged.csv")}
    assert rows[room.file(7)]["view_origin"] == "model"
    assert rows[room.file(5)]["view_origin"] == "agreed"
    assert "1 row is of a file that was replaced" in said


def test_nor_is_a_row_that_was_made_of_the_new_file_the_old_image(room):
    room.create_read()
    rows = list(each_row(Path("views.parquet")))
    columns = list(rows[0])
    rows[7] = rows[7] | {"content_id": "f" * 32}
    room.write_csv("later.csv", columns, [[row[name] for name in columns] for row in rows])

    room.run("merge later.csv study.db --out merged.csv")

    merged = {row["path"]: row["view_origin"] for row in room.read_csv("merged.csv")}
    assert merged[room.file(7)] == "model"


def add(room, **facts):
    """One blind reading of anna's, as the server would have written it."""
    with closing(open_readings("study.db")) as store:
        images, reader = store.images(), store.readers()[0]
        said = {"act": Action.LABEL, "label": "frontal", "round": ReadingRound.BLIND}
        said |= {"made": datetime.now(UTC), "uid": uuid4().hex, "reader_id": reader.reader_id}
        (written,) = store.add_readings(
            [Reading(**{**said, "image_id": images[0].image_id, **facts})]
        )
    return written


def close_early(room):
    return room.run("annotate status study.db --close-blind-round --even-so")


def test_late_readings_are_counted_everywhere(room):
    room.create_read()
    made = datetime.now(UTC)
    close_early(room)
    add(room, made=made)

    status = room.run("annotate status study.db").output
    agree = room.run("annotate agree study.db").output
    room.run("annotate export study.db --readings --out all.csv")
    verified = room.run("annotate verify study.db").output

    assert "anna: 1 act of the blind round came after its closing and count" in status
    assert "anna: 1 act came after the blind round was closed and count" in agree
    assert json.loads(room.run("annotate agree study.db --json").output)["late"] == [
        {"reader": "anna", "acts": 1}
    ]
    rows = room.read_csv("all.csv")
    assert [row["late"] for row in rows].count("True") == 1 and rows[-1]["late"] == "True"
    assert "1 act of anna came after the blind round was closed and count" in verified
    assert "after the blind round was closed and count: 1" in verified


def test_withdrawn_readings_are_marked_in_the_export_of_all(room):
    room.create_read()
    room.run("annotate import study.db --undo 1")

    room.run("annotate export study.db --readings --out all.csv")

    assert {row["withdrawn"] for row in room.read_csv("all.csv")} == {"True"}
    assert len(room.read_csv("all.csv")) == 80


def test_a_sound_study_is_verified_and_described(room):
    room.create_read()

    said = room.run("annotate verify study.db").output

    assert "40 files are as in the study; replaced: 0" in said
    assert "80 acts in the log, 0 of them withdrawn" in said
    assert "nothing is wrong" in said
    paragraph = said.splitlines()[-1]
    for words in (
        "40 radiographs were labelled (frontal, lateral) by 2 readers",
        "2 readings an image",
        "The 80 blind readings were made from 20",
        "80 outside of cxrview",
        "anna and ben agreed on 39 of 40 images (Cohen's kappa 0.",
        "39 images were settled by agreement and 0 by an adjudicator",
        "1 conflict remained and 0 images lacked readings",
        "Images excluded: 1 (uninterpretable: 1)",
    ):
        assert words in paragraph
    told = json.loads(room.run("annotate verify study.db --json").output)
    assert told["problems"] == [] and told["methods"] == paragraph


def test_readings_that_do_not_stand_are_no_readings_of_the_paragraph(room):
    """A label said anew, and one that was taken back, of images that are read already."""
    room.create_read()
    add(room, label="frontal")
    add(room, uid="1" * 32)
    add(room, uid="2" * 32, act=Action.UNDO, label="", undoes="1" * 32)

    paragraph = room.run("annotate verify study.db").output.splitlines()[-1]

    assert "83 acts" in room.run("annotate verify study.db").output
    assert "The 80 blind readings were made" in paragraph


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"act": Action.UNDO, "label": "", "undoes": "a" * 32}, "not in the log"),
        (
            {"round": ReadingRound.SECOND_LOOK},
            "1 second looks came before the blind round was closed",
        ),
    ],
)
def test_what_does_not_fit_together_is_wrong(room, facts, words):
    room.create_read()
    add(room, **facts)

    said = room.run("annotate verify study.db", code=1).output

    assert words in said and "nothing is wrong" not in said


def test_a_reading_that_cannot_have_been_blind_is_wrong(room):
    room.create_read()
    with closing(open_readings("study.db")) as store:
        store.close_blind_round(datetime.now(UTC) - timedelta(hours=2))
        reader = store.readers()[0]
    add(room, made=datetime.now(UTC) - timedelta(hours=3))
    add(room, made=datetime.now(UTC))
    with closing(open_readings("study.db")) as store:
        store.note_opinion_shown(reader.reader_id, datetime.now(UTC) - timedelta(hours=1))

    said = room.run("annotate verify study.db", code=1).output

    assert "came later than the closing of the blind round allows" in said


def test_a_reading_after_the_opinion_was_shown_is_wrong(room):
    room.create_read()
    made = datetime.now(UTC)
    close_early(room)
    with closing(open_readings("study.db")) as store:
        store.note_opinion_shown(store.readers()[0].reader_id, datetime.now(UTC))
    add(room, made=made)

    said = room.run("annotate verify study.db", code=1).output

    assert "1 blind acts that count came after their reader had seen" in said


@pytest.mark.parametrize("everything", [False, True])
def test_a_blind_reading_of_an_image_revealed_to_its_reader_is_wrong(room, everything):
    room.create_read()
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with closing(open_readings("study.db")) as store:
        reader, image = store.readers()[0], store.images()[0]
        if everything:
            store.record_reveal_of_all(reader.reader_id, 40, long_ago)
        else:
            store.record_reveals(
                reader.reader_id, [image.image_id], ReadingRound.ADJUDICATION, long_ago
            )
    add(room)

    said = room.run("annotate verify study.db", code=1).output

    assert re.search(r"\d+ blind acts? that counts? w.* had seen the result of others", said)


def test_replaced_and_missing_files_are_wrong(room):
    room.create_read()
    replace_file(room, 7)
    Path(room.file(9)).unlink()

    said = room.run("annotate verify study.db", code=1).output

    assert "38 files are as in the study; replaced: 1, cannot be read: 1" in said
    assert "07.png was replaced after the study was created" in said
    assert "09.png cannot be read" in said


def test_a_log_that_was_tampered_with_is_wrong(room):
    room.create_read()
    with closing(sqlite3.connect("study.db")) as database:
        database.execute("DROP TRIGGER reading_is_not_changed")
        database.execute("DROP TRIGGER reading_is_not_deleted")
        database.execute("DELETE FROM reading WHERE reading_id BETWEEN 5 AND 7")
        database.commit()

    said = room.run("annotate verify study.db", code=1).output

    assert "acts 5 to 7 are missing from the log" in said
    assert "no longer refuses to change or delete rows of the table reading" in said


@pytest.mark.parametrize(("minutes", "kind"), [(None, "note: "), (1, "wrong: ")])
def test_readers_who_say_the_same_are_told_of_and_at_the_same_times_are_wrong(room, minutes, kind):
    room.create()
    start = datetime(2026, 5, 4, 9, tzinfo=UTC)
    lines = [
        [
            room.file(k),
            reader,
            room.view(k),
            (start + timedelta(minutes=minutes * k)).isoformat() if minutes else "",
        ]
        for k in range(room.images)
        for reader in ("anna", "ben")
    ]
    room.write_csv("same.csv", ("file", "reader", "label", "made"), lines)
    room.run("annotate import study.db same.csv")

    said = room.run("annotate verify study.db", code=1 if minutes else 0).output

    (line,) = [line for line in said.splitlines() if "anna and ben gave the same verdict" in line]
    assert line.startswith(kind) and "all 40 images" in line


def test_a_slow_clock_is_told_of(room):
    room.create()
    add(room, made=datetime.now(UTC) - timedelta(minutes=10))

    assert "clock was slow" in room.run("annotate verify study.db").output


def test_a_measured_clock_is_told_of(room):
    room.create()
    add(room, skew_seconds=-600.0)

    assert "off by up to 600 s" in room.run("annotate verify study.db").output
