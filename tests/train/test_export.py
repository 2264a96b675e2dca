import numpy as np
import pytest
import torch

from cxrview.classify.backend import OnnxRuntime
from cxrview.stats import log_odds
from cxrview.train.batch import centre_crop
from cxrview.train.export import to_onnx
from cxrview.train.loop import as_input, predict_pfi
from fixtures.bars import trained


@pytest.mark.slow
def test_to_onnx_predicts_like_trained_model(bars, tmp_path):
    """Stored as float16, so to a twentieth of a percent of PFI, and one channel for three."""
    model = trained(bars, tmp_path / "checkpoint.safetensors")

    weights = to_onnx(model)

    pixels = bars.radiographs.pixels
    answers = OnnxRuntime(weights).run(pixels)
    assert np.abs(answers.pfi - predict_pfi(model, pixels)).max() < 0.05
    with torch.inference_mode():
        chest = model(as_input(centre_crop(pixels))).chest.sigmoid().numpy()
    assert np.abs(answers.chest - 100 * chest).max() < 0.05
    assert len(weights) < 13_000_000


@pytest.mark.slow
def test_to_onnx_divides_only_logit_of_frontal_by_temperature(bars, tmp_path):
    model = trained(bars, tmp_path / "checkpoint.safetensors")
    pixels = bars.radiographs.pixels

    plain, cooled = (OnnxRuntime(to_onnx(model, temperature=t)).run(pixels) for t in (8.0, 16.0))

    assert np.allclose(log_odds(cooled.pfi), log_odds(plain.pfi) / 2, atol=0.01)
    assert np.allclose(cooled.chest, plain.chest)
