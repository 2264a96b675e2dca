"""Blocks of a listing, and listings that are stopped and continued."""

import sqlite3

import pytest

from cxrview.classify.selection import Selected, Selection
from cxrview.cluster import blocks as blocks_module
from cxrview.cluster.blocks import FEWEST, MOST, SHARE, Blocks, Listing, block_size
from cxrview.cluster.listing import Lister, _Seen
from cxrview.cluster.store import Store
from cxrview.errors import RunStopped, UsageError
from cxrview.sources.find import UnlistedFolder

CHECKS = {"need_session": lambda: None, "check_mounts": lambda: None}


@pytest.fixture
def blocks(tmp_path) -> Blocks:
    return Blocks(Store(str(tmp_path)))


def list_all(blocks, paths, *, is_unique=True) -> Lister:
    lister = Lister(blocks, Selected(paths, Selection()), is_unique=is_unique, **CHECKS)
    lister.run()
    return lister


def numbers(lister) -> list[int]:
    return list(iter(lister.new.get, None))


def paths_of(blocks) -> list[str]:
    return [path for number in range(blocks.count()) for path in blocks.read(number)]


@pytest.mark.parametrize(
    ("listed", "size"), [(0, FEWEST), (SHARE * 100, 100), (10**8, MOST), (FEWEST, FEWEST)]
)
def test_block_size(listed, size):
    assert block_size(listed) == size


def test_a_block_keeps_odd_names_and_folders_that_cannot_be_listed(blocks):
    odd = "/a/b\udcff\n.dcm"
    blocks.write(3, [odd, UnlistedFolder("/a/c", "Permission denied")])

    first, second = blocks.read(3)

    assert first == odd
    assert isinstance(second, UnlistedFolder)
    assert second.reason == "Permission denied"


def test_lister_cuts_all_paths_into_blocks(blocks):
    paths = [f"/a/{number:05}" for number in range(100)]

    lister = list_all(blocks, paths)

    assert paths_of(blocks) == paths
    assert numbers(lister) == list(range(blocks.count()))
    assert lister.count() == 100
    assert blocks.read_end() == Listing(blocks=blocks.count(), files=100)


def test_lister_continues_where_it_was_stopped(blocks, monkeypatch):
    paths = [f"/a/{number:05}" for number in range(100)]
    stopped: list[Lister] = []

    def slowly():
        for number, path in enumerate(paths):
            if number == 50:
                stopped[0].stop()
            yield path

    selected = Selected(slowly(), Selection())
    stopped.append(Lister(blocks, selected, is_unique=True, **CHECKS))
    stopped[0].run()
    before = blocks.count()
    added = ["/a/00000a", *paths]  # a file that was added since comes after those of the blocks

    lister = list_all(blocks, added)

    assert stopped[0].count() is None
    assert 0 < before < blocks.count()
    assert paths_of(blocks)[: before * FEWEST] == paths[: before * FEWEST]
    assert sorted(paths_of(blocks)) == sorted(added)
    assert lister.found
    assert lister.found.named_again == 0
    assert numbers(lister) == list(range(blocks.count()))


def test_a_complete_listing_is_not_repeated(blocks):
    first = list_all(blocks, ["/a/1", "/a/2"])

    second = list_all(blocks, iter(()))

    assert second.found == first.found
    assert numbers(second) == [0]


def test_a_path_comes_once_however_it_is_written(blocks):
    lister = list_all(blocks, ["/a/1", "/a/./1", "/a/2", "/a/1"], is_unique=False)

    assert paths_of(blocks) == ["/a/1", "/a/2"]
    assert lister.found
    assert lister.found.named_again == 2


def test_an_error_of_the_paths_ends_the_listing(blocks):
    def wrong():
        yield "/a/1"
        raise UsageError("nothing matches")

    lister = list_all(blocks, wrong())

    assert isinstance(lister.error, UsageError)
    assert numbers(lister) == []
    assert blocks_module.Blocks.read_end(blocks) is None


def test_full_temporary_files_stop_the_run(blocks, monkeypatch):
    def full(self, paths):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(_Seen, "new", full)

    lister = list_all(blocks, ["/a.dcm"], is_unique=False)

    assert isinstance(lister.error, RunStopped)
    assert "disk is full. Temporary files are in" in lister.error.reason
