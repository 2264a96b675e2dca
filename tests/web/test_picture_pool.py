"""Processes that may die or hang over a file cost its picture and no other."""

import io
import os
import signal
import sys
import time

import pytest
from PIL import Image

from cxrview.web.picture_pool import AHEAD, NoPicture, PicturePool
from cxrview.web.settings import PictureSettings


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.fixture
def make_pool():
    made = []

    def make(**settings):
        made.append(PicturePool(PictureSettings(picture_workers=1, **settings)))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture
def pool(make_pool):
    return make_pool(picture_seconds=60)


def test_picture_pool_loses_one_picture_by_a_process_that_dies(pool, film):
    pool.submit(film, 256).done.result(60)
    worker = pool._threads[0]._worker
    os.kill(worker._process.pid, signal.SIGSTOP)
    hung = pool.submit(film, 300)
    while not hung.is_begun:
        time.sleep(0.01)
    os.kill(worker._process.pid, signal.SIGKILL)

    with pytest.raises(NoPicture, match="died"):
        hung.done.result(60)
    assert opened(pool.submit(film, 256).done.result(60)).size == (128, 256)


def test_picture_pool_logs_a_process_that_does_not_start(
    make_pool, film, tmp_path, monkeypatch, caplog
):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no libraries >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    with pytest.raises(NoPicture, match="decoder_crash"):
        make_pool().submit(film, 256).done.result(60)

    assert "no libraries" in caplog.text and film not in caplog.text


@pytest.mark.slow
def test_picture_pool_kills_a_process_that_hangs(make_pool, film):
    pool = make_pool(picture_seconds=3)
    pool.submit(film, 256).done.result(60)
    os.kill(pool._threads[0]._worker._process.pid, signal.SIGSTOP)

    with pytest.raises(NoPicture, match="too long"):
        pool.submit(film, 256).done.result(60)
    assert pool.submit(film, 256).done.result(60)


def test_picture_pool_renders_first_what_a_page_waits_for(pool, film):
    pool.submit(film, 256).done.result(60)
    order: list[str] = []
    os.kill(pool._threads[0]._worker._process.pid, signal.SIGSTOP)
    first = pool.submit(film, 100)
    while not first.is_begun:
        time.sleep(0.01)
    for name, priority in (("ahead", AHEAD), ("hurried", AHEAD), ("wanted", 0)):
        job = pool.submit(film, 256, priority)
        job.done.add_done_callback(lambda _, name=name: order.append(name))
        if name == "hurried":
            pool.enqueue(job)
    os.kill(pool._threads[0]._worker._process.pid, signal.SIGCONT)
    while len(order) < 3:
        time.sleep(0.01)

    assert order == ["hurried", "wanted", "ahead"]


def test_picture_pool_fails_waiting_jobs_when_it_closes(pool, film):
    jobs = [pool.submit(film, 256) for _ in range(5)]
    pool.close()

    for job in jobs:
        assert job.done.done()
    with pytest.raises(NoPicture):
        pool.submit(film, 256)
