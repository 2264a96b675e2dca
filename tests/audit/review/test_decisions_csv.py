from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cxrview.audit.decisions import read_decisions, write_decisions
from cxrview.audit.review.decision_log import Decided, DecisionLog
from cxrview.audit.review.decisions_csv import log_path, take_edits, write_csv_of
from cxrview.errors import UsageError
from cxrview.records.review_decision import ReviewDecision
from cxrview.terms import Ruling, View

WHEN = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)


def decision(path, **values):
    known = {"proposed": View.LATERAL, "decision": Ruling.ACCEPT, "view": View.LATERAL}
    return ReviewDecision(path=path, **{"decided_at": WHEN} | known | values)


REJECTED = {"decision": Ruling.REJECT, "view": View.FRONTAL}


@pytest.fixture
def csv(tmp_path):
    return tmp_path / "decisions.csv"


@pytest.fixture
def log(csv):
    log = DecisionLog(log_path(csv))
    log.append([Decided(uid=name, decision=decision(name)) for name in ("a", "b", "c")])
    write_csv_of(log, csv)
    yield log
    log.close()


def test_write_csv_of_writes_what_counts(log, csv):
    assert [one.path for one in read_decisions(csv)] == ["a", "b", "c"]
    assert log.is_exported


def test_write_csv_of_writes_no_file_without_decisions(tmp_path):
    log = DecisionLog(tmp_path / "empty.jsonl")
    write_csv_of(log, tmp_path / "empty.csv")
    log.close()

    assert not (tmp_path / "empty.csv").exists()


def test_write_csv_of_leaves_a_file_that_is_up_to_date(log, csv):
    before, lines = csv.stat().st_ino, log.path.read_bytes()
    write_csv_of(log, csv)

    assert (csv.stat().st_ino, log.path.read_bytes()) == (before, lines)


def test_take_edits_takes_changed_added_and_deleted_rows(log, csv):
    write_decisions(csv, [decision("a", **REJECTED), decision("c"), decision("d")])
    assert take_edits(log, csv) == 3
    write_csv_of(log, csv)

    by_path = {one.path: one.decision for one in log.decisions}
    assert by_path == {"a": Ruling.REJECT, "c": Ruling.ACCEPT, "d": Ruling.ACCEPT}
    assert take_edits(log, csv) == 0


def test_take_edits_survives_that_the_log_is_opened_again(log, csv):
    write_decisions(csv, [decision("a", note="seen twice")])
    take_edits(log, csv)
    log.close()
    again = DecisionLog(log.path)

    assert [(one.path, one.note) for one in again.decisions] == [("a", "seen twice")]
    assert take_edits(again, csv) == 0
    again.close()


def test_take_edits_keeps_what_was_decided_in_the_browser_after_the_file_was_saved(log, csv):
    later = datetime.now(UTC) + timedelta(hours=1)
    changed = decision("a", decided_at=later, decision=Ruling.UNREADABLE, view=None)
    log.append([Decided(uid="later", decision=changed)])
    write_decisions(csv, [replace(decision("a"), note="edited"), decision("b", **REJECTED)])
    take_edits(log, csv)

    by_path = {one.path: one.decision for one in log.decisions}
    assert by_path == {"a": Ruling.UNREADABLE, "b": Ruling.REJECT}


def test_take_edits_does_not_take_an_older_file_for_an_edited_one(log, csv):
    """After kill -9 the file is older than the log, and was not edited."""
    log.append([Decided(uid="d", decision=decision("d"))])
    assert take_edits(log, csv) == 0
    write_csv_of(log, csv)

    assert [one.path for one in read_decisions(csv)] == ["a", "b", "c", "d"]


def test_take_edits_leaves_log_and_file_as_they_are_where_there_are_mistakes(log, csv):
    csv.write_text(csv.read_text().replace("accept", "yes"))
    before = csv.read_bytes(), log.path.read_bytes()
    with pytest.raises(UsageError, match="3 mistakes"):
        take_edits(log, csv)

    assert (csv.read_bytes(), log.path.read_bytes()) == before


def test_log_path_refuses_a_file_that_is_not_named_as_csv(tmp_path):
    with pytest.raises(UsageError):
        log_path(tmp_path / "decisions.xlsx")
