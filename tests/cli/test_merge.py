"""What settled labels are for: `cxrview merge`, `assess archive` and `split` of a study."""

import shutil
from pathlib import Path

import pytest

from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import each_row
from cxrview.stats import exact_interval


def rows_of(name):
    return list(each_row(Path(f"{name}.parquet")))


def test_settled_labels_override_the_model_and_say_whose_word_it_is(room):
    room.create_read()

    said = room.run("merge views.parquet study.db --out merged.csv").output

    rows = {row["path"]: row for row in room.read_csv("merged.csv")}
    assert list(rows[room.file(0)]) == [*COLUMNS, "view_origin"]
    told = {
        k: tuple(rows[room.file(k)][n] for n in ("decision", "view", "agreement", "view_origin"))
        for k in (0, 1, 4, 5, 36)
    }
    assert told == {
        0: ("classified", "frontal", "", "model"),  # a conflict: the model's word stands
        1: ("excluded", "", "", "agreed"),
        4: ("labelled", "frontal", "agrees", "agreed"),  # which the model called lateral
        5: ("labelled", "lateral", "disagrees", "agreed"),
        36: ("labelled", "frontal", "agrees", "agreed"),  # which was sent to review
    }
    assert rows[room.file(4)]["pfi"] == "1.0"
    assert (
        "40 rows in merged.csv: 38 labelled by readers, 1 of them against the model, 1 excluded"
        in said
    )


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_to_merge_twice_changes_nothing(room, ending):
    room.create_read()
    room.run(f"merge views.parquet study.db --out once.{ending}")

    said = room.run(f"merge once.{ending} study.db --out twice.{ending}").output

    assert "38 labelled by readers, 0 of them against the model" in said
    assert f"38 of those labelled had a reader's label in once.{ending} already" in said
    assert Path(f"twice.{ending}").read_bytes() == Path(f"once.{ending}").read_bytes()
    assert {row["view"] for row in each_row(Path(f"twice.{ending}"))} == {
        "frontal",
        "lateral",
        None,
    }


def test_an_archive_that_has_moved_is_known_by_its_bytes(room):
    room.create_read()
    shutil.move("archive", "moved")
    text = [{**row, "path": row["path"].replace("archive", "moved")} for row in rows_of("views")]
    room.write_csv("views.csv", COLUMNS, [[row[n] for n in COLUMNS] for row in text])

    said = room.run("merge views.csv study.db --out merged.csv").output

    assert "39 of these were found by the bytes of their files" in said
    assert sum(row["view_origin"] == "agreed" for row in room.read_csv("merged.csv")) == 39


def test_a_result_of_another_folder_needs_its_root_or_is_refused(room):
    room.run("annotate create study.db archive --reader anna --reader ben")
    room.run("annotate import study.db readings.csv")
    Path("below").mkdir()
    rows = [{**row, "content_id": None} for row in rows_of("views")]
    room.write_csv("below/views.csv", COLUMNS, [[row[n] for n in COLUMNS] for row in rows])

    with pytest.raises(UsageError, match="no settled image of the study has a row"):
        room.run("merge below/views.csv study.db --out merged.csv --root below")
    assert not Path("merged.csv").exists()
    room.run("merge below/views.csv study.db --out merged.csv --root .")


def test_this_archives_own_error_is_told(room):
    room.create_read()

    said = room.run("assess archive views.parquet --labels study.db --out error").output

    interval = exact_interval(1, 34)
    shares = {row["name"]: row for row in room.read_csv("error/shares.csv")}
    wrong = shares["wrong view"]  # 36 classified, less a conflict and an exclusion
    assert (wrong["hits"], wrong["images"]) == ("1", "34")
    assert float(wrong["high"]) == interval.high
    assert (shares["view not named"]["hits"], shares["view not named"]["images"]) == ("4", "38")
    assert shares["named where there is none"]["hits"] == "1"
    assert [row["path"] for row in room.read_csv("error/wrong.csv")] == ["here/04.png"]
    assert "wrong view: 1 of 34 = 2.94 %, exact 95 % interval 0.07 to 15.33 %" in said
    assert "1 image is not settled yet" in said


