import os

import pytest

from cxrview.errors import UsageError
from cxrview.records.classification import Instance, Prediction
from cxrview.results import known_paths
from cxrview.results.columns import FAILURE_COLUMNS, prediction_row
from cxrview.results.known_paths import KnownPaths
from cxrview.results.tables import write_partitioned, write_summary, write_table
from cxrview.terms import Decision


def rows(*paths: str) -> list[dict]:
    return [
        prediction_row(
            Prediction(instance=Instance(path=path, content_id="0"), decision=Decision.SKIPPED)
        )
        for path in paths
    ]


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.jsonl", "a"])
def test_the_paths_of_a_result_are_known_in_any_format(tmp_path, name):
    (write_table if "." in name else write_partitioned)(
        tmp_path / name, rows("/x/1.dcm", "/x/2.dcm")
    )

    known = KnownPaths([tmp_path / name])

    assert "/x/1.dcm" in known and "/x/../x/2.dcm" in known
    assert "/x/3.dcm" not in known and "/x/1" not in known
    assert len(known) == 2


def test_several_results_add_up_and_their_order_does_not_matter(tmp_path):
    write_table(tmp_path / "a.csv", rows("/1", "/2"))
    write_table(tmp_path / "b.parquet", rows("/2", "s3://bucket/3"))
    write_table(tmp_path / "c.csv", rows("/1"))

    both, turned = (
        KnownPaths([tmp_path / n for n in names])
        for names in (("a.csv", "b.parquet"), ("b.parquet", "a.csv"))
    )

    assert len(both) == 3
    assert str(both) == str(turned) != str(KnownPaths([tmp_path / "c.csv"]))


def test_a_name_that_is_no_text_is_known_too(tmp_path):
    odd = os.fsdecode(b"/x/gr\xf6sse.dcm")
    write_table(tmp_path / "a.csv", rows(odd))

    assert odd in KnownPaths([tmp_path / "a.csv"])


def test_what_is_no_result_is_refused(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        KnownPaths([tmp_path / "nowhere.parquet"])


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_list_of_failures_is_no_result(tmp_path, name):
    """What failed would never be tried again."""
    failed = [{"path": "/1", "code": "truncated", "reason": "it ends early", "advice": "Copy it"}]
    write_table(tmp_path / name, failed, dict.fromkeys(FAILURE_COLUMNS, "string"))

    with pytest.raises(UsageError, match="not a result of cxrview classify: it has no column deci"):
        KnownPaths([tmp_path / name])


def test_relative_paths_begin_where_their_run_stood(tmp_path, monkeypatch):
    write_table(tmp_path / "a.csv", rows("./1.dcm", "2/3.dcm", "/x/4.dcm", "s3://b/5"))
    write_summary(tmp_path / "a.summary.json", {"folder": "/archive/day"})
    monkeypatch.chdir(tmp_path)

    known = KnownPaths([tmp_path / "a.csv"])

    assert "/archive/day/1.dcm" in known and "../" * 20 + "archive/day/2/3.dcm" in known
    assert "1.dcm" not in known and "/x/4.dcm" in known and "s3://b/5" in known


@pytest.mark.parametrize("summary", ["", "[]", "{}", '{"folder": null}', '{"folder": ""}'])
def test_without_such_a_folder_they_begin_where_we_stand(tmp_path, monkeypatch, summary):
    write_partitioned(tmp_path / "a", rows("./1.dcm"))
    (tmp_path / "a.summary.json").write_text(summary)
    monkeypatch.chdir(tmp_path)

    assert str(tmp_path / "1.dcm") in KnownPaths([tmp_path / "a"])


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("file:///x/1.dcm", "/x/1.dcm"),
        ("/x/1.dcm", "file:///x/y/../1.dcm"),
        ("a::b", "./a::b"),
        ("zip://1.dcm::f.zip", "zip://1.dcm::{here}/f.zip"),
    ],
)
def test_a_file_is_known_however_its_path_is_written(tmp_path, monkeypatch, written, asked):
    write_table(tmp_path / "a.csv", rows(written))
    monkeypatch.chdir(tmp_path)

    assert asked.format(here=tmp_path) in KnownPaths([tmp_path / "a.csv"])


def test_a_byte_and_what_it_is_shown_as_are_two_names(tmp_path):
    write_table(tmp_path / "a.csv", rows(os.fsdecode(b"/x/\xff"), "/y/\\xff"))

    known = KnownPaths([tmp_path / "a.csv"])

    assert os.fsdecode(b"/x/\xff") in known and "/y/\\xff" in known
    assert "/x/\\xff" not in known and os.fsdecode(b"/y/\xff") not in known


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.jsonl"])
def test_more_paths_than_are_read_at_a_time(tmp_path, monkeypatch, name):
    monkeypatch.setattr(known_paths, "AT_A_TIME", 7)
    monkeypatch.setattr(known_paths, "CSV_BLOCK_BYTES", 4096)
    paths = [f"/x/{k}\n\r,{k % 3}.dcm" for k in range(100)]
    write_table(tmp_path / name, rows(*paths, *paths[:5]))

    known = KnownPaths([tmp_path / name])

    assert len(known) == 100 and all(path in known for path in paths)


def test_a_row_that_was_broken_in_two_is_left_out(tmp_path):
    """Of a name with a carriage return, as it was written once: its file is read again."""
    write_table(tmp_path / "a.csv", rows("/x/cr-name.dcm", "/x/2.dcm"))
    text = (tmp_path / "a.csv").read_bytes().replace(b"cr-", b"cr\r")
    (tmp_path / "a.csv").write_bytes(text)

    known = KnownPaths([tmp_path / "a.csv"])

    assert "/x/2.dcm" in known and "/x/cr\rname.dcm" not in known
