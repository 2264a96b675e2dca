"""What was taken from a peer is remembered."""

import pytest

from cxrview.errors import CannotWrite
from cxrview.service.dicomweb.taken import TakenObjects


def test_taken_objects_are_remembered_after_a_restart(tmp_path):
    first = TakenObjects.of_peer(tmp_path, "an archive/..")
    first.add("1.1", "1", at=1000.0)
    first.add("1.1", "1", at=2000.0)
    first.close()

    again = TakenObjects.of_peer(tmp_path, "an archive/..")

    assert again.without_taken(["1.0", "1.1", "1.2"], "1") == ["1.0", "1.2"]
    assert again.without_taken(["1.1"], "2") == ["1.1"]
    again.close()
    other = TakenObjects.of_peer(tmp_path, "another")
    assert other.without_taken(["1.1"], "1") == ["1.1"]
    other.close()


def test_taken_objects_forget_studies_that_are_not_listed_any_more(tmp_path):
    taken = TakenObjects.of_peer(tmp_path, "archive")
    for study in ("old", "listed"):
        taken.add(f"{study}.1", study, at=1000.0)
    taken.add("new.1", "new", at=3000.0)

    taken.forget(2000.0, ["listed"])

    assert taken.without_taken(["old.1"], "old") == ["old.1"]
    assert taken.without_taken(["listed.1"], "listed") == []
    assert taken.without_taken(["new.1"], "new") == []
    taken.close()


def test_taken_objects_report_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(CannotWrite):
        TakenObjects.of_peer(tmp_path / "missing", "archive")
