"""Paths are taken ahead by a thread: as many as it is allowed to, and in their order."""

import threading
import time

import pytest

from cxrview.classify import prefetch
from cxrview.classify.prefetch import PathPrefetcher


class Taken:
    """What a prefetcher reports."""

    def __init__(self) -> None:
        self.paths: list[tuple[int, str]] = []
        self.count: int | None = None
        self.error: BaseException | None = None
        self.has_ended = threading.Event()

    def found(self, number: int, path: str) -> None:
        self.paths.append((number, path))

    def ended(self, count: int, error: BaseException | None) -> None:
        self.count, self.error = count, error
        self.has_ended.set()


def until(is_true) -> None:
    last = time.monotonic() + 10
    while not is_true() and time.monotonic() < last:
        time.sleep(0.005)
    assert is_true()


def test_prefetcher_takes_no_more_than_it_is_allowed_to():
    taken = Taken()
    asked = []
    paths = (asked.append(name) or name for name in "abc")
    prefetcher = PathPrefetcher(paths, taken.found, taken.ended)
    prefetcher.start()

    prefetcher.allow_one()
    until(lambda: taken.paths)
    time.sleep(0.05)

    assert taken.paths == [(0, "a")] and asked == ["a"]
    for _ in range(3):
        prefetcher.allow_one()
    assert taken.has_ended.wait(10)
    assert taken.paths == [(0, "a"), (1, "b"), (2, "c")]
    assert (taken.count, taken.error) == (3, None)


def test_prefetcher_reports_the_error_that_ends_the_paths():
    def paths():
        yield "a"
        raise OSError("unmounted")

    taken = Taken()
    prefetcher = PathPrefetcher(paths(), taken.found, taken.ended)
    prefetcher.start()
    for _ in range(2):
        prefetcher.allow_one()

    assert taken.has_ended.wait(10)
    assert taken.count == 1 and str(taken.error) == "unmounted"


def test_prefetcher_that_is_stopped_closes_the_paths_and_reports_no_end():
    is_closed = threading.Event()

    def paths():
        try:
            yield from "ab"
        finally:
            is_closed.set()

    taken = Taken()
    prefetcher = PathPrefetcher(paths(), taken.found, taken.ended)
    prefetcher.start()
    prefetcher.allow_one()
    until(lambda: taken.paths)

    prefetcher.stop()

    assert is_closed.wait(10) and not prefetcher.is_alive()
    assert not taken.has_ended.is_set()


def test_stop_does_not_wait_for_a_list_that_never_ends(monkeypatch):
    monkeypatch.setattr(prefetch, "STOP_SECONDS", 0.1)
    release = threading.Event()

    def paths():
        release.wait(30)
        yield "late"

    taken = Taken()
    prefetcher = PathPrefetcher(paths(), taken.found, taken.ended)
    prefetcher.start()
    prefetcher.allow_one()
    began = time.monotonic()

    prefetcher.stop()

    assert time.monotonic() - began < 5
    release.set()
    prefetcher.join(10)
    assert taken.paths == [] and not taken.has_ended.is_set()


def test_prefetcher_passes_on_even_a_keyboard_interrupt():
    def paths():
        raise KeyboardInterrupt
        yield

    taken = Taken()
    prefetcher = PathPrefetcher(paths(), taken.found, taken.ended)
    prefetcher.start()
    prefetcher.allow_one()

    assert taken.has_ended.wait(10)
    with pytest.raises(KeyboardInterrupt):
        raise taken.error
