"""`cxrview annotate create` and `reader`, as whoever runs a study uses them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cxrview.annotate.database.store import open_readings
from cxrview.cli.annotate.shared import without_password
from cxrview.errors import UsageError
from cxrview.image.pseudonyms import pseudonym
from cxrview.install_command import install_command
from cxrview.terms import Role, View


def test_a_result_gives_images_with_what_model_and_header_said(room):
    room.create()

    study, images, readers, _ = room.study()
    assert study.root == str(room.folder / "archive")
    assert [image.path for image in images[:2]] == ["here/00.png", "here/01.png"]
    one = images[4]
    assert (one.model_view, one.model_decision, one.pfi) == ("lateral", "classified", 1.0)
    assert (one.header_view, one.patient, one.study) == (View.FRONTAL, "patient2", "1.2.1")
    assert {reader.name: reader.roles for reader in readers} == {
        "anna": {Role.READER},
        "ben": {Role.READER},
        "ada": {Role.ADJUDICATOR},
    }


def test_ids_tell_nothing_of_order_or_file(room):
    room.create()
    first = [image.image_id for image in room.study()[1]]
    Path("study.db").unlink()
    room.create()

    again = [image.image_id for image in room.study()[1]]
    assert not set(first) & set(again)
    assert sorted(first) != first


def test_the_link_that_is_printed_lets_its_reader_in(room):
    said = room.create().output
    secret = re.search(r"ben: http://127.0.0.1:8765/enter#(\S+)", said)[1]

    store = open_readings("study.db")
    assert store.reader_by_link(secret).name == "ben"
    store.close()


def test_a_sample_by_strata_says_what_each_image_stands_for(room):
    said = room.create("--sample", 20, "--stratify", "decision,source", "--least", 2).output

    study, images, *_ = room.study()
    found = {}
    for image in images:
        found.setdefault(image.stratum, []).append(image.weight)
    sizes = {name: (len(of), of[0]) for name, of in found.items()}
    assert sizes["review|there"] == (2, 2.0)
    assert sum(image.weight for image in images) == pytest.approx(40)
    assert {"name": "review|there", "images": 4, "drawn": 2} in study.about["strata"]
    assert "review|there          2 of 4, each stands for 2" in said
    assert {image.source for image in images} == {"here", "there"}


def test_only_the_review_rows(room):
    room.create("--only", "review")

    assert [i.path for i in room.study()[1]] == [f"there/{k}.png" for k in range(36, 40)]


def test_what_was_skipped_is_drawn_only_by_name(room):
    lines = [("a.png", "skipped"), ("b.png", "classified")]
    room.write_csv("few.csv", ("path", "decision"), lines)

    room.run("annotate create usual.db --from few.csv")
    room.run("annotate create skipped.db --from few.csv --only skipped")

    assert [i.path for i in room.study("usual.db")[1]] == ["b.png"]
    assert [i.path for i in room.study("skipped.db")[1]] == ["a.png"]


def test_a_list_with_files_of_its_own_will_do(room):
    lines = [("here/00.png", "mrs x", "ward"), ("here/01.png", "mr y", "")]
    room.write_csv("archive/list.csv", ("file", "patient", "source"), lines)

    room.run("annotate create study.db --from archive/list.csv")

    images = room.study()[1]
    assert [(i.path, i.patient, i.source) for i in images] == [
        ("00.png", "mrs x", "ward"),
        ("01.png", "mr y", ""),
    ]
    assert Path(room.study()[0].root, images[0].path).is_file()


def test_a_folder_gives_every_image_in_it_and_lists_what_is_none(room):
    (room.folder / "archive/notes.txt").write_text("no picture")
    room.write_csv("archive/few.csv", ("a",), [])

    done = room.run("annotate create study.db archive --stratify source", code=1)

    study, images, *_ = room.study()
    assert (study.root, len(images)) == (str(room.folder / "archive"), 40)
    assert {image.stratum for image in images} == {"here", "there"}
    assert "left out: archive/notes.txt" in done.output
    assert all(len(image.content_id) == 32 for image in images)


def test_dicom_headers_are_kept_for_later_and_patients_under_pseudonyms(room):
    room.run("phantom drawn --patients 2 --size 96x80")

    room.run("annotate create study.db drawn", code=1)

    images = room.study()[1]
    assert all(re.fullmatch("[0-9a-f]{64}", image.patient) for image in images)
    assert {image.header_view for image in images} >= {View.FRONTAL}


def test_label_set_and_settings_are_kept(room):
    room.create(
        *("--labels", "PA:p,AP:a,lateral:l,other", "--name", "two readers, one truth"),
        *("--readings-per-image", 1, "--repeat-share", 0.1, "--seed", 3),
    )

    study = room.study()[0]
    assert [(c.name, c.key) for c in study.choices] == [
        ("PA", "p"),
        ("AP", "a"),
        ("lateral", "l"),
        ("other", "o"),
    ]
    assert (study.name, study.seed) == ("two readers, one truth", 3)
    assert (study.readings_per_image, study.repeat_share) == (1, 0.1)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "name either IMAGES or"),
        ("archive --from views.parquet", "name either IMAGES or"),
        ("archive --only review", "--only selects rows of a table"),
        ("archive --stratify decision", "stratified by source"),
        ("--from nothing.parquet", "table nothing.parquet does not exist"),
        ("--from readings.csv --stratify ward", "no column ward to stratify by"),
        ("--from views.parquet --only broken", "unknown decision broken"),
        ("--from views.parquet --only not_chest", "no image with decision not_chest"),
        ("--from views.parquet --sample 3 --stratify decision", "too small for 2 strata"),
        ("--from views.parquet --labels frontal", "at least two labels"),
        ("--from views.parquet --labels one:f,two:f", "two labels have the same key"),
        ("--from views.parquet --labels one:F1,two:f", "is not a label with a key"),
        ("--from views.parquet --labels frontal,Excluded", "without a label"),
        ("--from views.parquet --reader anna:boss", "a role is reader, adjudicator or manager"),
        ("--from views.parquet --reader anna --reader anna", "two readers have the same name"),
    ],
)
def test_what_makes_no_study_is_refused_and_leaves_none(room, given, why):
    with pytest.raises(UsageError, match=re.escape(why)):
        room.run(f"annotate create study.db {given}")

    assert not list(room.folder.glob("study.db*"))


def test_a_password_in_a_url_is_not_shown():
    shown = without_password("postgresql+psycopg://ada:s3cret:x@host/db?options=a:b@c")

    assert shown == "postgresql+psycopg://ada:***@host/db?options=a:b@c"
    assert without_password("folder/study.db") == "folder/study.db"


def test_a_study_that_stands_is_not_written_over(room):
    room.create()

    with pytest.raises(UsageError, match=r"study\.db already exists"):
        room.create()

    assert len(room.study()[1]) == 40


def test_a_reader_who_is_there_may_become_adjudicator_and_stays_reader(room):
    room.create()

    done = room.run("annotate reader study.db ben --role adjudicator")

    assert done.output == "ben is reader and adjudicator now\n"
    (ben,) = (reader for reader in room.study()[2] if reader.name == "ben")
    assert ben.roles == {Role.READER, Role.ADJUDICATOR}


@pytest.mark.slow
def test_a_reader_gets_a_new_link_and_a_password(room):
    link = r"anna: http://127.0.0.1:8765/enter#(\S+)"
    old = re.search(link, room.create().output)[1]

    new = re.search(link, room.run("annotate reader study.db anna --link").output)[1]
    added = room.run("annotate reader study.db carl --role reader+adjudicator").output
    words = ["-m", "cxrview", "annotate", "reader", "study.db", "anna", "--password"]
    shell = [sys.executable, *words]
    subprocess.run(shell, input="long enough\n", text=True, check=True, capture_output=True)

    store = open_readings("study.db")
    assert store.reader_by_link(old) is None
    assert store.reader_by_link(new).name == "anna"
    entered = store.reader_by_link(added.split("/enter#")[1].strip())
    assert entered.roles == {Role.READER, Role.ADJUDICATOR}
    assert store.check_password("anna", "long enough").name == "anna"
    store.close()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("anna", "choose one of"),
        ("zoe --link", "the study has no reader zoe"),
        ("zoe --link --role reader", "gets a link anyway"),
        ("anna --role reader", "anna already has that role"),
    ],
)
def test_what_gives_no_reader_is_refused(room, given, why):
    room.create()

    with pytest.raises(UsageError, match=why):
        room.run(f"annotate reader study.db {given}")


@pytest.mark.parametrize(
    ("images", "why"),
    [
        ("filmz", r"^filmz cannot be found \(No such file or directory\)"),
        ("archive filmz", r"^filmz cannot be found"),
        ("empty", "^no file was found in empty"),
    ],
)
def test_a_study_of_a_mistyped_or_empty_folder_is_refused_by_its_name(room, images, why):
    Path("empty").mkdir()
    before = sorted(Path().iterdir())

    with pytest.raises(UsageError, match=why):
        room.run(f"annotate create study.db {images} --reader anna --reader ben")

    assert sorted(Path().iterdir()) == before


def test_without_the_extra_one_line_names_it(room):
    room.create()
    without = (
        "import sys; sys.modules['sqlalchemy'] = None; from cxrview.cli.entry import run; run()"
    )

    done = subprocess.run(
        [sys.executable, "-c", without, "annotate", "status", "study.db"],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert "annotation needs sqlalchemy" in done.stderr
    assert install_command("annotate") in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_study_that_has_moved_finds_its_images_where_they_were(room):
    room.create_read()
    Path("elsewhere").mkdir()
    shutil.move("study.db", "elsewhere/study.db")

    room.run("annotate export elsewhere/study.db --out elsewhere/labels.csv")

    rows = room.read_csv("elsewhere/labels.csv")
    assert all((Path("elsewhere") / row["file"]).is_file() for row in rows)


def test_images_without_patients_are_told_at_once_with_what_to_do(room):
    said = room.run("annotate create study.db archive --reader anna").stderr

    assert "40 of 40 images have no patient: a split by patient will not be possible" in said
    for way in ("--patient-pattern REGEX", "--patient-column COLUMN", "cxrview split --by image"):
        assert way in said


def test_patients_in_paths_are_kept_as_pseudonyms_of_the_key(room):
    Path("key").write_text("k" * 64)
    done = room.run(
        r"annotate create study.db archive --patient-pattern ^here/(\d) --key key --reader anna"
    )

    expected = {f"here/{k:02}.png": pseudonym(b"k" * 64, str(k // 10)) for k in range(30)}
    found = {image.path: image.patient for image in room.study()[1]}
    assert {path: patient for path, patient in found.items() if patient} == expected
    assert "10 of 40 images have no patient" in done.stderr


def test_a_column_of_patients_is_kept_as_pseudonyms_of_the_key(room):
    Path("key").write_text("k" * 64)
    room.write_csv("list.csv", ("file", "MRN"), [(room.file(0), "17"), (room.file(1), "")])
    done = room.run("annotate create study.db --from list.csv --patient-column MRN --key key")

    patients = [image.patient for image in room.study()[1]]
    assert sorted(patients) == ["", pseudonym(b"k" * 64, "17")]
    assert "1 of 2 images has no patient" in done.stderr


def test_all_patients_known_is_nothing_to_tell(room):
    assert room.create().stderr == ""


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("archive --patient-column MRN", "--patient-column is for a table"),
        ("archive --patient-pattern nobody(x)", "gives no patient for any image"),
        ("--from views.parquet --patient-column MRN", "has no column MRN"),
    ],
)
def test_a_source_that_tells_of_nobody_is_refused_before_there_is_a_study(room, given, why):
    with pytest.raises(UsageError, match=why):
        room.run(f"annotate create study.db {given}")

    assert not Path("study.db").exists()


def test_what_comes_next_is_said_with_readers_and_without(room):
    with_readers = room.create().output
    without = room.run("annotate create other.db archive").output

    assert "next: cxrview annotate serve study.db" in with_readers
    assert "next: cxrview annotate reader other.db NAME --role reader" in without


def test_a_list_of_excel_with_backslashes_gives_its_images(room):
    name = room.file(3).replace("/", "\\")
    Path("list.csv").write_text(f"File;Patient\n{name};p1\n", encoding="utf-8-sig")
    room.run("annotate create study.db --from list.csv")

    study, (image,), *_ = room.study()
    assert (Path(study.root) / image.path).is_file()
    assert image.patient == "p1"


def test_a_list_with_a_drive_of_windows_is_refused(room):
    Path("list.csv").write_text("file\nC:\\films\\a.png\n")

    with pytest.raises(UsageError, match="which is not on this computer"):
        room.run("annotate create study.db --from list.csv")
