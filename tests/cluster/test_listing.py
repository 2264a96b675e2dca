"""What ends the listing of a job before its end."""

import sqlite3

import pytest

from cxrview.cluster import listing
from cxrview.cluster.blocks import Blocks
from cxrview.cluster.listing import Lister
from cxrview.cluster.store import Store
from cxrview.errors import RunStopped


class Found(list[str]):
    """In place of `Selected`."""

    known = 0


@pytest.fixture
def blocks(tmp_path) -> Blocks:
    return Blocks(Store(str(tmp_path)))


def test_full_temporary_files_stop_the_run(blocks, monkeypatch):
    def full(self, paths):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(listing._Seen, "new", full)
    lister = Lister(blocks, Found(["/a.dcm"]), is_unique=False, need_session=lambda: None)

    lister.run()

    assert isinstance(lister.error, RunStopped)
    assert "disk is full. Temporary files are in" in lister.error.reason
