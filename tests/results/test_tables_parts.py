"""A folder of parts, opened by libraries that we did not write."""

import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from cxrview.errors import UsageError
from cxrview.records.classification import Instance, Prediction
from cxrview.results import tables
from cxrview.results.columns import COLUMNS, prediction_row
from cxrview.results.tables import (
    each_row,
    foreign_files,
    new_parts_folder,
    publish_parts,
    read_rows,
    write_partitioned,
)
from cxrview.terms import Decision


def rows(count: int) -> list[dict]:
    return [
        prediction_row(
            Prediction(
                instance=Instance(path=f"{number}.dcm", content_id=f"{number:032x}"),
                decision=Decision.SKIPPED,
            )
        )
        for number in range(count)
    ]


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of three rows in place of ten thousand."""
    monkeypatch.setattr(tables, "ROW_GROUP", 3)


def test_a_folder_of_parts_opens_as_one_table(tmp_path, small_parts):
    write_partitioned(tmp_path / "views", rows(8))

    table = pyarrow.dataset.dataset(tmp_path / "views").to_table()
    assert table.to_pylist() == rows(8) == list(each_row(tmp_path / "views"))
    assert table.column_names == list(COLUMNS)
    assert sorted(p.name for p in (tmp_path / "views").iterdir()) == [
        "part-00000.parquet",
        "part-00001.parquet",
        "part-00002.parquet",
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["views"]


def test_each_part_is_one_row_group(tmp_path, small_parts):
    write_partitioned(tmp_path / "views", rows(7))

    groups = [
        (pq.ParquetFile(path).num_row_groups, pq.ParquetFile(path).metadata.num_rows)
        for path in sorted((tmp_path / "views").iterdir())
    ]
    assert groups == [(1, 3), (1, 3), (1, 1)]


def test_a_folder_without_rows_has_its_columns_all_the_same(tmp_path):
    write_partitioned(tmp_path / "views", [])

    assert pyarrow.dataset.dataset(tmp_path / "views").to_table().column_names == list(COLUMNS)
    assert read_rows(tmp_path / "views", 5) == []


def test_a_longer_result_is_replaced_whole(tmp_path, small_parts):
    write_partitioned(tmp_path / "views", rows(9))
    write_partitioned(tmp_path / "views", rows(2))

    assert read_rows(tmp_path / "views", 100) == rows(2)
    assert len(list((tmp_path / "views").iterdir())) == 1


def test_what_stood_there_stays_when_writing_fails(tmp_path, small_parts):
    write_partitioned(tmp_path / "views", rows(4))

    def broken():
        yield from rows(5)
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        write_partitioned(tmp_path / "views", broken())

    assert read_rows(tmp_path / "views", 100) == rows(4)
    write_partitioned(tmp_path / "views", rows(1))  # over what was left in the making
    assert [p.name for p in tmp_path.iterdir()] == ["views"]


def test_what_a_killed_worker_left_is_removed(tmp_path):
    left = "part-00001.parquet.0123456789ab.part"
    for folder in ("views", "views.part"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / left).touch()
    assert foreign_files(tmp_path / "views") == []

    making = new_parts_folder(tmp_path / "views")
    (making / left).touch()
    (making / "part-00000.parquet").touch()
    publish_parts(making, tmp_path / "views")

    assert [p.name for p in (tmp_path / "views").iterdir()] == ["part-00000.parquet"]
    assert [p.name for p in tmp_path.iterdir()] == ["views"]


def test_nobody_elses_file_is_removed(tmp_path):
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "mine.parquet").write_text("mine")

    with pytest.raises(OSError):
        write_partitioned(tmp_path / "views", rows(1))

    assert (tmp_path / "views" / "mine.parquet").read_text() == "mine"
    assert foreign_files(tmp_path / "views") == ["mine.parquet"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"no parquet"),
        ("a.csv", b"file,view\nx,frontal\n"),
        ("a.jsonl", b"{broken\n"),
        ("a.jsonl", b"[1]\n"),
        ("a.csv", b"\xff\xfe"),
        ("a.txt", b"path"),
        ("a.csv", b"path,view\n,frontal\n"),
    ],
)
def test_what_is_no_result_is_refused_by_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(UsageError, match=name):
        list(each_row(tmp_path / name))


def test_a_folder_without_parts_is_no_result(tmp_path):
    with pytest.raises(UsageError, match="holds no Parquet files"):
        list(each_row(tmp_path))
    with pytest.raises(UsageError, match="does not exist"):
        list(each_row(tmp_path / "nowhere"))
