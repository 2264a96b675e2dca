"""The graph in 8 bits: what of it is, what is not, and that it says about the same."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from cxrview.classify.backend import OnnxRuntime
from cxrview.image import find_images, read_radiograph, squash
from cxrview.phantom.archive import draw_archive
from cxrview.stats import log_odds
from cxrview.train.quantise import quantise

pytestmark = pytest.mark.slow
SHIPPED = Path(str(files("cxrview.classify") / "weights" / "googlenet")) / "model.onnx"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Squashed phantoms, upright and inverted."""
    out = tmp_path_factory.mktemp("drawn") / "archive"
    draw_archive(out, patients=6, size=(256, 210), seed=3, damages=[], strangers=False)
    pixels = [squash(read_radiograph(path).pixels) for path in sorted(find_images([str(out)]))]
    return np.stack([*pixels, *(255 - one for one in pixels)])


@pytest.fixture(scope="module")
def weights(drawn):
    return quantise(SHIPPED.read_bytes(), drawn)


def optimised(weights: bytes, tmp_path: Path) -> onnx.ModelProto:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    return onnx.load(tmp_path / "optimised.onnx")


def test_it_has_the_inputs_and_outputs_of_what_it_was_made_of(weights):
    def ends(network: bytes) -> tuple[list[str], list[str]]:
        graph = onnx.load_from_string(network).graph
        return [str(one) for one in graph.input], [str(one) for one in graph.output]

    assert ends(weights) == ends(SHIPPED.read_bytes())
    assert len(weights) < len(SHIPPED.read_bytes()) * 0.6


def test_it_says_about_what_it_was_made_of_says(weights, drawn):
    old, new = OnnxRuntime(SHIPPED.read_bytes(), threads=1), OnnxRuntime(weights, threads=1)

    said, new_said = old.run(drawn[:16]), new.run(drawn[:16])

    assert abs(log_odds(said.pfi) - log_odds(new_said.pfi)).max() < 1
    assert not np.array_equal(said.pfi, new_said.pfi)


def test_the_same_pictures_give_the_same_bits(weights, drawn):
    assert quantise(SHIPPED.read_bytes(), drawn) == weights


def test_no_layer_is_left_in_float_but_those_that_are_meant_to_be(weights, tmp_path):
    nodes = optimised(weights, tmp_path).graph.node
    kinds = [node.op_type for node in nodes]

    # The first convolution and the sums of the first normalisation; the first pooling.
    assert kinds.count("Conv") == 2
    assert kinds.count("MaxPool") == 1
    assert kinds.count("QLinearConv") == 57
    assert kinds.count("QLinearConcat") == 9
    assert not {"LRN", "Pow", "Relu", "Concat"} & set(kinds)
