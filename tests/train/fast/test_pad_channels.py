"""Padded channels change no answer, and every convolution is still computed in 8 bits."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest

from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.devices import is_exact_at_int8
from cxrview.classify.model import model_folder
from cxrview.train.fast import export
from cxrview.train.fast.export import to_int8, to_onnx
from cxrview.train.fast.pad_channels import CHANNELS_TOGETHER, pad_channels
from fixtures.fast_models import PICTURES, random_model


@pytest.fixture(scope="module")
def plain() -> bytes:
    """An int8 model of random weights as ONNX Runtime quantises it, of 4 to 152 channels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "pad_channels", lambda weights: weights)
        return to_int8(to_onnx(random_model(0.15)), PICTURES)


def outputs_of(weights: bytes) -> list[int]:
    """Channels that each convolution gives."""
    model = onnx.load_from_string(weights)
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {one.name: one.type.tensor_type.shape.dim for one in graph.value_info}
    return [shapes[node.output[0]][1].dim_value for node in graph.node if node.op_type == "Conv"]


def test_channels_are_multiples_except_the_last(plain):
    before, after = outputs_of(plain), outputs_of(pad_channels(plain))

    assert before[0] % CHANNELS_TOGETHER and before[-1] % CHANNELS_TOGETHER
    assert after == [*(-(-count // 16) * 16 for count in before[:-1]), before[-1]]


@pytest.mark.vnni
@pytest.mark.skipif(not is_exact_at_int8(), reason="this processor computes int8 wrongly")
def test_answers_are_the_same_to_the_last_bit(plain):
    expected, answers = (OnnxRuntime(one).run(PICTURES) for one in (plain, pad_channels(plain)))

    assert np.array_equal(answers.pfi, expected.pfi)
    assert np.array_equal(answers.chest, expected.chest)
    assert np.array_equal(answers.pose.turns, expected.pose.turns)
    assert np.ptp(expected.pfi) > 0


def test_padding_again_changes_nothing(plain):
    once = pad_channels(plain)

    assert pad_channels(once) == once


def test_every_convolution_but_the_first_is_computed_in_8_bits(plain, tmp_path):
    """A scale that the runtime does not expect costs nothing but time."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(pad_channels(plain), options, providers=["CPUExecutionProvider"])

    kinds = Counter(node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node)
    assert kinds["QLinearConv"] == 26
    assert kinds["Conv"] == 1


def test_the_model_of_the_package_is_padded():
    weights = (model_folder("fast") / "model-int8.onnx").read_bytes()

    assert all(count % CHANNELS_TOGETHER == 0 for count in outputs_of(weights))
