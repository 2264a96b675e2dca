"""Objects of a job: complete or missing, in a folder and in a store."""

import pickle

import pytest

from cxrview.cluster.store import Store
from cxrview.errors import CannotWrite


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    return Store(f"{tmp_path}/job" if request.param == "folder" else f"memory:/{tmp_path}/job")


def test_put_and_get(store):
    store.put("a/one", b"1")
    store.put("a/one", b"2")

    assert pickle.loads(pickle.dumps(store)).get("a/one") == b"2"
    assert store.exists("a/one")
    assert not store.exists("a/two")


def test_get_needs_the_object(store):
    with pytest.raises(FileNotFoundError):
        store.get("none")


def test_names_are_those_of_one_folder_in_order(store):
    for name in ("b/2", "b/1", "b/c/3", "a"):
        store.put(name, b"")

    assert store.names("b") == ["1", "2"]
    assert store.names("none") == []


def test_get_all_keeps_the_order(store):
    names = [f"x/{number}" for number in range(5, 0, -1)]
    for name in names:
        store.put(name, name.encode())

    assert list(store.get_all(names)) == [name.encode() for name in names]


def test_remove(store):
    store.put("a", b"")
    store.put("b/c", b"")

    store.remove("a")
    store.remove("a")
    store.remove_all("none")

    assert store.names("") == store.names("b") == []
    store.remove_all("none")


def test_files_are_copied_in_and_out(store, tmp_path):
    (tmp_path / "in").write_bytes(b"1")

    store.put_file("a", tmp_path / "in")
    store.get_file("a", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"1"


def test_an_object_that_was_not_completed_is_not_listed(tmp_path):
    store = Store(str(tmp_path))
    store.put("a/one", b"1")
    (tmp_path / "a" / "two.0123.part").write_bytes(b"")

    assert store.names("a") == ["one"]


def test_put_says_that_it_cannot_write(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(CannotWrite, match="file"):
        Store(f"{tmp_path}/file").put("a", b"")
