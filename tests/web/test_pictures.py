"""Pictures from files, by processes that may die over them, and the memory that keeps them."""

import io
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrview.errors import CannotOpen
from cxrview.image import open_image
from cxrview.web.picture_pool import AHEAD, NoPicture, PicturePool
from cxrview.web.picture_worker import FAILURE, PICTURE, answer, render
from cxrview.web.pictures import Pictures
from cxrview.web.settings import PictureSettings


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "Doe_Jane.png"
    rows = np.linspace(0, 65535, 600)[:, None] * np.ones((1, 300))
    Image.fromarray(rows.astype(np.uint16)).save(path)
    return str(path)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("edge", "size"), [(256, (128, 256)), (400, (200, 400)), (2048, (300, 600))]
)
def test_a_picture_fits_keeps_its_proportions_and_is_not_enlarged(film, edge, size):
    picture = opened(render(film, edge))

    assert (picture.format, picture.mode, picture.size) == ("JPEG", "L", size)


def test_all_pixels_are_those_of_the_radiograph(film):
    picture = opened(render(film, 0))

    assert picture.format == "PNG"
    assert np.array_equal(np.asarray(picture), open_image(film).decode().pixels)


def test_the_window_is_from_minimum_to_maximum(film):
    pixels = np.asarray(opened(render(film, 400)))

    assert (pixels.min(), pixels.max()) == (0, 255)


def test_a_file_that_gives_no_picture_says_why_and_not_where_it_lies(tmp_path):
    with pytest.raises(CannotOpen):
        render(str(tmp_path / "Doe_Jane.dcm"), 256)

    said = answer(str(tmp_path / "Doe_Jane.dcm"), 256)

    assert said.startswith(FAILURE + b"cannot_open: ")
    assert b"Doe" not in said and str(tmp_path).encode() not in said


def test_a_picture_holds_nothing_but_pixels(film):
    """No comment, no camera's notes, no profile in which a name could travel."""
    markers = answer(film, 256)[1:]

    assert answer(film, 256).startswith(PICTURE)
    assert not {"exif", "icc_profile", "comment"} & set(opened(markers).info)


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


def test_a_process_that_dies_costs_its_picture_and_no_other(pool, film):
    pool.ask(film, 256).done.result(60)
    worker = pool._threads[0]._worker
    os.kill(worker._process.pid, signal.SIGSTOP)
    hung = pool.ask(film, 300)
    while not hung.is_begun:
        time.sleep(0.01)
    os.kill(worker._process.pid, signal.SIGKILL)

    with pytest.raises(NoPicture, match="died"):
        hung.done.result(60)
    assert opened(pool.ask(film, 256).done.result(60)).size == (128, 256)


def test_a_process_that_does_not_start_fails_the_picture_and_is_logged(
    make_pool, film, tmp_path, monkeypatch, caplog
):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no libraries >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    with pytest.raises(NoPicture, match="decoder_crash"):
        make_pool().ask(film, 256).done.result(60)

    assert "no libraries" in caplog.text and film not in caplog.text


@pytest.mark.slow
def test_a_process_that_hangs_is_given_up(make_pool, film):
    pool = make_pool(picture_seconds=3)
    pool.ask(film, 256).done.result(60)
    os.kill(pool._threads[0]._worker._process.pid, signal.SIGSTOP)

    with pytest.raises(NoPicture, match="too long"):
        pool.ask(film, 256).done.result(60)
    assert pool.ask(film, 256).done.result(60)


def test_what_somebody_waits_for_goes_first(pool, film):
    pool.ask(film, 256).done.result(60)
    order: list[str] = []
    os.kill(pool._threads[0]._worker._process.pid, signal.SIGSTOP)
    first = pool.ask(film, 100)
    while not first.is_begun:
        time.sleep(0.01)
    for name, priority in (("ahead", AHEAD), ("hurried", AHEAD), ("wanted", 0)):
        job = pool.ask(film, 256, priority)
        job.done.add_done_callback(lambda _, name=name: order.append(name))
        if name == "hurried":
            pool.hurry(job)
    os.kill(pool._threads[0]._worker._process.pid, signal.SIGCONT)
    while len(order) < 3:
        time.sleep(0.01)

    assert order == ["hurried", "wanted", "ahead"]


