import pytest

from cxrview.dataset.labels import read_labels, read_not_chest
from cxrview.errors import UsageError
from cxrview.sources.patient_source import PatientSource
from cxrview.terms import View


def write(folder, *rows: str):
    (folder / "a.png").touch()
    path = folder / "labels.csv"
    path.write_text("\n".join(["file,source,patient,view", *rows]) + "\n")
    return path


def test_frontal_and_lateral_rows_are_read_and_others_left(tmp_path):
    path = write(tmp_path, "a.png,here,p1,lateral", "knee.png,here,,not-chest")

    (label,) = read_labels(path)

    assert (label.view, label.patient, label.source) == (View.LATERAL, "p1", "here")
    assert label.study == ""


def test_every_fault_is_named_with_its_line(tmp_path):
    path = write(tmp_path, "a.png,,p1,oblique", "a.png,,,frontal", "b.png,,p1,frontal")

    with pytest.raises(UsageError) as error:
        read_labels(path)

    for part in ("line 2: view 'oblique'", "line 3: no patient", "line 4: file b.png"):
        assert part in str(error.value)


@pytest.mark.parametrize("name", ["x" * 300, "x\\" + "y" * 300])
def test_a_name_that_no_disk_takes_does_not_exist(tmp_path, name):
    path = write(tmp_path, f"{name},,p1,frontal")

    with pytest.raises(UsageError, match=r"[xy] does not exist"):
        read_labels(path)


def test_a_missing_column_is_named(tmp_path):
    (tmp_path / "labels.csv").write_text("file,view\n")

    with pytest.raises(UsageError, match="no column patient"):
        read_labels(tmp_path / "labels.csv")


def test_the_study_is_kept_where_it_is_given(tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "labels.csv").write_text("file,patient,view,study\na.png,p1,frontal,s7\n")

    (label,) = read_labels(tmp_path / "labels.csv")

    assert (label.study, label.source) == ("s7", "")


@pytest.mark.parametrize("again", ["a.png", "./a.png", "x/../a.png"])
@pytest.mark.parametrize("view", ["frontal", "not-chest"])
def test_a_file_named_twice_is_refused_however_it_is_written(tmp_path, again, view):
    path = write(tmp_path, "a.png,,p1,frontal", f"{again},,p2,{view}")

    with pytest.raises(UsageError, match=f"line 3: file {again} .*line 2"):
        read_labels(path)


def test_ten_faults_are_named_and_the_others_counted(tmp_path):
    path = write(tmp_path, *(f"{number}.png,,p1,frontal" for number in range(13)))

    with pytest.raises(UsageError, match=r"line 11: file 9\.png .*; and 3 more$"):
        read_labels(path)


def test_a_comma_within_a_name_does_not_show_the_name(tmp_path):
    path = write(tmp_path, "a.png,,Doe, Jane,frontal")

    with pytest.raises(UsageError, match="line 2: more cells than columns") as error:
        read_labels(path)

    assert "Jane" not in str(error.value)


def test_a_short_line_is_a_fault_like_another(tmp_path):
    with pytest.raises(UsageError, match="line 2: view ''"):
        read_labels(write(tmp_path, "a.png,here"))


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00file"])
def test_what_is_no_text_is_refused_in_a_line(tmp_path, content):
    if content:
        (tmp_path / "labels.csv").write_bytes(content)

    with pytest.raises(UsageError, match="cannot be read|not a UTF-8 CSV"):
        read_labels(tmp_path / "labels.csv")


def test_no_patient_of_the_shared_labels_is_in_two_partitions(shared_data):
    labels = read_labels(shared_data / "labels.csv")

    assert len(labels) == 4157
    assert len({(label.patient, label.partition) for label in labels}) == len(
        {label.patient for label in labels}
    )


def test_rows_that_show_no_chest_are_read_by_themselves(tmp_path):
    path = write(tmp_path, "a.png,elsewhere,p1,not-chest")

    (other,) = read_not_chest(path)

    assert (other.file, other.source, other.patient) == ("a.png", "elsewhere", "p1")
    assert read_labels(path) == []


