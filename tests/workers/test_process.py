"""One worker process: its start, its answers, its time limit and its end."""

import os
import signal
import sys
import time

import pytest

from cxrview.workers import process
from cxrview.workers.process import WorkerProcess

ECHO = """
import os, sys, time
from cxrview.workers.process import READY, connect_to_parent
words = sys.stdin.buffer.read(4)
if words == b"fail":
    sys.exit("no libraries")
inbox, outbox = connect_to_parent()
print("Doe^Jane")
os.write(2, b"Doe^Jane")
outbox.write(READY)
outbox.flush()
while job := inbox.read(4):
    if job == b"hang":
        time.sleep(600)
    if job == b"exit":
        os._exit(3)
    outbox.write(words + job)
    outbox.flush()
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a worker that puts the settings before every job; its module is planted."""
    (tmp_path / "planted_echo.py").write_text(ECHO)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    started = []

    def start(settings: bytes) -> WorkerProcess:
        started.append(WorkerProcess("planted_echo", settings))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        worker.end()


def test_worker_process_answers_and_what_it_prints_goes_nowhere(start):
    worker = start(b"echo")

    assert worker.is_ready() and worker.is_alive()
    worker.send(b"film")
    assert worker.by_deadline(30).receive(8) == b"echofilm"


def test_worker_process_that_does_not_start_leaves_its_last_words(start):
    worker = start(b"fail")

    assert not worker.is_ready()
    assert worker.last_words() == "no libraries"
    assert worker.end() == 1


def test_worker_process_is_not_ready_after_the_time_for_its_start(start, monkeypatch):
    monkeypatch.setattr(process, "START_SECONDS", 0.2)
    worker = start(b"ech")  # it waits for one more byte

    assert not worker.is_ready() and worker.is_alive()


def test_receive_raises_at_its_deadline(start):
    worker = start(b"echo")
    assert worker.is_ready()
    worker.send(b"hang")
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        worker.by_deadline(0.3).receive(8)

    assert 0.2 < time.monotonic() - began < 10
    assert worker.end() == -signal.SIGKILL and not worker.is_alive()


def test_receive_gives_less_when_the_worker_dies(start):
    worker = start(b"echo")
    assert worker.is_ready()
    worker.send(b"exit")

    assert worker.by_deadline(30).receive(8) == b""
    assert worker.end() == 3


def test_send_to_a_dead_worker_is_a_broken_pipe(start):
    worker = start(b"echo")
    assert worker.is_ready()
    worker.kill()
    while worker.is_alive():
        time.sleep(0.01)

    with pytest.raises(BrokenPipeError):
        worker.send(b"film")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sets the size of a pipe")
def test_an_answer_that_is_not_read_yet_does_not_stop_the_worker(start):
    worker = start(b"echo")
    assert worker.is_ready()
    jobs = process.PIPE_BYTES // 8 - 1
    worker.send(b"film" * jobs)

    worker.send(b"exit")
    last = time.monotonic() + 30
    while worker.is_alive() and time.monotonic() < last:
        time.sleep(0.01)

    assert not worker.is_alive()
    assert worker.by_deadline(30).receive(8 * jobs) == b"echofilm" * jobs
