"""`cxrview annotate export`: labels, every action, links, and Label Studio's JSON."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cxrview.annotate.database.store import open_readings
from cxrview.dataset.labels import read_labels, read_not_chest
from cxrview.errors import UsageError
from cxrview.records.annotation import Reading
from cxrview.terms import Action, ReadingRound


def adjudicate(room, k, label="frontal"):
    """Ada settles the conflict about an image."""
    store = open_readings("study.db")
    ids = {Path(image.path).stem: image.image_id for image in store.images()}
    store.add_readings(
        [
            Reading(
                uid="a" * 32,
                reader_id=3,
                image_id=ids[f"{k:02}"],
                round=ReadingRound.ADJUDICATION,
                act=Action.LABEL,
                label=label,
                note="the spine says so",
                made=datetime(2017, 4, 1, 12, tzinfo=UTC),
            )
        ]
    )
    store.close()


def test_labels_come_out_as_a_labels_file(room):
    room.create_read()
    adjudicate(room, 0)

    said = room.run("annotate export study.db --out labels.csv").output

    assert "40 images in labels.csv: 20 frontal, 19 lateral, 1 without a view" in said
    labels = {label.file: label for label in read_labels(Path("labels.csv"))}
    assert {file: label.view for file, label in labels.items()} == {
        room.file(k): room.view(k) for k in range(40) if k != 1
    }
    rows = {row["file"]: row for row in room.read_csv("labels.csv")}
    assert rows[room.file(0)]["settled"] == "adjudicated"
    assert rows[room.file(0)]["readings"] == "3"
    assert rows[room.file(2)]["settled"] == "agreed"
    assert (rows[room.file(1)]["view"], rows[room.file(1)]["reason"]) == (
        "no-view",
        "uninterpretable",
    )


def test_what_is_no_chest_stays_of_use_to_a_training(room):
    room.create()
    said = "not a chest radiograph"
    lines = [("archive/here/00.png", name, "excluded", said) for name in ("anna", "ben")]
    room.write_csv("two.csv", ("file", "reader", "label", "reason"), lines)
    room.run("annotate import study.db two.csv")

    room.run("annotate export study.db --out labels.csv")

    assert [one.file for one in read_not_chest(Path("labels.csv"))] == ["archive/here/00.png"]


def test_a_conflict_is_no_label(room):
    room.create_read()

    said = room.run("annotate export study.db --out labels.parquet").output

    assert "1 image is not settled yet, and left out" in said
    table = pq.read_table("labels.parquet").to_pylist()
    assert room.file(0) not in {row["file"] for row in table}
    assert {row["settled"] for row in table} == {"agreed"}
    assert len(table) == 39


def test_projections_are_views_too(room):
    room.create("--labels", "PA:p,AP:a,LL:l,other:o")
    said = {2: "PA", 3: "LL", 4: "AP", 5: "other"}
    lines = [(room.file(k), who, said[k]) for k in said for who in ("anna", "ben")]
    room.write_csv("four.csv", ("file", "reader", "label"), lines)
    room.run("annotate import study.db four.csv")

    room.run("annotate export study.db --out labels.csv")

    rows = [(row["label"], row["view"]) for row in room.read_csv("labels.csv")]
    assert rows == [
        ("PA", "frontal"),
        ("LL", "lateral"),
        ("AP", "frontal"),
        ("other", "no-view"),
    ]
    assert len(read_labels(Path("labels.csv"))) == 3


def test_every_act_comes_out_with_who_what_when_and_how(room):
    room.create_read()
    adjudicate(room, 0)

    room.run("annotate export study.db --out acts.csv --readings")

    rows = room.read_csv("acts.csv")
    assert len(rows) == 81
    assert [int(row["reading_id"]) for row in rows] == list(range(1, 82))
    last = rows[-1]
    assert (last["reader"], last["file"], last["round"]) == ("ada", room.file(0), "adjudication")
    assert last["made"] == "2017-04-01T12:00:00+00:00"
    with pytest.raises(UsageError, match="an export of every act"):
        room.run("annotate import study.db acts.csv")


def test_links_lead_to_the_images_under_names_that_tell_nothing(room):
    room.create_read()

    room.run("annotate export study.db --links linked")

    ids = {image.image_id for image in room.study()[1]}
    links = sorted(Path("linked").glob("*/*"))
    assert {p.parent.name for p in links} == {"frontal", "lateral"}
    assert len(links) == 38  # without a conflict and an exclusion
    assert all(path.suffix == ".png" and path.stem in ids for path in links)
    for link in links:
        k = int(link.readlink().stem)
        assert (link.parent.name, link.resolve()) == (room.view(k), Path(room.file(k)).resolve())


@pytest.mark.parametrize(("each", "count"), [("patient", 19), ("study", 10)])
def test_one_image_of_each_patient_or_study(room, each, count):
    room.create_read()

    room.run(f"annotate export study.db --out one.csv --links linked --one-per {each}")

    rows = room.read_csv("one.csv")
    assert len(rows) == len({row[each] for row in rows}) == count
    assert len(list(Path("linked").glob("*/*.png"))) == count


def test_one_of_each_unknown_patient_cannot_be_had(room):
    room.run("annotate create study.db archive --reader anna --reader ben")
    room.run("annotate import study.db readings.csv")

    with pytest.raises(UsageError, match="the patient of 38 images is not known"):
        room.run("annotate export study.db --links linked --one-per patient")


def test_label_studio_gives_back_what_it_was_given(room):
    room.create_read()
    adjudicate(room, 0)
    room.run("annotate export study.db --out tasks.json")
    room.run("annotate create other.db --from views.parquet")

    said = room.run("annotate import other.db tasks.json").output
    again = room.run("annotate import other.db tasks.json").output

    assert "80 readings written" in said
    assert "0 readings written, 80 were already there" in again
    first, second = (
        {
            (image.path, reader.name, r.act, r.label, r.reason, r.made)
            for _, images, readers, readings in [room.study(where)]
            for r in readings
            for image in images
            for reader in readers
            if (r.image_id, r.reader_id) == (image.image_id, reader.reader_id)
            and r.round is ReadingRound.BLIND
        }
        for where in ("study.db", "other.db")
    )
    assert first == second


def test_nothing_that_stands_is_written_over_unasked(room):
    room.create_read()
    room.run("annotate export study.db --out labels.csv --links linked")

    with pytest.raises(UsageError, match=r"labels\.csv already exists"):
        room.run("annotate export study.db --out labels.csv")
    with pytest.raises(UsageError, match="linked already holds links"):
        room.run("annotate export study.db --links linked")
    room.run("annotate export study.db --out labels.csv --links linked --overwrite")

    assert len(list(Path("linked").glob("*/*"))) == 38


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "name --out FILE for a table"),
        ("--readings", "--readings needs --out FILE"),
        ("--readings --out acts.json", "readings cannot be written as .json"),
        ("--out labels.xlsx", "does not end in .csv, .parquet or .json"),
        ("--out one.csv --one-per ward", "--one-per is patient or study"),
    ],
)
def test_what_cannot_be_exported_is_refused(room, given, why):
    room.create_read()

    with pytest.raises(UsageError, match=re.escape(why)):
        room.run(f"annotate export study.db {given}")


def test_an_unread_study_has_nothing_to_export(room):
    room.create()

    with pytest.raises(UsageError, match="no image of the study is settled yet"):
        room.run("annotate export study.db --out labels.csv")


def test_what_label_studio_cannot_give_back_is_said_both_ways(room):
    room.create_read()
    adjudicate(room, 0)

    out = room.run("annotate export study.db --out labels.json").output
    Path("study.db").rename("first.db")
    room.create()
    back = room.run("annotate import study.db labels.json").output

    assert "1 of these were settled by an adjudication or a second look" in out
    assert "1 adjudications and second looks in labels.json are left out" in back
    assert "conflict          1" in room.run("annotate status study.db").output
