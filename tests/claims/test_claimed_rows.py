"""A table in place of headers."""

import pytest

from cxrview.claims.claimed_rows import (
    ClaimSource,
    claimed_rows,
    count_problems,
    match_result,
    write_unused_keys,
)
from cxrview.claims.collections import ClaimColumns
from cxrview.errors import UsageError
from cxrview.results.tables import each_row, write_failures

COLUMNS = ClaimColumns(key="key", view="view")


@pytest.fixture
def matched(result, table):
    def match(text, images):
        views = result(images)
        return views, match_result(views, ClaimSource(table=table(text), columns=COLUMNS))

    return match


def test_claimed_rows_have_the_claim_in_place_of_the_header(matched):
    header = {"header_view": "lateral", "header_view_position": "LL", "header_view_code": "1^SCT"}
    shown = {"view": "frontal", "agreement": "disagrees"} | header
    images = {f"{name}.png": dict(shown) for name in "abcd"} | {"e.png": {"view": None} | header}
    views, matches = matched("key,view\na,PA\nb,LL\nc,oblique\ne,PA\n", images)

    rows = list(claimed_rows(each_row(views), matches))

    found = [(r["header_view_position"], r["header_view"], r["agreement"]) for r in rows]
    assert found == [
        ("PA", "frontal", "agrees"),
        ("LL", "lateral", "disagrees"),
        ("oblique", None, "silent"),
        (None, None, "silent"),
        ("PA", "frontal", None),
    ]
    assert {row["header_view_code"] for row in rows} == {None}
    assert [row["path"] for row in rows] == list(images)


def test_claimed_rows_leave_out_a_claim_that_contradicts_itself(matched):
    views, matches = matched("key,view\na,PA\na,LL\n", {"a.png": "frontal"})

    (row,) = claimed_rows(each_row(views), matches)

    assert (row["header_view"], row["agreement"]) == (None, "silent")
    assert count_problems(matches) == {"several_views": 1}


def test_match_result_knows_the_failures_of_a_result(result, table, tmp_path):
    views = result({"a.png": "frontal"})
    failure = {"path": "b.png", "code": "truncated", "reason": "r", "advice": "a"}
    write_failures(tmp_path / "views.failures.csv", [failure])
    source = ClaimSource(table=table("key,view\na,PA\nb,PA\nc,PA\n"), columns=COLUMNS)

    assert match_result(views, source).problems == {"b": "unreadable", "c": "no_image"}


def test_match_result_refuses_a_table_of_other_images(result, table):
    source = ClaimSource(table=table("key,view\nx,PA\n"), columns=COLUMNS)

    with pytest.raises(UsageError, match="key"):
        match_result(result({"a.png": "frontal"}), source)


def test_match_result_accepts_an_empty_result(result, table):
    source = ClaimSource(table=table("key,view\nx,PA\n"), columns=COLUMNS)

    assert match_result(result({}), source).problems == {"x": "no_image"}


def test_write_unused_keys_lists_each_key_with_its_reason(matched, tmp_path):
    _, matches = matched('key,view\na,PA\n"b, c",LL\n', {"a.png": "frontal"})

    write_unused_keys(tmp_path / "unused.csv", matches)

    assert (tmp_path / "unused.csv").read_text() == 'problem,key,claim\nno_image,"b, c",LL\n'
