import os
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.errors import CannotSortFolder
from cxrview.sources.find import find_images
from cxrview.sources.sorted_names import SortedNames

raw_names = st.binary(min_size=1, max_size=6).filter(lambda raw: not set(raw) & set(b"\0/"))
named = st.tuples(raw_names.map(os.fsdecode), st.booleans())


@given(names=st.lists(named, max_size=30), most=st.integers(1, 8))
def test_names_that_do_not_fit_come_in_the_order_of_those_that_do(names, most):
    assert list(SortedNames(names, most)) == sorted(names)


def test_a_folder_is_walked_in_one_order_however_little_memory_there_is(tmp_path, monkeypatch):
    for number in range(60):
        (tmp_path / f"{number % 7}.{number}").touch()
    plenty = list(find_images(str(tmp_path)))

    monkeypatch.setattr(SortedNames.__init__, "__defaults__", (5,))

    assert list(find_images(str(tmp_path))) == plenty
    assert len(plenty) == 60


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    names = SortedNames([(f"{n}", False) for n in range(20)], 3)
    first = next(iter(names))

    assert first == ("0", False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["/dev/full", "/nowhere/x"])
def test_want_of_room_for_temporary_files_ends_the_run_and_is_no_fault_of_the_folder(
    tmp_path, monkeypatch, folder
):
    """No file of a large folder is dropped, and the folder is not said to be closed."""
    for number in range(20):
        (tmp_path / f"{number}").touch()
    monkeypatch.setattr(SortedNames.__init__, "__defaults__", (5,))
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: open(folder, "w+b"))  # noqa: PTH123, SIM115

    with pytest.raises(CannotSortFolder, match="TMPDIR"):
        list(find_images(str(tmp_path)))
