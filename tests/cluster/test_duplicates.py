"""Copies among rows of many parts, whatever bucket their keys meet in."""

import numpy as np
import pytest

from cxrview.cluster.commit import parquet_bytes
from cxrview.cluster.duplicates import WARNINGS
from cxrview.cluster.final_parts import copies_within, final_parts, write_final_part
from cxrview.cluster.finish import find_copies
from cxrview.cluster.ledger import FinishedBlock
from cxrview.cluster.store import Store
from cxrview.results.columns import COLUMNS
from cxrview.results.duplicates import SAME_FILE, SAME_UID
from cxrview.results.journal import Journal
from cxrview.results.tables import each_row
from fixtures.threads_engine import ThreadsEngine


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(f"{tmp_path}/job")


def some_rows(count: int) -> list[dict]:
    """Rows of which some have the key of an earlier one, or none, and some a warning."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(count):
        uid, content = rng.integers(0, count, 2)
        rows.append(
            dict.fromkeys(COLUMNS)
            | {
                "path": f"/a/{number}",
                "decision": "classified",
                "sop_instance_uid": f"1.2.{uid}" if uid % 3 else None,
                "content_id": f"{content:032x}" if content % 5 else None,
                "warnings": "first_of_frames" if number % 7 == 0 else None,
            }
        )
    return rows


def blocks_of(store: Store, rows: list[dict]) -> list[FinishedBlock]:
    """Blocks of unequal sizes, some without rows."""
    blocks, first = [], 0
    for number, size in enumerate([0, 3, 40, 1, 0, 60, len(rows) - 104]):
        part = f"parts/{number}.parquet" if size else ""
        if size:
            store.put(part, parquet_bytes(rows[first : first + size]))
        blocks.append(FinishedBlock(number=number, files=size, rows=size, part=part, failures=""))
        first += size
    return blocks


@pytest.mark.parametrize("rows_of_a_bucket", [10**6, 50, 7])
def test_rows_are_those_of_a_journal(store, tmp_path, rows_of_a_bucket):
    rows = some_rows(300)
    journal = Journal(None, {})
    journal.adopt_rows((row["path"].encode(), row) for row in rows)
    blocks = blocks_of(store, rows)
    table = Store(f"{tmp_path}/views")

    copies = find_copies(
        ThreadsEngine(), store, blocks, rows_of_a_task=50, rows_of_a_bucket=rows_of_a_bucket
    )
    for part in final_parts(blocks, rows=64):
        write_final_part(store, table, part, copies_within(copies, part))

    assert list(each_row(tmp_path / "views")) == list(journal.rows())
    assert all(len(copies[name]) for name in WARNINGS)
    assert len(table.names("")) == 5


def test_a_copy_keeps_its_own_warnings(store, tmp_path):
    row = dict.fromkeys(COLUMNS) | {
        **{"path": "/a", "decision": "review", "warnings": "first_of_frames"},
        **{"sop_instance_uid": "1.2", "content_id": "0"},
    }
    blocks = blocks_of(store, [row] * 105)
    (part,) = final_parts(blocks)
    copies = find_copies(ThreadsEngine(), store, blocks)
    write_final_part(store, Store(f"{tmp_path}/views"), part, copies_within(copies, part))

    first, second, *_ = each_row(tmp_path / "views")

    assert first["warnings"] == "first_of_frames"
    assert second["warnings"] == f"first_of_frames;{SAME_UID};{SAME_FILE}"


def test_no_rows_are_one_empty_part(store, tmp_path):
    (part,) = final_parts([])
    copies = find_copies(ThreadsEngine(), store, [])
    write_final_part(store, Store(f"{tmp_path}/views"), part, copies_within(copies, part))

    assert part.name == "part-00000.parquet"
    assert list(each_row(tmp_path / "views")) == []
