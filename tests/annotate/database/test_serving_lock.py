"""One server for a study at a time, whichever way the one before it ended."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra annotate")

from sqlalchemy import text

from cxrview.annotate.database.store import ReadingStore, create_readings, open_readings
from cxrview.errors import UsageError

HOLDER = """
import sys, time
from cxrview.annotate.database.store import open_readings
store = open_readings(sys.argv[1])
lock = store.take_serving_lock(store.study.study_id)
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def store(where, study) -> Iterator[ReadingStore]:
    with closing(create_readings(where, study)) as store:
        yield store


def take(store: ReadingStore):
    return store.take_serving_lock(store.study.study_id)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_second_process_is_refused_until_the_first_has_ended_however_it_did(store, where, how):
    command = [sys.executable, "-c", HOLDER, where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match="served by another process"):
            take(store)
        holder.send_signal(how)
        holder.wait(30)

    lock = take(store)
    assert lock.is_held()
    lock.release()


def test_it_can_be_taken_again_once_it_is_released(store, where):
    with closing(open_readings(where)) as other:
        lock = take(store)
        with pytest.raises(UsageError, match="served by another process"):
            take(other)
        lock.release()
        take(other).release()


def test_who_only_opens_the_study_needs_no_lock(store, where):
    lock = take(store)
    with closing(open_readings(where)) as other:
        assert other.count_images() == 0
    assert lock.is_held()
    lock.release()


@pytest.mark.parametrize("where", ["postgresql"], indirect=True)
def test_a_lost_connection_is_taken_anew_unless_another_server_came_first(store, where):
    ended = text(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
    )
    lock = take(store)
    with store._database.reading() as db:
        db.execute(ended)
    assert lock.is_held()

    with closing(open_readings(where)) as other:
        with pytest.raises(UsageError, match="another process on "):
            take(other)
        with store._database.reading() as db:
            db.execute(ended)
        rival = take(other)

        assert not lock.is_held()
        rival.release()
    assert lock.is_held()
    lock.release()
