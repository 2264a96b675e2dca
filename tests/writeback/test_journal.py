import resource

import pytest

from cxrview.errors import CannotWrite
from cxrview.writeback.journal import WritebackJournal


def test_create_leaves_no_journal_without_its_first_line(tmp_path):
    path = tmp_path / "out.writeback-journal"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # as a full disk
    try:
        with pytest.raises(CannotWrite):
            WritebackJournal.create(path, {"table": "views.parquet"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert list(tmp_path.iterdir()) == []
    WritebackJournal.create(path, {"table": "views.parquet"}).close()
    resumed = WritebackJournal.resume(path)
    assert resumed.conditions == {"table": "views.parquet"} and resumed.outcomes == {}
    resumed.remove()
