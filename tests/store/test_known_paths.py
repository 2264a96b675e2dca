import os

import pytest

from cxrview.errors import UsageError
from cxrview.records import Instance, Prediction
from cxrview.store.known_paths import KnownPaths
from cxrview.store.parts import write_parts
from cxrview.store.rows import FAILURE_COLUMNS, prediction_row
from cxrview.store.tables import write_table
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
    (write_table if "." in name else write_parts)(tmp_path / name, rows("/x/1.dcm", "/x/2.dcm"))

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
    with pytest.raises(UsageError, match="there is no result"):
        KnownPaths([tmp_path / "nowhere.parquet"])


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_list_of_failures_is_no_result(tmp_path, name):
    """What failed would never be tried again."""
    failed = [{"path": "/1", "code": "truncated", "reason": "it ends early", "advice": "Copy it"}]
    write_table(tmp_path / name, failed, dict.fromkeys(FAILURE_COLUMNS, "string"))

    with pytest.raises(UsageError, match="no result of cxrview classify: it has no column deci"):
        KnownPaths([tmp_path / name])
