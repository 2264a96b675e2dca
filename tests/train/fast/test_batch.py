import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from cxrview.errors import UsageError
from cxrview.records.answers import Answers
from cxrview.terms import Partition, Projection, View
from cxrview.train.fast.batch import UNKNOWN_TURN, Sampling, sample_batches
from cxrview.train.fast.labels import PictureLabel
from cxrview.train.fast.pictures import Pictures
from fixtures.fast_pictures import TINY, patients


@pytest.mark.slow
def test_a_signal_while_the_workers_start_leaves_them(pictures_folder):
    batches = sample_batches(pictures_folder, replace(TINY, steps=1), seed=0, workers=1)
    signalled = []

    def interrupt() -> None:
        while not (started := multiprocessing.active_children()):
            time.sleep(0.001)
        os.kill(started[0].pid, signal.SIGINT)
        signalled.append(signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()

    assert len(next(batches).pixels) == TINY.batch
    assert signalled


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_all_processes_leaves_those_that_make_batches(name):
    """The training itself ends them, after its step is complete and a checkpoint is saved."""
    code = (
        "import os, signal; from cxrview.train.fast.batch import _begin_worker; _begin_worker(0);"
        f"os.kill(os.getpid(), signal.{name}); print('goes on')"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout == "goes on\n", done.stderr


def sampled_rows(sampling, steps=60):
    """How often each picture is sampled for the view and for the projection."""
    viewed, projected = Counter(), Counter()
    for step in range(steps):
        batch = sampling.sample(0, step)
        first = sampling.recipe.radiographs
        levels_seen = [int(one[112, 112]) for one in batch.pixels]
        viewed.update(levels_seen[:first])
        projected.update(levels_seen[first : first + sampling.recipe.projections])
    return viewed, projected


@pytest.fixture(scope="module")
def numbered():
    """Pictures whose grey level is their row: one (AP, PA, lateral), two (AP only), held out."""
    trained, held = patients(8), patients(2, Partition.TEST)
    kinds = [("one", View.FRONTAL, Projection.AP)] * 3 + [("one", View.FRONTAL, Projection.PA)]
    kinds += [("two", View.FRONTAL, Projection.AP), ("one", View.LATERAL, None)]
    kinds += [("other", None, None), ("photographs", None, None)]
    kinds += [("one", View.FRONTAL, Projection.AP), ("one", View.LATERAL, None)]
    labels = tuple(
        PictureLabel(
            file=f"{k}.png", source=source, patient=patient, view=view, projection=projection
        )
        for k, (patient, (source, view, projection)) in enumerate(
            zip(trained + held, kinds, strict=True)
        )
    )
    levels = np.arange(len(labels), dtype=np.uint8)
    return Pictures(
        labels=labels,
        pixels=np.tile(levels[:, None, None], (1, 256, 256)),
        teacher=Answers(pfi=np.full(10, 75.0), chest=np.full(10, 50.0)),
    )


UNCHANGED = replace(
    TINY, drawn=0, mirrored=0.5, turned=0.5, inverted=0, corner_words=0, hidden_edges=0, chances={}
)


def test_sample_takes_training_patients_only(numbered):
    viewed, projected = sampled_rows(Sampling.of(numbered, UNCHANGED))

    assert set(viewed) == {0, 1, 2, 3, 4, 5}
    assert set(projected) <= {0, 1, 2, 3}


def test_sample_balances_ap_and_pa_in_sources_with_both(numbered):
    _, projected = sampled_rows(Sampling.of(numbered, UNCHANGED))

    assert sum(projected[row] for row in (0, 1, 2)) == projected[3] == 60
    assert projected[4] == 0


def test_sample_takes_nothing_of_a_source_left_out(numbered):
    recipe = replace(UNCHANGED, without=("two",))

    viewed, _ = sampled_rows(Sampling.of(numbered, recipe))

    assert 4 not in viewed


def test_sample_gives_nan_where_the_answer_is_unknown(numbered):
    batch = Sampling.of(numbered, UNCHANGED).sample(0, 0)
    is_chest = np.arange(len(batch.pixels)) < UNCHANGED.radiographs + UNCHANGED.projections

    assert (np.isnan(batch.frontal) == ~is_chest).all()
    assert (np.isnan(batch.inverted) == ~is_chest).all()
    # A lateral is labelled neither: both directions are in use.
    assert (np.isnan(batch.mirrored) == ~(batch.frontal > 0.5)).all()
    assert ((batch.turn == UNKNOWN_TURN) == ~is_chest).all()
    assert not np.isnan(batch.chest).any()
    expected = is_chest & (np.arange(len(is_chest)) >= UNCHANGED.radiographs)
    assert (~np.isnan(batch.projection_ap) == expected).all()


def test_sample_mixes_label_and_teacher_and_smooths(numbered):
    recipe = replace(UNCHANGED, drawn=1, teacher_share=0.4, label_smoothing=0.1)

    batch = Sampling.of(numbered, recipe).sample(0, 0)

    frontals = batch.frontal[recipe.radiographs : recipe.radiographs + recipe.projections]
    assert frontals == pytest.approx((0.6 + 0.4 * 0.75) * 0.9 + 0.05)
    assert batch.chest[0] == pytest.approx((0.6 + 0.4 * 0.5) * 0.9 + 0.05)
    photograph, drawn = batch.chest[-2:]
    assert photograph == pytest.approx(0.4 * 0.5 * 0.9 + 0.05)
    assert drawn == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("without", "missing"),
    [(("one",), "lateral"), (("other",), "not-chest"), (("photographs",), "photograph")],
)
def test_sampling_refuses_missing_pictures(numbered, without, missing):
    with pytest.raises(UsageError, match=missing):
        Sampling.of(numbered, replace(UNCHANGED, without=without))


def test_sampling_refuses_projections_without_a_source_of_both(numbered):
    labels = tuple(replace(label, projection=None) for label in numbered.labels)

    with pytest.raises(UsageError, match="AP and PA"):
        Sampling.of(replace(numbered, labels=labels), UNCHANGED)


@pytest.mark.slow
def test_sample_batches_are_the_same_with_workers_and_from_a_later_step(pictures_folder):
    alone = list(sample_batches(pictures_folder, TINY, seed=1))
    resumed = list(sample_batches(pictures_folder, TINY, seed=1, first=2, workers=1))

    assert (len(alone), len(resumed)) == (4, 2)
    for one, other in zip(alone[2:], resumed, strict=True):
        for name in ("pixels", "frontal", "chest", "turn", "mirrored", "inverted", "projection_ap"):
            assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
