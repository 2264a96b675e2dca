import random
from dataclasses import replace
from statistics import fmean
from time import sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.classify.decode_process import DecodeProcess
from cxrview.classify.estimate import FAILED, PICTURE, SKIPPED, _draw, _half_width, estimate_run
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.selection import Selection
from cxrview.image import find_images
from cxrview.phantom.archive import draw_archive
from cxrview.phantom.encode import SYNTAXES
from cxrview.sources.shard import Shard

SETTINGS = ClassifyOptions(workers=2)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Six drawn patients: explicit little endian and RLE, a hand, a report, a broken file."""
    folder = tmp_path_factory.mktemp("drawn") / "archive"
    draw_archive(folder, patients=6, size=(256, 210), syntaxes=["native", "rle"], seed=3)
    return folder


@pytest.mark.slow
def test_all_files_are_counted_by_what_they_are(drawn, model):
    estimate = estimate_run(find_images(str(drawn)), Selection(), model, SETTINGS)

    files = [path for path in drawn.rglob("*") if path.is_file()]
    by_kind = {kind.kind: kind.sampled for kind in estimate.kinds}
    assert estimate.files == estimate.sampled == len(files) == sum(by_kind.values())
    assert set(by_kind) == {SYNTAXES["native"].uid, SYNTAXES["rle"].uid, FAILED, SKIPPED}
    assert by_kind[FAILED] == 1 and by_kind[SKIPPED] == 2


def test_hours_are_for_all_files_and_each_kind_has_its_part(archive, model):
    few, all_of_them = (
        estimate_run(find_images(str(archive)), Selection(), model, SETTINGS, sample=n)
        for n in (10, 100)
    )

    for estimate in (few, all_of_them):
        assert estimate.files == 41
        assert sum(kind.files for kind in estimate.kinds) == pytest.approx(41)
        assert all(kind.seconds > 0 for kind in estimate.kinds)
    assert (few.sampled, all_of_them.sampled) == (10, 41)
    assert PICTURE in {kind.kind for kind in few.kinds}


def test_only_what_is_selected_is_counted(archive, model):
    shares = [
        estimate_run(
            find_images(str(archive)), Selection(shard=Shard(number=k, count=2)), model, SETTINGS
        ).files
        for k in (1, 2)
    ]

    assert sum(shares) == 41 and all(shares)


def test_a_file_that_is_named_again_counts_once(archive, model):
    paths = [*find_images([str(archive), str(archive / "0")]), f"{archive}/1/../0/00.png"]

    assert estimate_run(paths, Selection(), model, SETTINGS).files == 41


@pytest.mark.slow
def test_the_start_of_readers_is_not_scaled_up(archive, model, monkeypatch):
    """With a start of seconds each; as scaled up before, six readers made 100 s of it."""
    ready = DecodeProcess.is_ready
    monkeypatch.setattr(DecodeProcess, "is_ready", lambda self: sleep(1) or ready(self))

    estimate = estimate_run(
        find_images(str(archive)), Selection(), model, replace(SETTINGS, readers=6), sample=8
    )

    assert estimate.seconds < 3


def test_the_interval_is_that_of_the_textbook():
    """Cochran, Sampling Techniques: the standard error of a mean, with the finite correction."""
    assert _half_width([1.0, 2.0, 3.0], 12) == pytest.approx(
        1.96 * 1.0 / 2.0 / 3**0.5 * (9 / 11) ** 0.5
    )
    assert _half_width([1.0, 2.0, 3.0], 3) == 0.0
    assert _half_width([1.0], 3) is None


def test_nineteen_of_twenty_intervals_hold_the_truth():
    rng = random.Random(0)
    all_of_them = [rng.choice([1.0, 1.2, 4.0]) for _ in range(1500)]
    truth, hits = fmean(all_of_them), 0
    for _ in range(1000):
        drawn = rng.sample(all_of_them, 256)
        hits += abs(fmean(drawn) - truth) <= fmean(drawn) * _half_width(drawn, 1500)

    assert 930 < hits < 970


def test_an_empty_folder_takes_no_time(tmp_path, model):
    estimate = estimate_run(find_images(str(tmp_path)), Selection(), model, SETTINGS)

    assert (estimate.files, estimate.seconds, estimate.kinds) == (0, 0, ())


@given(count=st.integers(0, 60), most=st.integers(1, 20), seed=st.integers(0, 5))
def test_a_draw_is_of_different_paths_in_their_order(count, most, seed):
    paths = [f"{number:03}" for number in range(count)]

    drawn, counted = _draw(paths, most, seed)

    assert counted == count
    assert len(drawn) == min(count, most)
    assert drawn == sorted(set(drawn))


def test_every_path_is_drawn_as_often_as_any_other():
    """Of 4,000 draws of 5 from 20, each path is in 1,000, give or take 5 x 27."""
    times = dict.fromkeys(map(str, range(20)), 0)
    for seed in range(4000):
        for path in _draw(list(times), 5, seed)[0]:
            times[path] += 1

    assert all(850 < count < 1150 for count in times.values())
