"""Training on drawn bars: that it resumes to the bit and exports what it learnt."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cxrview.classify.model import OnnxRuntime
from cxrview.errors import InvalidModel
from cxrview.records import Label
from cxrview.stats import log_odds
from cxrview.terms import Partition, View
from cxrview.train.augment import CHANGES, vary
from cxrview.train.batch import LabelledPixels, Lesson, balance, centre_crop, draw_batch
from cxrview.train.batch_workers import draw_batches
from cxrview.train.export import to_onnx
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loop import as_input, fine_tune, predict_pfi
from cxrview.train.not_chest import DRAWN
from cxrview.train.recipes import RECIPES, WORLD

BRIEF = dataclasses.replace(WORLD, steps=3, batch=4, not_chest=0.25, drawn=0.25)


def label(number: int, view: View, source: str = "drawn") -> Label:
    return Label(
        file=f"{number}.png",
        source=source,
        patient=f"p{number}",
        view=view,
        partition=Partition.TRAINING,
    )


@pytest.fixture(scope="module")
def bars() -> Lesson:
    """Upright bars are frontal, lying ones lateral; noise is no chest."""
    rng = np.random.default_rng(0)
    upright = [np.tile(rng.integers(0, 256, 256, np.uint8), (256, 1)) for _ in range(8)]
    pixels = np.stack([p if k % 2 else p.T for k, p in enumerate(upright)])
    views = [View.FRONTAL if k % 2 else View.LATERAL for k in range(8)]
    return Lesson(
        radiographs=LabelledPixels(labels=tuple(map(label, range(8), views)), pixels=pixels),
        not_chest=rng.integers(0, 256, (3, 256, 256), np.uint8),
        photographs=rng.integers(0, 256, (2, 256, 256), np.uint8),
    )


def trained(bars, checkpoint, recipe=BRIEF, seed=0) -> GoogLeNet:
    torch.manual_seed(seed)
    network = GoogLeNet(2, auxiliary=False, chest=recipe.has_chest)
    fine_tune(network, bars, recipe, seed=seed, checkpoint=checkpoint)
    return network


@pytest.mark.slow
def test_a_resumed_training_ends_at_the_same_bits(bars, tmp_path, monkeypatch):
    monkeypatch.setattr("cxrview.train.loop.CHECKPOINT_SECONDS", 0)
    whole = trained(bars, tmp_path / "whole.safetensors")

    def stop(step: int, _loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    torch.manual_seed(0)
    stopped = GoogLeNet(2, auxiliary=False, chest=True)
    path = tmp_path / "stopped.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fine_tune(stopped, bars, BRIEF, seed=0, checkpoint=path, report=stop)
    resumed = trained(bars, path)

    for key, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[key]), key


def test_a_checkpoint_of_another_recipe_is_refused(bars, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    trained(bars, path, dataclasses.replace(BRIEF, steps=1))

    with pytest.raises(InvalidModel, match="another recipe or seed"):
        trained(bars, path)


def test_a_batch_depends_on_seed_and_step_alone(bars):
    first, again, other = (draw_batch(bars, BRIEF, seed=1, step=step) for step in (5, 5, 6))

    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_drawn_in_order_whoever_draws_them(bars, workers):
    drawn = list(draw_batches(bars, BRIEF, seed=1, first=1, workers=workers))

    wanted = [draw_batch(bars, BRIEF, seed=1, step=step) for step in (1, 2)]
    assert len(drawn) == 2
    for one, other in zip(drawn, wanted, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert np.array_equal(one.is_frontal, other.is_frontal)
        assert np.array_equal(one.is_chest, other.is_chest)


def test_a_batch_holds_chests_first_and_both_kinds_of_others_in_their_share(bars):
    recipe = dataclasses.replace(BRIEF, batch=400)

    batch = draw_batch(bars, recipe, seed=0, step=0)

    chests = len(batch.is_frontal)
    assert (batch.pixels.shape, batch.pixels.dtype) == ((400, 224, 224), np.uint8)
    assert batch.is_chest.tolist() == [True] * chests + [False] * (400 - chests)
    assert 160 < chests < 240  # half of 400, within four standard deviations


def test_a_recipe_that_needs_others_says_so_where_there_are_none(bars):
    without = dataclasses.replace(bars, not_chest=np.empty((0, 256, 256), np.uint8))

    with pytest.raises(ValueError, match="needs pictures that are no chest"):
        draw_batch(without, BRIEF, seed=0, step=0)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(View)), min_size=1, max_size=60),
    st.floats(0, 1),
)
def test_a_kind_is_drawn_by_its_number_to_a_power(kinds, power):
    labels = [label(k, view, source) for k, (source, view) in enumerate(kinds)]

    weights = balance(labels, power)

    counts = {kind: kinds.count(kind) for kind in kinds}
    total = sum(n**power for n in counts.values())
    for kind, n in counts.items():
        share = sum(w for w, of in zip(weights, kinds, strict=True) if of == kind)
        assert share == pytest.approx(n**power / total)


def test_the_order_of_images_does_not_tell_how_often_they_are_drawn():
    alike = balance([label(k, View.FRONTAL) for k in range(9)], 0.5)

    assert np.allclose(alike, 1 / 9)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_of_appearance_keeps_shape_and_type_and_changes_something(bars, change):
    pixels = bars.radiographs.pixels[1]

    changed = change(pixels, np.random.default_rng(3))

    assert (changed.shape, changed.dtype) == (pixels.shape, np.uint8)
    assert not np.array_equal(changed, pixels) or change.__name__ == "upside_down"


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("shade", [0, 255])
def test_every_change_stands_a_picture_of_one_shade(change, shade):
    for seed in range(40):
        changed = change(np.full((256, 256), shade, np.uint8), np.random.default_rng(seed))
        assert (changed.shape, changed.dtype) == ((256, 256), np.uint8)


@pytest.mark.parametrize("draw", dict.fromkeys(DRAWN), ids=lambda draw: draw.__name__)
def test_what_is_drawn_as_no_chest_is_a_picture_and_repeatable(draw):
    for seed in range(20):
        picture = draw(np.random.default_rng(seed))
        assert (picture.shape, picture.dtype) == ((256, 256), np.uint8)
        assert np.array_equal(picture, draw(np.random.default_rng(seed)))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_names_changes_that_there_are(recipe):
    assert set(recipe.chances) <= set(CHANGES)
    assert all(0 < chance <= 1 for chance in recipe.chances.values())


def test_the_same_seed_gives_the_same_appearance(bars):
    pixels = bars.radiographs.pixels[0]
    one, two = (vary(pixels, WORLD.chances, np.random.default_rng(7)) for _ in range(2))

    assert np.array_equal(one, two)


@pytest.mark.slow
def test_the_exported_network_says_what_the_trained_one_says(bars, tmp_path):
    """Stored as float16, so to a twentieth of a percent of PFI, and one channel for three."""
    network = trained(bars, tmp_path / "checkpoint.safetensors")

    weights = to_onnx(network)

    pixels = bars.radiographs.pixels
    answers = OnnxRuntime(weights).run(pixels)
    assert np.abs(answers.pfi - predict_pfi(network, pixels)).max() < 0.05
    with torch.inference_mode():
        chest = network(as_input(centre_crop(pixels))).chest.sigmoid().numpy()
    assert np.abs(answers.chest - 100 * chest).max() < 0.05
    assert len(weights) < 13_000_000


@pytest.mark.slow
def test_a_temperature_divides_the_logit_of_frontal_and_of_nothing_else(bars, tmp_path):
    network = trained(bars, tmp_path / "checkpoint.safetensors")
    pixels = bars.radiographs.pixels

    plain, cooled = (OnnxRuntime(to_onnx(network, temperature=t)).run(pixels) for t in (8.0, 16.0))

    assert np.allclose(log_odds(cooled.pfi), log_odds(plain.pfi) / 2, atol=0.01)
    assert np.allclose(cooled.chest, plain.chest)