def test_what_shows_no_chest_needs_a_patient_and_a_file_where_it_is_used(tmp_path):
    path = write(tmp_path, "a.png,,,not-chest", "b.png,,p1,not-chest", "c.png,,p2,frontal")

    with pytest.raises(UsageError, match=r"line 2: no patient; line 3: file b.png [^;]*$"):
        read_not_chest(path)


@pytest.mark.parametrize(
    ("word", "view"),
    [
        ("PA", View.FRONTAL),
        ("ap", View.FRONTAL),
        ("FRONTAL", View.FRONTAL),
        ("LATERAL", View.LATERAL),
        ("LL", View.LATERAL),
        ("R LAT", View.LATERAL),
    ],
)
def test_a_view_has_the_words_that_radiology_has_for_it(tmp_path, word, view):
    (label,) = read_labels(write(tmp_path, f"a.png,,p1,{word}"))

    assert label.view is view


@pytest.mark.parametrize("word", ["Not-chest", "not_chest", "NO VIEW"])
def test_words_for_no_view_may_be_written_in_other_ways(tmp_path, word):
    assert read_labels(write(tmp_path, f"a.png,,p1,{word}")) == []


def test_a_table_of_excel_with_semicolons_and_backslashes_is_read(tmp_path):
    (tmp_path / "nih").mkdir()
    (tmp_path / "nih" / "x.png").touch()
    path = tmp_path / "labels.csv"
    path.write_bytes("File;Patient ID;Label\r\nnih\\x.png;p1;PA\r\n;;\r\n".encode("utf-8-sig"))

    (label,) = read_labels(path)

    assert (label.file, label.patient, label.view) == ("nih/x.png", "p1", View.FRONTAL)


@pytest.mark.parametrize("again", ["nih\\x.png", "nih/x.png"])
def test_a_file_named_with_either_slash_is_one_file(tmp_path, again):
    (tmp_path / "nih").mkdir()
    (tmp_path / "nih" / "x.png").touch()
    path = write(tmp_path, "nih\\x.png,,p1,frontal", f"{again},,p2,frontal")

    with pytest.raises(UsageError, match="line 3: file nih/x.png .*line 2"):
        read_labels(path)


@pytest.mark.parametrize("file", ["C:\\films\\a.png", "\\\\server\\share\\a.png", "D:/films/a.png"])
def test_a_drive_or_share_of_windows_is_called_one(tmp_path, file):
    with pytest.raises(UsageError, match="file .*relative to the table, not by a drive"):
        read_labels(write(tmp_path, f"{file},,p1,frontal"))


def test_what_the_model_says_is_no_label(tmp_path):
    path = tmp_path / "views.csv"
    path.write_text("path,patient_key,decision,view,pfi\na.png,p1,classified,frontal,99.0\n")

    with pytest.raises(UsageError, match="views.csv is a result of cxrview classify"):
        read_labels(path)


def test_a_pattern_tells_patients_by_their_files_and_the_column_the_others(tmp_path):
    for name in ("patient7", "patient07", "other"):
        (tmp_path / f"{name}.png").touch()
    rows = ["patient7.png,,,frontal", "patient07.png,,,frontal", "other.png,,p1,lateral"]

    labels = read_labels(write(tmp_path, *rows), patients=PatientSource(pattern=r"patient(\d+)"))

    assert [label.patient for label in labels] == ["7", "07", "p1"]


def test_a_column_of_another_name_tells_patients(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("file,view,MRN\na.png,frontal,17\n")
    (tmp_path / "a.png").touch()

    (label,) = read_labels(path, patients=PatientSource(column="mrn"))

    assert label.patient == "17"
    with pytest.raises(UsageError, match="has no column ward. It has file, view, MRN"):
        read_labels(path, patients=PatientSource(column="ward"))


def test_images_without_patients_are_read_where_they_may_be(tmp_path):
    path = write(tmp_path, "a.png,,,frontal")

    (label,) = read_labels(path, need_patients=False)

    assert label.patient == ""
    with pytest.raises(UsageError, match="line 2: no patient"):
        read_labels(path)
