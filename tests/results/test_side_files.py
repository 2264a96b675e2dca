"""Failures and summary belong to one result, however many have its name."""

import json
from pathlib import Path

import pytest

from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS
from cxrview.results.known_paths import KnownPaths
from cxrview.results.side_files import need_free_names, need_no_side_files, need_own_summary
from cxrview.results.tables import write_partitioned, write_table

ROW = dict.fromkeys(COLUMNS) | {"path": "film.dcm", "decision": "review"}
NAMES = ["v.parquet", "v.csv", "v.jsonl", "v/"]


@pytest.fixture
def write(tmp_path):
    """Write a result, with a summary that says whose it is; an earlier version's says nothing."""

    def write_one(name: str, owner: str | None = None) -> Path:
        table = tmp_path / name
        (write_partitioned if name.endswith("/") else write_table)(table, [ROW])
        (tmp_path / "v.failures.csv").write_text("path,code,reason,advice\n")
        summary = {"folder": "/films", "table": name if owner is None else owner}
        (tmp_path / "v.summary.json").write_text(
            json.dumps({k: v for k, v in summary.items() if v})
        )
        return table

    return write_one


def need_free(tmp_path: Path, name: str) -> None:
    need_free_names(tmp_path / name, in_parts=name.endswith("/"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", NAMES)
def test_a_result_takes_the_failures_of_no_other(write, tmp_path, name, other):
    write(other)

    if name == other:
        need_free(tmp_path, name)
    else:
        with pytest.raises(UsageError, match=rf"belong to .*/{other.rstrip('/')}, and"):
            need_free(tmp_path, name)


@pytest.mark.parametrize("name", ["v.csv", "v/"])
def test_what_an_earlier_version_wrote_is_of_the_result_that_is_there(write, tmp_path, name):
    write("v.parquet", owner="")

    need_free(tmp_path, "v.parquet")
    with pytest.raises(UsageError, match=r"belong to .*v\.parquet"):
        need_free(tmp_path, name)


def test_what_belonged_to_a_result_that_is_gone_may_be_replaced(write, tmp_path):
    write("v.parquet").unlink()

    need_free(tmp_path, "v.csv")


def test_an_archive_of_the_same_name_is_no_result(write, tmp_path):
    write("v.parquet", owner="")
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "film.dcm").write_bytes(b"a film")

    need_free(tmp_path, "v.parquet")


def test_a_table_that_somebody_made_of_a_result_takes_nothing_from_it(write, tmp_path):
    write("v.parquet")
    (tmp_path / "v.csv").write_text("path,decision\n")

    need_free(tmp_path, "v.parquet")


@pytest.mark.parametrize("other", NAMES)
def test_a_result_that_was_begun_keeps_its_names(tmp_path, other):
    journal = tmp_path / f"{other.rstrip('/')}.journal"
    journal.touch()

    for name in NAMES:
        if name == other:
            need_free(tmp_path, name)
        else:
            with pytest.raises(UsageError, match="is incomplete") as refused:
                need_free(tmp_path, name)
            assert str(journal) in refused.value.advice


def test_a_result_is_not_named_as_the_failures_of_another(tmp_path):
    with pytest.raises(UsageError, match="name for the failures"):
        need_free(tmp_path, "v.failures.csv")


def test_the_summary_of_a_namesake_is_not_believed(write, tmp_path):
    write("v.csv")
    write("v.parquet")

    need_own_summary(tmp_path / "v.parquet")
    with pytest.raises(
        UsageError, match=r"v.summary.json belongs to .*v\.parquet and not to .*csv"
    ):
        need_own_summary(tmp_path / "v.csv")
    with pytest.raises(UsageError, match=r"belongs to .*v\.parquet"):
        KnownPaths([tmp_path / "v.csv"])


def test_a_result_that_was_moved_copied_or_renamed_keeps_its_summary(write, tmp_path):
    for table in (write("v.parquet"), write("v.parquet", owner="")):
        need_own_summary(table)
    for name in ("w.parquet", "w.summary.json"):
        (tmp_path / name).write_bytes((tmp_path / name.replace("w", "v")).read_bytes())
    need_own_summary(tmp_path / "w.parquet")
    (tmp_path / "v.parquet").rename(tmp_path / "v.csv")
    need_own_summary(tmp_path / "v.csv")


@pytest.mark.parametrize("owner", [7, "..", "../v.parquet", "/", ["v.csv"], "a/b.csv"])
def test_a_summary_that_names_no_table_tells_nothing(write, tmp_path, owner):
    write("v.csv", owner=owner)

    need_own_summary(tmp_path / "v.csv")


def test_need_no_side_files_refuses_a_result_that_has_its_own(tmp_path):
    table = tmp_path / "v.csv"
    table.touch()
    need_no_side_files(table)
    (tmp_path / "v.summary.json").write_text(json.dumps({"table": "v.csv"}))

    with pytest.raises(UsageError, match="no longer describe it"):
        need_no_side_files(table)
    (tmp_path / "v.parquet").touch()
    (tmp_path / "v.summary.json").write_text(json.dumps({"table": "v.parquet"}))
    need_no_side_files(table)
