import logging
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from cxrview.audit.review.decision_log import Decided, DecisionLog, Undone
from cxrview.errors import CannotWrite, UsageError
from cxrview.records.review_decision import ReviewDecision
from cxrview.terms import Projection, Ruling, View

WHEN = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)


def decided(uid, path="a", **values):
    known = {"proposed": View.LATERAL, "decision": Ruling.ACCEPT, "view": View.LATERAL}
    return Decided(uid=uid, decision=ReviewDecision(path=path, decided_at=WHEN, **known | values))


def undone(uid, undoes, path="a"):
    return Undone(uid=uid, path=path, undoes=undoes, decided_at=WHEN)


@pytest.fixture
def open_log(tmp_path):
    opened = []

    def open_(name="decisions.jsonl"):
        opened.append(DecisionLog(tmp_path / name))
        return opened[-1]

    yield open_
    for log in opened:
        log.close()


def test_decision_log_reads_back_what_it_wrote(open_log):
    log = open_log()
    entries = [
        decided("1", projection=Projection.LL, reader="Zoë", note="=1+1\n", content_id="f" * 32),
        decided("2", "b\ud800", decision=Ruling.UNREADABLE, view=None),
        decided("3", "c", proposed=None, decision=Ruling.REJECT, view=None),
    ]
    log.append(entries)
    log.close()

    assert open_log().decisions == [one.decision for one in entries]


def test_decision_log_counts_the_last_decision_of_an_image(open_log):
    log = open_log()
    rejected = decided("2", decision=Ruling.REJECT, view=View.FRONTAL)
    log.append([decided("1"), decided("b", "b"), rejected])

    assert log.find("a") == rejected
    assert [one.uid for one in log.latest(5)] == ["2", "b"]


def test_decision_log_undoes_the_decision_that_is_named_and_no_later_one(open_log):
    log = open_log()
    log.append([decided("1"), decided("2"), undone("3", "1")])
    assert log.find("a") == decided("2")
    log.append([undone("4", "2")])

    assert log.find("a") is None and len(log) == 0


def test_decision_log_writes_an_entry_once_that_is_sent_twice(open_log):
    log = open_log()
    log.append([decided("1"), decided("1")])
    log.append([undone("2", "1")])
    log.append([decided("1")])

    assert log.find("a") is None
    assert log.path.read_text().count("\n") == 2


@pytest.mark.parametrize("kept", [1, 5, 10, 40, -1])
def test_decision_log_ignores_an_incomplete_last_line_and_says_so(open_log, caplog, kept):
    log = open_log()
    log.append([decided("1"), decided("2", "Doe_Jane")])
    log.close()
    first, second = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(first + second[:kept])
    with caplog.at_level(logging.WARNING):
        again = open_log()
    again.append([decided("3", "c")])
    again.close()

    assert "line 2 is incomplete" in caplog.text and "Doe" not in caplog.text
    assert [one.path for one in open_log().decisions] == ["a", "c"]


@pytest.mark.parametrize(
    "content",
    ['{"path": "a"}', "path,view\n", '{"act": "x"}\n', '{"act": "decide"}\n{"act', "[]\n"],
)
def test_decision_log_leaves_another_file_as_it_is(open_log, tmp_path, content):
    (tmp_path / "decisions.jsonl").write_text(content)

    with pytest.raises(UsageError, match="line 1"):
        open_log()
    assert (tmp_path / "decisions.jsonl").read_text() == content


def test_decision_log_is_open_in_one_process_only(open_log):
    log = open_log()  # empty as yet
    with pytest.raises(UsageError, match="another process"):
        open_log()
    log.append([decided("1")])
    log.close()

    open_log()


def test_decision_log_reports_a_folder_that_is_not_writable(open_log, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(CannotWrite):
        open_log("file/decisions.jsonl")


def test_decision_log_leaves_no_empty_file(open_log, tmp_path):
    open_log().close()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_replaced", [False, True])
def test_decision_log_writes_nothing_into_a_file_that_was_removed(open_log, is_replaced):
    log = open_log()
    log.append([decided("1")])
    kept = log.path.rename(log.path.with_name("kept"))
    if is_replaced:
        log.path.write_text("")
    with pytest.raises(CannotWrite, match="removed or replaced"):
        log.append([decided("2", "b")])
    kept.rename(log.path)
    log.append([decided("2", "b")])
    log.close()

    assert [one.path for one in open_log().decisions] == ["a", "b"]


FULL_DISK = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from cxrview.audit.review.decision_log import Decided, DecisionLog
from cxrview.errors import CannotWrite
from cxrview.records.review_decision import ReviewDecision
from cxrview.terms import Ruling, View

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = DecisionLog(Path(sys.argv[1]))

def append(uid):
    log.append([Decided(uid=uid, decision=ReviewDecision(path=uid, decision=Ruling.ACCEPT,
        proposed=View.LATERAL, view=View.LATERAL, decided_at=datetime.now(UTC)))])

append("first")
size = Path(sys.argv[1]).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))
try:
    append("second")
except CannotWrite:
    assert Path(sys.argv[1]).stat().st_size == size and log.find("second") is None
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    append("second")
    print("refused, then written")
"""


def test_decision_log_leaves_no_half_line_on_a_full_disk(open_log, tmp_path):
    log = tmp_path / "decisions.jsonl"
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(log)], capture_output=True, text=True, timeout=60
    )

    assert ran.stdout == "refused, then written\n", ran.stderr
    assert [one.path for one in open_log().decisions] == ["first", "second"]


KILL = """
import os, random, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from cxrview.audit.review.decision_log import Decided, DecisionLog
from cxrview.records.review_decision import ReviewDecision
from cxrview.terms import Ruling, View

def write_until_killed(start, out):
    log = DecisionLog(Path(sys.argv[1]))
    for number in range(1_000_000):
        uid = f"{start}-{number}"
        log.append([Decided(uid=uid, decision=ReviewDecision(path=uid, decision=Ruling.ACCEPT,
            proposed=View.LATERAL, view=View.LATERAL, decided_at=datetime.now(UTC)))])
        os.write(out, f"{uid}\\n".encode())  # acknowledged

draw = random.Random(1)
for kill in range(20):
    inlet, outlet = os.pipe()
    child = os.fork()
    if not child:
        os.close(inlet)
        write_until_killed(kill, outlet)
    os.close(outlet)
    with open(inlet) as acknowledged:
        for _ in range(draw.randint(1, 20)):
            print(acknowledged.readline(), end="")
        os.kill(child, signal.SIGKILL)
        print(acknowledged.read(), end="")
    os.waitpid(child, 0)
"""


def test_decision_log_loses_nothing_acknowledged_when_killed_20_times(open_log, tmp_path):
    log = tmp_path / "decisions.jsonl"
    ran = subprocess.run(
        [sys.executable, "-c", KILL, str(log)], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    acknowledged = ran.stdout.split()

    assert len(acknowledged) > 100
    assert {one.split("-")[0] for one in acknowledged} == {str(kill) for kill in range(20)}
    assert set(acknowledged) <= {one.path for one in open_log().decisions}
