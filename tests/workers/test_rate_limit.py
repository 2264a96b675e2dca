import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.classify.engine import classify_files, iter_outcomes
from cxrview.classify.options import ClassifyOptions
from cxrview.image import find_images
from cxrview.workers.rate_limit import FULL_SECONDS, RateLimiter, size_of


class Clock:
    """A clock that stands until it is set."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


sizes = st.lists(st.integers(0, 5000), min_size=1, max_size=40)


@given(sizes=sizes, rate=st.integers(1, 1000), idle=st.lists(st.floats(0, 10), min_size=40))
def test_no_stretch_of_time_sees_more_than_the_rate_and_one_bucket(sizes, rate, idle):
    clock = Clock()
    pace = RateLimiter(rate, clock)
    begun = []
    for size, rest in zip(sizes, idle, strict=False):
        clock.now += rest
        wait = pace.take(size)
        clock.now += wait
        begun.append((clock.now, size))

    for first in range(len(begun)):
        read = 0
        for moment, size in begun[first:]:
            read += size
            elapsed = moment - begun[first][0]
            # The first file of a stretch may have been waited for before it.
            assert read <= rate * (elapsed + FULL_SECONDS) * (1 + 1e-9) + begun[first][1]


def test_several_workers_wait_for_one_bucket_which_is_empty_at_first():
    clock = Clock()
    pace = RateLimiter(100, clock)
    clock.now = 50.0  # until the first file comes, nothing flows

    assert [pace.take(100) for _ in range(4)] == [1.0, 2.0, 3.0, 4.0]


def test_a_size_is_that_of_the_file_or_of_what_a_url_names(draw, tmp_path):
    path = draw("a.png", 10)
    size = (tmp_path / "archive" / "a.png").stat().st_size

    assert (
        size_of(path) == size_of(f"file://{path}") == size_of(f"simplecache::file://{path}") == size
    )
    assert size_of(str(tmp_path / "nowhere")) == size_of("nonsense://x") == 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_a_rate_changes_when_files_are_read_and_not_what_is_said(archive, model, workers):
    paths = list(find_images(str(archive)))

    free = list(classify_files(paths, model, ClassifyOptions(workers=workers)))
    paced = ClassifyOptions(workers=workers, bytes_per_second=20e3)
    slowly = list(classify_files(paths, model, paced))

    assert slowly == free


def test_a_run_that_waits_for_its_rate_ends_when_nobody_wants_more(archive, model):
    """At one byte a second the second file would wait for many minutes."""
    settings = ClassifyOptions(workers=2, bytes_per_second=1.0, timeout_seconds=5)
    outcomes = classify_files(find_images(str(archive)), model, settings)

    with pytest.raises(KeyboardInterrupt):
        _interrupt_soon()
        next(outcomes)
    outcomes.close()


@pytest.mark.parametrize("url", ["poison://sleep", None])
def test_neither_a_silent_store_nor_a_long_wait_holds_up_an_end(draw, model, poison, url):
    settings = ClassifyOptions(workers=2, bytes_per_second=1.0, timeout_seconds=600)
    outcomes = iter_outcomes([url or draw("a.png", 10)], model, settings)
    pauses = [next(outcomes) for _ in range(4)]
    began = time.monotonic()
    outcomes.close()

    assert pauses == [None] * 4
    assert time.monotonic() - began < 5


def _interrupt_soon() -> None:
    """Have Ctrl-C come to the main thread while it waits."""
    import os
    import signal
    import threading

    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