def test_nobody_waits_for_ever_for_a_server_that_closes(pool, film):
    jobs = [pool.ask(film, 256) for _ in range(5)]
    pool.close()

    for job in jobs:
        assert job.done.done()
    with pytest.raises(NoPicture):
        pool.ask(film, 256)


@pytest.fixture
def pictures(film):
    made = Pictures(PictureSettings(picture_workers=1, cache_bytes=100_000))
    yield made
    made.close()


def test_those_who_ask_for_the_same_at_once_wait_for_the_same(pictures, film):
    asked = [pictures.get(film, 256) for _ in range(5)]

    assert len({id(one) for one in asked}) == 1
    assert pictures.get(film, 400) is not asked[0]


def test_a_picture_is_made_once(pictures, film):
    first = pictures.get(film, 256).result(60)
    Path(film).unlink()

    assert pictures.get(film, 256).result(60) is first


def test_the_memory_is_bounded_and_what_was_looked_at_last_stays(pictures, film):
    sizes = list(range(257, 321))
    for edge in sizes:
        pictures.get(film, edge).result(60)
        pictures.get(film, 257).result(60)
    kept = {edge for _, edge, _ in pictures._kept}

    assert sum(map(len, pictures._kept.values())) == pictures._bytes <= 100_000
    assert {257, 320} <= kept and 258 not in kept


def test_a_failure_is_not_kept(pictures, tmp_path, film):
    late = tmp_path / "late.png"
    with pytest.raises(NoPicture):
        pictures.get(str(late), 256).result(60)
    late.write_bytes(Path(film).read_bytes())

    assert pictures.get(str(late), 256).result(60)


def test_what_comes_next_is_made_ahead(pictures, film):
    pictures.make_ahead([film], 256)
    deadline = time.monotonic() + 60
    while (film, 256, "minmax") not in pictures._kept and time.monotonic() < deadline:
        time.sleep(0.01)

    assert pictures.get(film, 256).done()


@pytest.fixture
def wide_film(tmp_path):
    """A chest in a fifth of 16 bits, a saturated letter and a dead pixel."""
    rng = np.random.default_rng(0)
    values = rng.integers(20_000, 33_000, (600, 500)).astype(np.uint16)
    values[:10, :10], values[-1, -1] = 65535, 0
    path = tmp_path / "wide.png"
    Image.fromarray(values).save(path)
    return str(path)


@pytest.mark.parametrize("edge", [0, 256, 1024])
def test_a_saturated_letter_leaves_the_rest_its_grey_levels_in_the_auto_window(wide_film, edge):
    plain, auto = (
        np.asarray(opened(render(wide_film, edge, window))) for window in ("minmax", "auto")
    )

    spread = {name: np.ptp(np.percentile(shown[20:, 20:], (2, 98))) for name, shown in
              (("plain", plain), ("auto", auto))}  # fmt: skip
    assert spread["auto"] > 4.5 * spread["plain"]


def test_there_are_levels_and_not_only_contrast(wide_film):
    """Of the same values a browser could only stretch 51 levels that are there."""
    shown = (np.asarray(opened(render(wide_film, 0, window))) for window in ("minmax", "auto"))

    assert [len(np.unique(pixels[20:-1, 20:])) for pixels in shown] == [52, 256]


def test_the_auto_window_is_that_of_the_full_depth(wide_film):
    values = np.asarray(Image.open(wide_film)).astype(float)
    low, high = np.percentile(values, (0.5, 99.5), method="nearest")
    expected = np.floor(np.clip((values - low) / (high - low), 0, 1) * 255)

    assert np.array_equal(np.asarray(opened(render(wide_film, 0, "auto"))), expected)


def test_what_the_model_sees_is_not_windowed_by_percentiles(wide_film):
    before = open_image(wide_film).decode().pixels
    render(wide_film, 0, "auto")

    assert np.array_equal(open_image(wide_film).decode().pixels, before)


def test_a_picture_that_is_asked_for_by_many_threads_is_made_once(pictures, film):
    asked: list[object] = []
    threads = [
        threading.Thread(target=lambda: asked.append(pictures.get(film, 256).result(60)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(one) for one in asked}) == 1
