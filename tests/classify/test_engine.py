import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cxrview.classify.decode_process import DecodeProcess
from cxrview.classify.decode_worker import read_file
from cxrview.classify.engine import classify_files, iter_outcomes
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.read_settings import ReadSettings
from cxrview.errors import InferenceError, UsageError, WorkerStartError
from cxrview.image import find_images
from cxrview.records.classification import Failure, Prediction
from cxrview.sources.find import UnlistedFolder
from cxrview.workers.cores import available_cores

READ = ReadSettings(side=256)


def settings(**fields) -> ClassifyOptions:
    return ClassifyOptions(**{"workers": 2, "memory_bytes": 1 << 30, **fields})


def test_outcomes_come_in_the_order_of_the_paths(archive, model):
    paths = list(find_images([str(archive)]))

    outcomes = list(classify_files(paths, model, settings()))

    assert [o.path if isinstance(o, Failure) else o.instance.path for o in outcomes] == paths


def test_no_outcome_follows_those_that_a_failed_batch_lacks(archive, model):
    """Who counts outcomes would take them for those of other files."""
    paths = list(find_images([str(archive)]))
    failing, outcomes = replace(model, backend=FailsOnce(model.backend, batch=3)), []

    with pytest.raises(InferenceError):
        for outcome in iter_outcomes(paths, failing, settings(workers=1)):
            outcomes.append(outcome)

    found = [o.path if isinstance(o, Failure) else o.instance.path for o in outcomes if o]
    assert found == paths[: len(found)]


class FailsOnce:
    """A backend that runs out of memory once, as a GPU may that others use too."""

    name, batch, lanes = "mean-grey", 4, 1

    def __init__(self, backend, batch: int) -> None:
        self.backend, self.left = backend, batch

    def run(self, pictures):
        self.left -= 1
        if self.left == 0:
            raise InferenceError("out of memory")
        return self.backend.run(pictures)


def test_the_number_of_workers_changes_no_outcome(archive, model):
    paths = list(find_images([str(archive)]))

    one, three = (list(classify_files(paths, model, settings(workers=n))) for n in (1, 3))

    assert one == three


@pytest.mark.slow
def test_the_number_of_readers_changes_no_outcome(archive, model):
    paths = list(find_images([str(archive)]))

    one, five = (list(classify_files(paths, model, settings(readers=n, workers=1))) for n in (1, 5))

    assert one == five


def test_paths_are_taken_as_they_are_needed(draw, model):
    path, taken = draw("a.png", 90), []

    def endless():
        while True:
            taken.append(path)
            yield path

    outcomes = classify_files(endless(), model, settings())
    next(outcomes)
    outcomes.close()

    assert len(taken) * READ.side**2 <= 32 << 20


def test_answers_come_while_the_next_path_is_waited_for(draw, model):
    paths, go_on = [draw("a.png", 10), draw("b.png", 90)], threading.Event()

    def list_with_a_pause():
        yield from paths
        go_on.wait(60)
        yield paths[0]

    outcomes = classify_files(list_with_a_pause(), model, settings())
    before = [next(outcomes).view for _ in paths]
    was_waiting = not go_on.is_set()
    go_on.set()

    assert was_waiting and before == ["lateral", "frontal"]
    assert [outcome.view for outcome in outcomes] == ["lateral"]


def test_who_waits_is_told_that_nothing_has_come(model):
    go_on = threading.Event()

    def silent():
        go_on.wait(60)
        yield from ()

    outcomes = iter_outcomes(silent(), model, settings())
    pause = next(outcomes)
    go_on.set()

    assert pause is None
    assert not any(outcomes)


def test_an_error_of_the_paths_comes_after_what_was_found_before_it(draw, model):
    """Also where the network is slower than the error."""

    class Slow(type(model.backend)):
        def run(self, batch):
            time.sleep(0.5)
            return super().run(batch)

    def failing():
        yield draw("a.png", 10)
        raise UsageError("nothing matches", "Check the pattern")

    slow = replace(model, backend=Slow())
    outcomes = classify_files(failing(), slow, settings())

    assert next(outcomes).view == "lateral"
    with pytest.raises(UsageError, match="nothing matches"):
        next(outcomes)


def test_paths_are_closed_when_nobody_wants_more(draw, model):
    path, closed = draw("a.png", 10), threading.Event()

    def endless():
        try:
            while True:
                yield path
        finally:
            closed.set()

    outcomes = classify_files(endless(), model, settings())
    next(outcomes)
    outcomes.close()

    assert closed.wait(10)


def test_a_list_that_is_silent_for_ever_holds_up_no_end(draw, model):
    path, never = draw("a.png", 10), threading.Event()

    def silent():
        yield path
        never.wait(60)

    outcomes = classify_files(silent(), model, settings())
    next(outcomes)
    began = time.monotonic()
    outcomes.close()

    assert time.monotonic() - began < 10
    never.set()


def test_answers_come_while_a_file_is_still_being_read(draw, model, poison):
    """Fewer pictures than a batch, and then a file that hangs."""
    paths = [draw("a.png", 10), draw("b.png", 90), "poison://sleep"]

    outcomes = classify_files(paths, model, settings())
    views = [next(outcomes).view, next(outcomes).view]
    outcomes.close()

    assert views == ["lateral", "frontal"]


