"""Decisions as CSV: they survive a spreadsheet, and each mistake of hand editing is named."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrview.audit.decisions import COLUMNS, read_decisions, write_decisions
from cxrview.errors import CannotWrite, UsageError
from cxrview.records.review_decision import ReviewDecision
from cxrview.terms import Projection, Ruling, View

WHEN = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
HEADER = ",".join(COLUMNS)
RIGHT = "a.dcm,,lateral,accept,lateral,LL,ann,2026-03-01T14:05:00+00:00,"


def decision(**values) -> ReviewDecision:
    return ReviewDecision(
        **(
            {
                "path": "PAT00001/IM0002",
                "content_id": "0" * 31 + "f",
                "proposed": View.LATERAL,
                "decision": Ruling.ACCEPT,
                "view": View.LATERAL,
                "reader": "ann",
                "decided_at": WHEN,
            }
            | values
        )
    )


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
odd_texts = st.builds(str.__add__, st.sampled_from(["", "=", "'", "'=", "''@", "-", "\t"]), texts)


@st.composite
def decisions(draw) -> ReviewDecision:
    ruling = draw(st.sampled_from(Ruling))
    proposed = draw(st.sampled_from([*View] if ruling is Ruling.ACCEPT else [*View, None]))
    others = [None, *(one for one in View if one is not proposed)]
    view = {Ruling.ACCEPT: proposed, Ruling.UNREADABLE: None}.get(ruling)
    if ruling is Ruling.REJECT:
        view = draw(st.sampled_from(others))
    fitting = [one for one in Projection if one.view is view]
    minutes = draw(st.integers(-14 * 60, 14 * 60))
    return ReviewDecision(
        path=draw(odd_texts.filter(bool)),
        content_id=draw(st.sampled_from(["", "0123456789abcdef" * 2])),
        proposed=proposed,
        decision=ruling,
        view=view,
        projection=draw(st.sampled_from([None, *fitting])),
        reader=draw(odd_texts),
        decided_at=draw(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1))).replace(
            tzinfo=timezone(timedelta(minutes=minutes))
        ),
        note=draw(odd_texts),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(written=st.lists(decisions(), max_size=5, unique_by=lambda one: one.path))
def test_read_decisions_gives_what_was_written(written, tmp_path):
    write_decisions(tmp_path / "decisions.csv", written)

    assert read_decisions(tmp_path / "decisions.csv") == written


@given(cell=odd_texts.filter(bool))
def test_write_decisions_leaves_no_formula(cell, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "formula.csv"
    write_decisions(path, [decision(path=cell, note=cell, reader=cell)])
    text = path.read_bytes().decode().split("\n", 1)[1]

    assert text.lstrip('"')[:1] not in tuple("=+-@\t\r")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_read_decisions_takes_what_spreadsheets_write(tmp_path, separator, encoding, end):
    path = tmp_path / "edited.csv"
    lines = [HEADER, RIGHT, "," * 8, ""]
    path.write_bytes(end.join(lines).replace(",", separator).encode(encoding))

    assert read_decisions(path) == [decision(path="a.dcm", content_id="", projection=Projection.LL)]


def test_read_decisions_takes_the_last_row_of_an_image(tmp_path):
    path = tmp_path / "decisions.csv"
    path.write_text(f"{HEADER}\n{RIGHT}\nb,,frontal,reject,,,,2026-03-01,\n{RIGHT}twice\n")

    assert [(one.path, one.note) for one in read_decisions(path)] == [("a.dcm", "twice"), ("b", "")]


def test_read_decisions_fills_in_the_accepted_view_and_ignores_capitals(tmp_path):
    path = tmp_path / "decisions.csv"
    path.write_text(f"{HEADER}\na,,Lateral,ACCEPT,,ll,,2026-03-01 14:05,\n")
    (read,) = read_decisions(path)

    assert (read.view, read.projection, read.decided_at) == (View.LATERAL, Projection.LL, WHEN)


MISTAKES = {
    ",,lateral,accept,,,,2026-03-01,": "path",
    "a,12,lateral,accept,,,,2026-03-01,": "content_id",
    "a,,sideways,accept,,,,2026-03-01,": "proposed",
    "a,,lateral,yes,,,,2026-03-01,": "decision",
    "a,,lateral,,,,,2026-03-01,": "decision",
    "a,,lateral,accept,frontal,,,2026-03-01,": "view",
    "a,,lateral,reject,lateral,,,2026-03-01,": "view",
    "a,,lateral,unreadable,lateral,,,2026-03-01,": "view",
    "a,,,accept,,,,2026-03-01,": "proposed",
    "a,,lateral,accept,,PA,,2026-03-01,": "projection",
    "a,,lateral,reject,,PA,,2026-03-01,": "projection",
    "a,,lateral,accept,,XX,,2026-03-01,": "projection",
    "a,,lateral,accept,,,,01.03.2026,": "decided_at",
    "a,,lateral,accept,,,,,": "decided_at",
    "a,,lateral,accept,,,,2026-03-01,note, and more": "(none)",
}


@pytest.mark.parametrize(("row", "column"), MISTAKES.items())
def test_read_decisions_names_line_and_column_of_a_mistake(tmp_path, row, column):
    path = tmp_path / "decisions.csv"
    path.write_text(f"{HEADER}\n{RIGHT}\n{row}\n")

    with pytest.raises(UsageError, match=rf"1 mistake:\n  line 3, {re.escape(column)}:"):
        read_decisions(path)


def test_read_decisions_lists_every_mistake_without_quoting_cells(tmp_path):
    path = tmp_path / "decisions.csv"
    rows = ["Doe^Jane,Doe^Jane,Doe^Jane,Doe^Jane,Doe^Jane,Doe^Jane,,Doe^Jane,"] * 2
    path.write_text("\n".join([HEADER, RIGHT, *rows]))

    with pytest.raises(UsageError) as caught:
        read_decisions(path)
    assert caught.value.reason.count("line 3, ") == caught.value.reason.count("line 4, ") == 6
    assert "Doe" not in caught.value.reason


def test_read_decisions_counts_mistakes_beyond_the_list(tmp_path):
    path = tmp_path / "decisions.csv"
    path.write_text("\n".join([HEADER, *["a,,lateral,no,,,,2026-03-01,"] * 103]))

    with pytest.raises(UsageError, match="103 mistakes:(.|\n)*line 101(.|\n)*and 3 more"):
        read_decisions(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HEADER.replace("view,", ""), "no column view"),
        ("", "no column content_id"),
        (f"{HEADER},note", "column note occurs twice"),
        ("PK\x03\x04", "workbook"),
    ],
)
def test_read_decisions_refuses_another_table(tmp_path, content, reason):
    path = tmp_path / "decisions.csv"
    path.write_text(content)

    with pytest.raises(UsageError, match=reason):
        read_decisions(path)


def test_write_decisions_reports_a_target_that_is_not_writable(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(CannotWrite):
        write_decisions(tmp_path / "file" / "decisions.csv", [decision()])


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": ""},
        {"decided_at": datetime(2026, 3, 1)},
        {"view": View.FRONTAL},
        {"projection": Projection.PA},
        {"decision": Ruling.UNREADABLE},
    ],
)
def test_review_decision_refuses_contradictions(wrong):
    with pytest.raises(ValueError):
        decision(**wrong)
