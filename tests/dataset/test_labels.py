import pytest

from cxrview.dataset.labels import read_labels
from cxrview.errors import UsageError
from cxrview.terms import View


def write(folder, *rows: str):
    (folder / "a.png").touch()
    path = folder / "labels.csv"
    path.write_text("\n".join(["file,source,patient,view", *rows]) + "\n")
    return path


def test_frontal_and_lateral_rows_are_read_and_others_left(tmp_path):
    path = write(tmp_path, "a.png,here,p1,lateral", "a.png,here,p2,not-chest")

    (label,) = read_labels(path)

    assert (label.view, label.patient, label.source) == (View.LATERAL, "p1", "here")


def test_every_fault_is_named_with_its_line(tmp_path):
    path = write(tmp_path, "a.png,,p1,oblique", "a.png,,,frontal", "b.png,,p1,frontal")

    with pytest.raises(UsageError) as error:
        read_labels(path)

    for part in ("line 2: view 'oblique'", "line 3: no patient", "line 4: no file b.png"):
        assert part in str(error.value)


def test_a_missing_column_is_named(tmp_path):
    (tmp_path / "labels.csv").write_text("file,view\n")

    with pytest.raises(UsageError, match="no column patient"):
        read_labels(tmp_path / "labels.csv")


def test_no_patient_of_the_shared_labels_is_in_two_partitions(shared_data):
    labels = read_labels(shared_data / "labels.csv")

    assert len(labels) == 4157
    assert len({(label.patient, label.partition) for label in labels}) == len(
        {label.patient for label in labels}
    )