def test_an_image_in_the_band_goes_to_review_with_its_ends(draw, model):
    paths = [draw("a.png", 40), draw("b.png", 50), draw("c.png", 60)]
    first, middle, last = classify_files(paths, model, settings())
    ends = (first.pfi, last.pfi)

    with_ends = list(classify_files(paths, model, settings(review_band=ends)))

    assert [middle.decision, first.view, last.view] == ["review", "lateral", "frontal"]
    assert [outcome.decision for outcome in with_ends] == ["review"] * 3


@pytest.mark.slow
@pytest.mark.parametrize(("readers", "rate"), [(1, None), (3, None), (1, 1e9), (3, 1e9)])
@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("kill", "decoder_crash", "SIGKILL"),
        ("crash", "decoder_crash", "SIGABRT"),
        ("sleep", "timeout", "longer than 1 s"),
        ("eat", "memory", "more memory"),
    ],
)
def test_a_bad_file_costs_itself_and_nothing_else(
    draw, model, poison, name, code, reason, readers, rate
):
    """With a rate its size is asked for first, and that is when it does its harm."""
    paths = [draw("a.png", 10), f"poison://{name}", draw("b.png", 90), draw("c.png", 95)]

    before, failed, *after = classify_files(
        paths,
        model,
        settings(workers=1, readers=readers, timeout_seconds=1, bytes_per_second=rate),
    )

    assert isinstance(failed, Failure)
    assert (failed.path, failed.code) == (paths[1], code)
    assert reason in failed.reason
    assert [outcome.view for outcome in (before, *after)] == ["lateral", "frontal", "frontal"]


def test_a_folder_that_could_not_be_listed_fails_with_the_reason(draw, model):
    folder = UnlistedFolder("/archive/1", "Stale file handle")

    failed, read = classify_files([folder, draw("a.png", 80)], model, settings())

    assert (failed.path, failed.code) == ("/archive/1", "cannot_open")
    assert "Stale file handle" in failed.reason
    assert read.pfi == pytest.approx(80, abs=0.5)


def test_what_nobody_foresaw_is_a_failure_that_quotes_nothing(draw):
    class Rule:
        def reason_to_skip(self, instance):
            raise ZeroDivisionError("Doe^Jane")

    failed = read_file(draw("a.png", 10), READ, Rule())

    assert failed.code == "unreadable"
    assert "ZeroDivisionError" in failed.reason
    assert "Doe" not in failed.reason + failed.advice


@pytest.mark.slow
def test_every_file_may_kill_its_worker(draw, model, poison):
    paths = [f"poison://kill/{number}" for number in range(5)] + [draw("a.png", 90)]

    *failed, last = classify_files(paths, model, settings())

    assert [outcome.code for outcome in failed] == ["decoder_crash"] * 5
    assert isinstance(last, Prediction)


def test_workers_end_when_nobody_wants_more(archive, model):
    before = _children()  # of other tests in this process, such as a tracker of resources
    outcomes = classify_files(find_images([str(archive)]), model, settings(workers=2))
    next(outcomes)
    assert len(_children()) == len(before) + 2

    outcomes.close()

    assert _children() == before


def test_no_more_workers_are_started_than_there_are_cores(archive, model):
    before = _children()
    outcomes = classify_files(find_images([str(archive)]), model, settings(workers=500))
    next(outcomes)
    started = len(_children()) - len(before)
    outcomes.close()

    assert 1 <= started <= available_cores()


@pytest.mark.slow
def test_no_row_waits_for_the_start_of_more_readers(archive, model, monkeypatch):
    """Each takes a second to start, and the files are read before they all have."""
    ready, starts = DecodeProcess.is_ready, []

    def slowly(process):
        if process not in starts:
            starts.append(process)
            time.sleep(1)
        return ready(process)

    monkeypatch.setattr(DecodeProcess, "is_ready", slowly)
    began = time.monotonic()
    outcomes = classify_files(find_images([str(archive)]), model, settings(readers=30))
    next(outcomes)
    first = time.monotonic() - began
    outcomes.close()

    assert first < 5


def _children() -> list[str]:
    """Process ids; the workers are waited for, so that none is left even as a zombie."""
    threads = Path("/proc/self/task").iterdir()
    return [child for thread in threads for child in (thread / "children").read_text().split()]


def test_a_constant_picture_is_never_decided(tmp_path, model):
    from PIL import Image

    path = tmp_path / "blank.png"
    Image.new("L", (300, 300), 200).save(path)

    (outcome,) = classify_files([str(path)], model, settings())

    assert outcome.decision == "review"
    assert "constant_image" in outcome.warnings


@pytest.fixture
def stillborn(tmp_path, monkeypatch):
    """Let the next processes die as they start: so many as lines are written into the file."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import os, pathlib\n"
        "deaths = pathlib.Path(__file__).with_name('deaths')\n"
        "left = deaths.read_text().splitlines()\n"
        "if left:\n"
        "    deaths.write_text(chr(10).join(left[1:]))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    return site / "deaths"


def test_a_worker_that_dies_as_it_starts_is_started_again(draw, model, stillborn):
    stillborn.write_text("one\ntwo\n")

    (outcome,) = classify_files([draw("a.png", 90)], model, settings(workers=1))

    assert outcome.view == "frontal"


def test_workers_that_never_start_end_the_run_with_a_reason(draw, model, stillborn):
    stillborn.write_text("again\n" * 10)

    with pytest.raises(WorkerStartError, match="cannot be started"):
        list(classify_files([draw("a.png", 90)], model, settings(workers=1)))
