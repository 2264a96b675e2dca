"""Training on drawn bars: that it learns, resumes to the bit, exports what it learnt."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from cxrview.classify.runtime import OnnxRuntime
from cxrview.errors import ModelRefused
from cxrview.records import Label
from cxrview.terms import Partition, View
from cxrview.train.appearance import CHANGES, vary
from cxrview.train.card import Scored, count_errors, widest_review_band, write_card
from cxrview.train.export import PRECISION, to_onnx
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loader import LabelledPixels, draw_batch
from cxrview.train.loop import fine_tune, predict_pfi
from cxrview.train.recipes import WIDE

BRIEF = dataclasses.replace(WIDE, steps=3, batch=2)


def label(number: int, view: View, source: str = "drawn") -> Label:
    return Label(
        file=f"{number}.png",
        source=source,
        patient=f"p{number}",
        view=view,
        partition=Partition.TRAINING,
    )


@pytest.fixture(scope="module")
def bars() -> LabelledPixels:
    """Upright bars are frontal, lying ones lateral."""
    rng = np.random.default_rng(0)
    upright = [np.tile(rng.integers(0, 256, 256, np.uint8), (256, 1)) for _ in range(8)]
    pixels = np.stack([p if k % 2 else p.T for k, p in enumerate(upright)])
    views = [View.FRONTAL if k % 2 else View.LATERAL for k in range(8)]
    return LabelledPixels(labels=tuple(map(label, range(8), views)), pixels=pixels)


def trained(bars, checkpoint, recipe=BRIEF, seed=0) -> GoogLeNet:
    torch.manual_seed(seed)
    network = GoogLeNet(2, auxiliary=False)
    fine_tune(network, bars, recipe, seed=seed, checkpoint=checkpoint)
    return network


def band_of(one):
    return widest_review_band(one.pfi, one.sources, 50.0)


def test_a_resumed_training_ends_at_the_same_bits(bars, tmp_path, monkeypatch):
    monkeypatch.setattr("cxrview.train.loop.CHECKPOINT_EVERY", 1)
    whole = trained(bars, tmp_path / "whole.safetensors")

    def stop(step: int, _loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    torch.manual_seed(0)
    stopped = GoogLeNet(2, auxiliary=False)
    path = tmp_path / "stopped.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fine_tune(stopped, bars, BRIEF, seed=0, checkpoint=path, report=stop)
    resumed = trained(bars, path)

    for key, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[key]), key


def test_a_checkpoint_of_another_recipe_is_refused(bars, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    trained(bars, path, dataclasses.replace(BRIEF, steps=1))

    with pytest.raises(ModelRefused, match="another recipe or seed"):
        trained(bars, path)


def test_a_batch_depends_on_seed_and_step_alone(bars):
    first, again, other = (draw_batch(bars, BRIEF, seed=1, step=step) for step in (5, 5, 6))

    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("change", [change for _, change in CHANGES], ids=lambda c: c.__name__)
def test_every_change_of_appearance_keeps_shape_and_type_and_changes_something(bars, change):
    pixels = bars.pixels[1]

    changed = change(pixels, np.random.default_rng(3))

    assert (changed.shape, changed.dtype) == (pixels.shape, np.uint8)
    assert not np.array_equal(changed, pixels) or change.__name__ == "upside_down"


def test_the_same_seed_gives_the_same_appearance(bars):
    one, two = (vary(bars.pixels[0], np.random.default_rng(7)) for _ in range(2))

    assert np.array_equal(one, two)


def test_the_exported_network_says_what_the_trained_one_says(bars, tmp_path):
    """Stored as float16, so to a twentieth of a percent of PFI, and one channel for three."""
    network = trained(bars, tmp_path / "checkpoint.safetensors")

    weights = to_onnx(network)

    difference = np.abs(OnnxRuntime(weights).run(bars.pixels) - predict_pfi(network, bars.pixels))
    assert difference.max() < 0.05
    assert len(weights) < 13_000_000


def scored(pfi: list[float], views: list[View]) -> Scored:
    return Scored(labels=tuple(map(label, range(len(pfi)), views)), pfi=np.array(pfi))


def test_the_review_band_leaves_99_percent_of_every_source_decided():
    pfi = [0.1] * 150 + [99.9] * 149 + [30.0]
    views = [View.LATERAL] * 150 + [View.FRONTAL] * 150

    low, high = band_of(scored(pfi, views))

    assert (low, high) == (5.0, 95.0)  # one image of 300 may lie within


def test_the_review_band_narrows_where_too_many_images_would_lie_within():
    pfi = [0.1] * 100 + [99.9] * 96 + [10.0, 20.0, 60.0, 90.0]
    views = [View.LATERAL] * 100 + [View.FRONTAL] * 100

    low, high = band_of(scored(pfi, views))

    within = [p for p in pfi if low <= p <= high]
    assert len(within) <= 2
    assert low < 50 < high


def test_errors_are_counted_by_source_and_view_with_band_off_and_on():
    views = [View.FRONTAL, View.FRONTAL, View.LATERAL]

    frontal, lateral = count_errors(scored([99, 40, 3], views), 50.0, (30.0, 70.0))

    assert (frontal["images"], frontal["errors"]) == (2, 1)
    assert (frontal["decided"], frontal["errors_decided"]) == (1, 0)
    assert (lateral["images"], lateral["errors"]) == (1, 0)


def test_the_cutoff_is_the_middle_and_the_papers_the_higher_end():
    part = scored([3.0, 14.2, 99.6, 100.0], [View.LATERAL] * 2 + [View.FRONTAL] * 2)

    card = write_card(
        b"weights",
        BRIEF,
        seed=0,
        precision=PRECISION,
        input_side=256,
        labels_sha256="0" * 64,
        training=part.labels,
        validation=part,
        test=part,
        about={},
    )

    assert (card.cutoff, card.paper_cutoff) == (56.95, 99.6)


def test_a_model_is_trained_from_a_labels_file_in_one_command(tmp_path, monkeypatch, shared_data):
    from typer.testing import CliRunner

    from cxrview.cli.main import app
    from cxrview.train import recipes

    monkeypatch.setitem(recipes.RECIPES, "brief", dataclasses.replace(BRIEF, name="brief"))
    rng = np.random.default_rng(0)
    rows = ["file,source,patient,view"]
    for number in range(40):
        grey = rng.integers(0, 256, (64, 64), np.uint8)
        Image.fromarray(grey).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,drawn,p{number},{'frontal' if number % 2 else 'lateral'}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))

    result = CliRunner().invoke(
        app,
        [
            *("finetune", str(tmp_path / "labels.csv"), "--recipe", "brief"),
            *("--published", str(shared_data / "pretraining" / "bvlc-googlenet.npz")),
            *("--out", str(tmp_path / "model")),
        ],
    )

    assert result.exit_code == 0, result.output
    assert "test       drawn     frontal" in result.output
    assert (tmp_path / "model" / "card.json").exists()
