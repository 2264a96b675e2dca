import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path

import pytest

from cxrview.classify.engine import classify_files
from cxrview.classify.model import Model
from cxrview.classify.options import ClassifyOptions
from cxrview.errors import InferenceError, RunStopped
from cxrview.image import find_images
from cxrview.records.classification import Failure, Prediction
from cxrview.service.engine import AHEAD_OF_A_JOB, Engine, EngineClosed

SECONDS = 60


def settings(**fields) -> ClassifyOptions:
    return ClassifyOptions(**{"workers": 2, "memory_bytes": 1 << 30, "key": b"k" * 32, **fields})


@pytest.fixture
def engine(model) -> Iterator[Engine]:
    with Engine(model, settings(timeout_seconds=3)) as engine:
        yield engine


def children() -> list[int]:
    """Process ids of the decode workers of this process."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [int(pid) for task in tasks for pid in task.read_text().split()]
    return [pid for pid in pids if is_running_worker(pid)]


def is_running_worker(pid: int) -> bool:
    """Whether it is a decode worker whose pipes may still be open: its name goes before them."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X") and (not command or b"decode_worker" in command)


def wait_until_gone() -> None:
    end = time.monotonic() + SECONDS
    while children():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_outcomes_are_those_of_a_run(archive, model, engine):
    paths = list(find_images([str(archive)]))

    outcomes = [future.result(SECONDS) for future in [engine.submit(path) for path in paths]]

    assert outcomes == list(classify_files(paths, model, settings()))
    assert sum(isinstance(outcome, Prediction) for outcome in outcomes) == 40
    assert engine.waiting == 0 and engine.trouble is None


def test_requests_share_batches(archive, model):
    sizes = []

    class Counting(type(model.backend)):
        lanes = 1

        def run(self, batch):
            sizes.append(len(batch))
            time.sleep(0.1)  # others arrive meanwhile
            return super().run(batch)

    busy = replace(model, backend=Counting())
    with Engine(busy, settings()) as engine:
        wait([engine.submit(path) for path in find_images([str(archive)])], SECONDS)

    assert sum(sizes) == 40 and max(sizes) == model.backend.batch


def test_a_hanging_file_delays_no_other(draw, poison, model):
    with Engine(model, settings(timeout_seconds=600)) as engine:
        slow = engine.submit("poison://sleep")

        assert isinstance(engine.classify(draw("a.png", 90), SECONDS), Prediction)
        assert not slow.done()


@pytest.mark.parametrize(
    ("deadly", "code"),
    [
        ("poison://kill", "decoder_crash"),
        ("poison://eat", "memory"),
        ("poison://sleep", "timeout"),
    ],
)
def test_a_deadly_file_costs_itself(draw, poison, engine, deadly, code):
    futures = [engine.submit(path) for path in (draw("a.png", 10), deadly, draw("b.png", 90))]

    first, failed, last = (future.result(SECONDS) for future in futures)

    assert (first.view, failed.code, last.view) == ("lateral", code, "frontal")


def test_a_worker_killed_while_idle_costs_no_file(draw, engine):
    engine.classify(draw("a.png", 90), SECONDS)
    for pid in children():
        os.kill(pid, signal.SIGKILL)
    wait_until_gone()

    assert isinstance(engine.classify(draw("b.png", 90), SECONDS), Prediction)


def test_processes_end_when_there_is_nothing_to_do(draw, model):
    with Engine(model, settings(), idle_seconds=0.1) as engine:
        engine.classify(draw("a.png", 90), SECONDS)
        wait_until_gone()

        assert isinstance(engine.classify(draw("b.png", 90), SECONDS), Prediction)


def test_an_urgent_file_overtakes_those_that_wait(archive, model):
    done = []

    class Slow(type(model.backend)):
        def run(self, batch):
            time.sleep(0.1)
            return super().run(batch)

    with Engine(replace(model, backend=Slow()), settings(workers=1)) as engine:
        for number, path in enumerate([*find_images([str(archive)])]):
            engine.submit(path).add_done_callback(lambda _, n=number: done.append(n))
        engine.classify(str(archive / "0" / "00.png"), SECONDS)

        assert len(done) < 30


def test_a_caller_that_waits_too_long_is_told(poison, engine):
    with pytest.raises(TimeoutError):
        engine.classify("poison://sleep", 0.01)


def test_a_file_that_is_taken_back_is_not_read(draw, model):
    with Engine(model, settings()) as engine:
        futures = [engine.submit(draw(f"{n}.png", 90)) for n in range(40)]
        taken_back = [future for future in futures if future.cancel()]
        wait(futures, SECONDS)

        assert taken_back and engine.waiting == 0
        assert all(future.cancelled() for future in taken_back)


def test_a_model_that_fails_refuses_the_file_and_recovers(draw, model):
    fails = threading.Event()
    fails.set()

    class Failing(type(model.backend)):
        def run(self, batch):
            if fails.is_set():
                raise InferenceError("no memory on the device")
            return super().run(batch)

    with Engine(replace(model, backend=Failing()), settings()) as engine:
        with pytest.raises(InferenceError):
            engine.classify(draw("a.png", 90), SECONDS)
        assert isinstance(engine.trouble, InferenceError)
        fails.clear()

        assert isinstance(engine.classify(draw("a.png", 90), SECONDS), Prediction)
        assert engine.trouble is None


def test_an_error_of_ours_refuses_the_file_without_its_message(draw, model):
    class Wrong(type(model.backend)):
        def run(self, batch):
            raise ValueError("DOE^JANE")

    with (
        Engine(replace(model, backend=Wrong()), settings()) as engine,
        pytest.raises(RunStopped, match="ValueError") as caught,
    ):
        engine.classify(draw("a.png", 90), SECONDS)

    assert "DOE" not in str(caught.value)


def test_workers_that_cannot_start_refuse_the_file(draw, model, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")

    with Engine(model, settings()) as engine:
        with pytest.raises(RunStopped):
            engine.classify(draw("a.png", 90), SECONDS)
        assert engine.is_alive and engine.trouble


def test_close_refuses_what_waits(draw, poison, model):
    engine = Engine(model, settings()).start()
    futures = [engine.submit("poison://sleep"), *(engine.submit(draw("a.png", 9)) for _ in "abc")]
    engine.close()
    engine.close()

    assert all(future.done() for future in futures)
    assert isinstance(futures[0].exception(), EngineClosed)
    with pytest.raises(EngineClosed):
        engine.classify(draw("a.png", 9), SECONDS)
    assert not engine.is_alive and children() == []


def test_a_batch_job_takes_few_paths_at_a_time_and_keeps_their_order(archive, model: Model):
    paths, taken = list(find_images([str(archive)])), []

    with Engine(model, settings()) as engine:
        given = engine.outcomes(taken.append(path) or path for path in paths)
        first = next(outcome for outcome in given if outcome)
        assert len(taken) <= AHEAD_OF_A_JOB + 1
        outcomes = [first, *(outcome for outcome in given if outcome)]

    assert [o.path if isinstance(o, Failure) else o.instance.path for o in outcomes] == paths


def test_a_batch_job_gives_what_came_before_the_paths_failed(draw, engine):
    def paths():
        yield draw("a.png", 90)
        raise OSError("unplugged")

    given, outcomes = engine.outcomes(paths()), []
    with pytest.raises(OSError, match="unplugged"):
        outcomes.extend(outcome for outcome in given if outcome)

    assert len(outcomes) == 1
