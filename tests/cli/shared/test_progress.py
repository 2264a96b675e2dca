"""Progress on standard error, and the estimate of the time that remains."""

import threading
import time

import pytest

from cxrview.cli.shared import progress
from cxrview.cli.shared.progress import Heartbeat, TrainingLines, remaining, staged_watch


def beats(capsys, at_least: int, beat: Heartbeat) -> list[str]:
    """Lines so far, once there are so many; a busy machine is slow, not wrong."""
    lines: list[str] = []
    until = time.monotonic() + 60
    while len(lines) < at_least and time.monotonic() < until:
        time.sleep(0.01)
        lines += capsys.readouterr().err.splitlines()
    return lines


def test_lines_tell_count_rate_failures_and_what_remains(capsys):
    with Heartbeat("images", lambda: 4000, seconds=0.2) as beat:
        beat(900, 2)
        beat(100, 1)
        (first, *_) = beats(capsys, 1, beat)

    words = first.split(", ")
    assert words[0] == "1000 images" and words[2:4] == ["3 failed", "of 4000"]
    assert words[1].endswith("/s") and words[4].endswith("min remaining")


def test_a_run_that_hangs_still_has_a_pulse(capsys):
    with Heartbeat("images", lambda: None, seconds=0.05) as beat:
        beat(10)
        lines = beats(capsys, 3, beat)

    assert lines[-1] == "10 images, 0.0/s, 0 failed"


def test_no_line_comes_after_the_end(capsys):
    with Heartbeat("images", lambda: None, seconds=0.01):
        pass
    capsys.readouterr()

    assert not [t for t in threading.enumerate() if t.name.startswith("heartbeat")]
    time.sleep(0.1)
    assert capsys.readouterr().err == ""


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""

    class Clock:
        now = 0.0

        def monotonic(self) -> float:
            return self.now

    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_remaining_is_at_the_mean_speed_and_never_negative():
    assert remaining(10, 60, 20) == "about 2 min remaining"
    assert remaining(10, 60, -1) == "about 0 min remaining"


def test_training_lines_of_steps_have_mean_loss_and_time(clock, capsys):
    lines = TrainingLines("grey: ")

    for step in range(1, 22):
        lines.step(step, 141, float(step))
        clock.now += 1.0

    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "grey: step 1 of 141, loss 1.000"
    assert second == "grey: step 11 of 141, loss 6.500, 1.00 steps/s, about 2 min remaining"
    assert third.startswith("grey: step 21 of 141, loss 16.500, ")


def test_training_lines_of_counts_begin_again_with_another_unit(clock, capsys):
    lines = TrainingLines()

    for _ in range(12):
        lines.count(5, 600, "pictures")
        clock.now += 1.0
    lines.count(1, 0, "images")
    clock.now += 10
    lines.count(1, 0, "images")

    of_pictures, of_images = capsys.readouterr().err.splitlines()
    assert of_pictures.startswith("55 of 600 pictures, 5.5/s, about ")
    assert of_images == "2 images, 0.2/s"


def test_staged_watch_names_the_stage_before_each_line(capsys):
    watch = staged_watch()

    watch.stage("grey")
    watch.epoch(1, 30, 0.5)

    stage, epoch = capsys.readouterr().err.splitlines()
    assert stage.startswith("grey: ")
    assert epoch == "grey: after epoch 1 of 30: validation accuracy 50.00 %"
