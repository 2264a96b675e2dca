import numpy as np
import onnx
import pytest
import torch

from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.devices import is_exact_at_int8
from cxrview.train.fast.change import to_model_side
from cxrview.train.fast.export import to_int8, to_onnx
from cxrview.train.fast.loop import as_input
from cxrview.train.fast.model import GREY_SCALE
from fixtures.fast_models import PICTURES, random_model, shown_to_torch


@pytest.fixture(scope="module")
def model():
    return random_model(0.1)


def test_to_model_side_resizes_as_the_graph_up_to_rounding():
    rounded = as_input(np.stack([to_model_side(one) for one in PICTURES]))

    assert (rounded - shown_to_torch()).abs().max() < 1 / GREY_SCALE


def test_to_onnx_answers_as_the_torch_model(model):
    with torch.inference_mode():
        logits = model(shown_to_torch())

    answers = OnnxRuntime(to_onnx(model)).run(PICTURES)

    expected = {
        "turns": torch.softmax(logits.turn, dim=1),
        "mirrored": torch.sigmoid(logits.mirrored),
        "inverted": torch.sigmoid(logits.inverted),
        "projection_ap": torch.sigmoid(logits.projection_ap),
    }
    assert answers.pfi == pytest.approx(100 * torch.sigmoid(logits.frontal).numpy(), abs=0.01)
    assert answers.chest == pytest.approx(100 * torch.sigmoid(logits.chest).numpy(), abs=0.01)
    for name, probability in expected.items():
        assert getattr(answers.pose, name) == pytest.approx(100 * probability.numpy(), abs=0.01)
    assert np.ptp(answers.pfi) > 1


def test_to_onnx_divides_the_logit_of_frontal_by_the_temperature(model):
    plain = OnnxRuntime(to_onnx(model)).run(PICTURES)
    cooled = OnnxRuntime(to_onnx(model, temperature=2.0)).run(PICTURES)

    def logit(percent):
        return np.log(percent / (100 - percent))

    assert logit(cooled.pfi) == pytest.approx(logit(plain.pfi) / 2, abs=1e-3)
    assert cooled.chest == pytest.approx(plain.chest)


def test_to_onnx_has_no_batch_normalisation(model):
    kinds = {node.op_type for node in onnx.load_from_string(to_onnx(model)).graph.node}

    assert "BatchNormalization" not in kinds
    assert "Conv" in kinds


def test_run_does_not_depend_on_what_shares_a_batch(model):
    runtime = OnnxRuntime(to_onnx(model))
    together = runtime.run(PICTURES)

    for number, picture in enumerate(PICTURES):
        alone = runtime.run(picture[None])
        assert (alone.pfi[0], alone.chest[0]) == (together.pfi[number], together.chest[number])
        assert (alone.pose.turns[0] == together.pose.turns[number]).all()


@pytest.mark.vnni
@pytest.mark.skipif(not is_exact_at_int8(), reason="this processor computes int8 wrongly")
def test_to_int8_answers_almost_as_float32(model):
    weights = to_onnx(model)
    int8 = to_int8(weights, PICTURES)

    plain, quantised = OnnxRuntime(weights).run(PICTURES), OnnxRuntime(int8).run(PICTURES)

    assert quantised.pfi == pytest.approx(plain.pfi, abs=8)
    assert quantised.pose.turns == pytest.approx(plain.pose.turns, abs=8)
    assert (quantised.pfi != plain.pfi).any()
