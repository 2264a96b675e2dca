"""Rendered pictures are kept within a limit, and rendered once."""

import threading
import time
from pathlib import Path

import pytest

from cxrview.web.picture_cache import PictureCache
from cxrview.web.picture_pool import NoPicture
from cxrview.web.settings import PictureSettings


@pytest.fixture
def pictures(film):
    made = PictureCache(PictureSettings(picture_workers=1, cache_bytes=100_000))
    yield made
    made.close()


def test_picture_cache_lets_concurrent_requests_wait_for_one_picture(pictures, film):
    asked = [pictures.get(film, 256) for _ in range(5)]

    assert len({id(one) for one in asked}) == 1
    assert pictures.get(film, 400) is not asked[0]


def test_picture_cache_renders_a_picture_once(pictures, film):
    first = pictures.get(film, 256).result(60)
    Path(film).unlink()

    assert pictures.get(film, 256).result(60) is first


def test_picture_cache_limits_its_memory_and_keeps_the_latest(pictures, film):
    sizes = list(range(257, 321))
    for edge in sizes:
        pictures.get(film, edge).result(60)
        pictures.get(film, 257).result(60)
    kept = {edge for _, edge, _ in pictures._kept}

    assert sum(map(len, pictures._kept.values())) == pictures._bytes <= 100_000
    assert {257, 320} <= kept and 258 not in kept


def test_picture_cache_does_not_keep_a_failure(pictures, tmp_path, film):
    late = tmp_path / "late.png"
    with pytest.raises(NoPicture):
        pictures.get(str(late), 256).result(60)
    late.write_bytes(Path(film).read_bytes())

    assert pictures.get(str(late), 256).result(60)


def test_picture_cache_prefetches(pictures, film):
    pictures.prefetch([film], 256)
    deadline = time.monotonic() + 60
    while (film, 256, "minmax") not in pictures._kept and time.monotonic() < deadline:
        time.sleep(0.01)

    assert pictures.get(film, 256).done()


def test_picture_cache_renders_a_picture_once_for_many_threads(pictures, film):
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
