"""`cxrview annotate import`, `export`, `agree` and `status`: in, out, and how it stands."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cxrview.annotate.database.store import open_readings
from cxrview.dataset.labels import read_labels, read_not_chest
from cxrview.errors import UsageError
from cxrview.records import Reading
from cxrview.stats import exact_interval
from cxrview.terms import Action, Method, ReadingRound


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


def test_agreement_is_scikit_learns_kappa(room):
    metrics = pytest.importorskip("sklearn.metrics")
    room.create_read()

    found = json.loads(room.run("annotate agree study.db --json").output)

    rows = room.read_csv("readings.csv")
    anna, ben = (
        [row["label"] or "excluded" for row in rows if row["reader"] == name]
        for name in ("anna", "ben")
    )
    (pair,) = found["between"]
    assert (pair["first"], pair["second"]) == ("anna", "ben")
    assert pair["kappa"] == pytest.approx(metrics.cohen_kappa_score(anna, ben))
    assert "39 of 40 images alike" in room.run("annotate agree study.db").output


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


def test_agreement_prints_an_interval_within_its_bounds(room):
    room.create()
    rows = [
        (room.file(k), reader, "lateral" if (k, reader) == (5, "ben") else room.view(k), "")
        for k in range(16)
        for reader in ("anna", "ben")
    ]
    rows[11] = (room.file(5), "ben", "frontal", "")
    room.write_csv("few.csv", ("file", "reader", "label", "reason"), rows)
    room.run("annotate import study.db few.csv")

    said = room.run("annotate agree study.db").output

    kappa, low, high = map(float, re.search(r"kappa (\S+) \((\S+) to (\S+)\)", said).groups())
    assert kappa == 0.875
    # Half of all is chance: by that share alone, kappa has twice Clopper's interval less 1.
    share = exact_interval(15, 16)
    assert (low, high) == pytest.approx((2 * share.low - 1, 2 * share.high - 1), abs=0.02)
