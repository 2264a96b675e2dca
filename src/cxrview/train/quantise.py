"""Quantises an exported model to int8, calibrated on training images.

Static quantisation in ONNX's QDQ form: weights per channel, signed; activations unsigned, since
the output of a ReLU is never below 0. Three parts stay in float32 and take little time:

- everything up to the first normalisation, whose inputs range from 0 to some 4,000 with a median
below 20;
- the roots and the division of the second one (its squares and sums are int8);
- global pooling and the two classifiers.

So the first convolution takes the pixels as they are.
"""

import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from cxrview.train.response_norm import FINE, SQUARES, expand_lrn

PRECISION = (
    "weights and activations of 8 bits; first convolution, normalisation and classifiers in float32"
)
KINDS = ("Conv", "Relu", "MaxPool", "Concat", "Mul")
"""Layers that are quantised, outside the three parts."""
BATCH = 8


def quantise(weights: bytes, pictures: NDArray[np.uint8]) -> bytes:
    """Quantise a model.

    Args:
        weights: ONNX, as `to_onnx` makes it.
        pictures: squashed, shape (n, side, side), uint8; the smallest and largest value of each
            activation over all of them become the ends of its 256 steps.

    Returns:
        ONNX with the same input and outputs.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # see `classify.model`
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    model = onnx.load_from_string(weights)
    _unpack_weights(model)
    expand_lrn(model)
    # Without it the library warns that the model should be pre-processed, which it is.
    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    in_float = _in_float(model)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.onnx"
        quantize_static(
            model,
            made,
            _Batches(model.graph.input[0].name, pictures),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=list(KINDS),
            nodes_to_exclude=in_float,
        )
        return made.read_bytes()


def _unpack_weights(model: onnx.ModelProto) -> None:
    """Replace each stored float16 and its cast by the float32 values."""
    graph = model.graph
    stored = {one.name: one for one in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in stored:
            packed = stored[node.input[0]]
            values = numpy_helper.to_array(packed).astype(np.float32)
            graph.initializer.remove(packed)
            graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _in_float(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes that stay in float32; `to_onnx` names nodes after their outputs."""
    names = [node.name for node in model.graph.node]
    kinds = [node.op_type for node in model.graph.node]
    first, *later = [name.removesuffix(f".{SQUARES}") for name in names if name.endswith(SQUARES)]
    fine = [name for y in later for name in (y, *(f"{y}.{ending}" for ending in FINE))]
    last = kinds.index("GlobalAveragePool")
    return [*names[: names.index(first) + 1], *fine, *names[last:]]


class _Batches:
    """Gives ONNX Runtime's calibration one batch of images after the other."""

    def __init__(self, name: str, pictures: NDArray[np.uint8]) -> None:
        starts = range(0, len(pictures), BATCH)
        self._left = iter([{name: pictures[k : k + BATCH]} for k in starts])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._left, None)
