import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.dataset.split import partition_of
from cxrview.errors import UsageError
from cxrview.terms import Partition, Projection, View
from cxrview.train.fast.labels import (
    check_names,
    fast_partition_of,
    parse_untrusted,
    read_corrections,
    read_picture_labels,
)
from fixtures.fast_pictures import write_labels


@given(st.text(min_size=1))
def test_fast_partition_of_trains_on_no_test_patient_of_the_shipped_model(patient):
    digit = int(hashlib.sha256(patient.encode()).hexdigest(), 16) % 10

    expected = {8: Partition.VALIDATION, 9: Partition.TEST}.get(digit, Partition.TRAINING)
    assert fast_partition_of(patient) is expected
    is_test = partition_of(patient) is Partition.TEST
    assert is_test == (fast_partition_of(patient) is not Partition.TRAINING)


def test_read_picture_labels_knows_projection_of_frontals_only(tmp_path):
    labels = read_picture_labels(write_labels(tmp_path), {})

    of = {label.file: label for label in labels}
    assert (of["0.png"].projection, of["2.png"].projection) == (Projection.AP, Projection.AP)
    assert of["1.png"].projection is Projection.PA
    assert (of["4.png"].view, of["4.png"].projection) == (View.LATERAL, None)
    assert of["9.png"].projection is None
    assert (of["6.png"].view, of["6.png"].is_chest) == (None, False)


def test_read_picture_labels_applies_corrections_and_distrust(tmp_path):
    right = {"6.png": View.FRONTAL, "0.png": None}
    untrusted = {("two", Projection.PA)}

    labels = read_picture_labels(write_labels(tmp_path), right, untrusted)

    of = {label.file: label for label in labels}
    assert (of["6.png"].view, of["0.png"].view) == (View.FRONTAL, None)
    assert of["0.png"].projection is None
    assert (of["3.png"].projection, of["1.png"].projection) == (None, Projection.PA)


def test_tables_written_on_windows_are_about_the_same_files(tmp_path):
    (tmp_path / "nih").mkdir()
    for name in ("0.png", "1.png"):
        (tmp_path / "nih" / name).touch()
    labels = "file,patient,view,source,projection\nnih\\0.png,a,frontal,nih,AP\n"
    (tmp_path / "labels.csv").write_text(labels + "nih\\1.png,b,frontal,nih,PA\n")
    (tmp_path / "corrections.csv").write_text("file,view\nnih\\1.png,lateral\n")

    right = read_corrections(tmp_path / "corrections.csv")
    first, second = read_picture_labels(tmp_path / "labels.csv", right)

    assert (first.file, first.projection) == ("nih/0.png", Projection.AP)
    assert (second.file, second.view) == ("nih/1.png", View.LATERAL)


def test_read_corrections_reads_views_and_refuses_other_words(tmp_path):
    path = tmp_path / "corrections.csv"
    path.write_text("file,view,reason\na.png,lateral,x\nb.png,not-chest,y\n")

    assert read_corrections(path) == {"a.png": View.LATERAL, "b.png": None}

    path.write_text("file,view\na.png,sideways\n")
    with pytest.raises(UsageError, match="line 2"):
        read_corrections(path)


@pytest.mark.parametrize(
    "rows", ["a.png,no-view\n", "a.png,frontal\nb.png,lateral\na.png,lateral\n"]
)
def test_read_corrections_refuses_what_it_cannot_apply(tmp_path, rows):
    path = tmp_path / "corrections.csv"
    path.write_text("file,view\n" + rows)

    with pytest.raises(UsageError, match=f"line {1 + rows.count(chr(10))}"):
        read_corrections(path)


def test_check_names_warns_of_some_corrections_and_refuses_if_none_fits(tmp_path):
    labels = read_picture_labels(write_labels(tmp_path), {})
    said: list[str] = []

    check_names(labels, ["0.png", "1.png"], warn=said.append)
    assert said == []
    check_names(labels, ["0.png", "O.png", "nih/1.png"], warn=said.append)
    (words,) = said
    assert "2 of 3" in words and "O.png" in words and "nih/1.png" in words

    with pytest.raises(UsageError, match=r"1 of 1 correction names no picture.*O\.png"):
        check_names(labels, ["O.png"])


def test_check_names_refuses_source_without_picture(tmp_path):
    labels = read_picture_labels(write_labels(tmp_path), {})

    check_names(labels, [], {("two", Projection.PA)})
    with pytest.raises(UsageError, match=r"twoo.*one, other, three, two"):
        check_names(labels, [], {("twoo", Projection.PA)})


@pytest.mark.parametrize("text", ["covid", "covid:LL", ":PA"])
def test_parse_untrusted_refuses_other_forms(text):
    with pytest.raises(UsageError, match=text):
        parse_untrusted([text])


def test_parse_untrusted_takes_source_and_projection():
    assert parse_untrusted(["a:b:PA"]) == {("a:b", Projection.PA)}