def test_strata_are_weighted_by_their_images_in_the_archive(room):
    room.create("--sample", 20, "--stratify", "decision", "--least", 4)
    room.run("annotate import study.db readings.csv --skip-unknown", code=1)

    room.run("assess archive views.parquet --labels study.db --out error")

    strata = {row["name"]: row for row in room.read_csv("error/strata.csv")}
    assert {name: float(row["archive"]) for name, row in strata.items()} == {
        "classified": 36,
        "review": 4,
    }
    undecided = next(r for r in room.read_csv("error/shares.csv") if r["name"] == "view not named")
    assert float(undecided["weighted"]) == pytest.approx(4 / 40, abs=0.02)
    assert float(undecided["hits"]) / float(undecided["images"]) > 0.19


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("views.parquet --labels nothing.db", "nothing.db"),
        ("nothing.parquet --labels study.db", "nothing.parquet does not exist"),
    ],
)
def test_assess_archive_refuses_names_that_do_not_exist(room, given, why):
    room.create_read()

    with pytest.raises(UsageError, match=why):
        room.run(f"assess archive {given}")


def test_a_merged_result_says_nothing_of_the_model(room):
    room.create_read()
    room.run("merge views.parquet study.db --out merged.parquet")

    with pytest.raises(UsageError, match="labels override the model"):
        room.run("assess archive merged.parquet --labels study.db")


def test_tables_that_stand_are_replaced_only_when_asked_to(room):
    room.create_read()
    room.run("assess archive views.parquet --labels study.db --out error")

    with pytest.raises(UsageError, match="error already holds tables"):
        room.run("assess archive views.parquet --labels study.db --out error")
    room.run("assess archive views.parquet --labels study.db --out error --overwrite")


def test_a_study_is_split_as_its_labels_file_is(room):
    room.create_read()
    room.run("annotate export study.db --out archive/labels.csv")

    said = room.run("split study.db --out study.csv --seed 3").output
    room.run("split archive/labels.csv --out labels.csv --seed 3")

    assert Path("study.csv").read_bytes() == Path("labels.csv").read_bytes()
    assert "training       22 images" in said


def test_a_study_without_patients_or_views_is_not_split(room):
    room.create()
    with pytest.raises(UsageError, match="no image of the study is settled as frontal"):
        room.run("split study.db --out split.csv")

    room.run("annotate create bare.db archive --reader anna --reader ben")
    room.run("annotate import bare.db readings.csv")
    with pytest.raises(UsageError, match=r"38 of 38 images have no patient.*split --by image"):
        room.run("split bare.db --out split.csv")


def test_a_study_without_patients_is_prepared_and_split_by_image(room):
    room.run("annotate create bare.db archive --reader anna --reader ben")
    room.run("annotate import bare.db readings.csv")
    room.run("annotate export bare.db --out labels.csv")

    prepared = room.run("prepare labels.csv --out store")
    with pytest.raises(UsageError, match=r"38 of 38 images have no patient.*split --by image"):
        room.run("split store --out split.csv")
    said = room.run("split store --by image --out split.csv").output

    assert "38 of 38 images have no patient" in prepared.stderr
    assert "of unknown patients" in prepared.stdout
    assert "training       22 images" in said
    room.run("split store --check split.csv")


@pytest.mark.slow
def test_patients_may_be_told_when_labels_are_prepared(room):
    room.run("annotate create bare.db archive --reader anna --reader ben")
    room.run("annotate import bare.db readings.csv")
    room.run("annotate export bare.db --out labels.csv")
    room.run("prepare labels.csv --out store")

    with pytest.raises(UsageError, match="patients"):
        room.run(r"prepare labels.csv --out store --patient-pattern (\d)\d.png")
    again = room.run(r"prepare labels.csv --out store --patient-pattern (\d)\d.png --overwrite")
    room.run("split store --out split.csv")

    assert (again.stderr, "of 4 patients" in again.stdout) == ("", True)
    rows = room.read_csv("split.csv")
    assert len({(row["patient"], row["partition"]) for row in rows}) == 4


def test_assess_archive_takes_a_root_that_is_not_mounted(room):
    """Paths are compared as text: the archive itself is not read where they agree."""
    room.create_read()
    (room.folder / "archive").rename(room.folder / "unmounted")
    said = room.run(f"assess archive views.parquet --labels study.db --root {room.folder}").output

    assert "wrong view" in said
