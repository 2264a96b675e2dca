"""Turns an exported network into integers of 8 bits, by what training pictures do to it.

Static quantisation in ONNX's QDQ form: weights per channel, signed; activations unsigned, since
what leaves a ReLU is never below 0. Three places stay in float32, and cost no time to speak of:

- all up to the first normalisation: what goes into it reaches from 0 to some 4,000, with a median
  below 20;
- the roots and the division of the second one (its squares and sums are in 8 bits);
- pooling over the whole picture and the two classifiers.

The first convolution thereby sees the pixels as they are.
"""

import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from cxrview.train.googlenet import FINE, SQUARES, spell_out_lrn

PRECISION = (
    "weights and activations of 8 bits; first convolution, normalisation and classifiers in float32"
)
KINDS = ("Conv", "Relu", "MaxPool", "Concat", "Mul")
"""Layers that are computed in 8 bits, where they are not among the three places."""
BATCH = 8


def quantise(weights: bytes, pictures: NDArray[np.uint8]) -> bytes:
    """Quantise a network.

    Args:
        weights: ONNX, as `to_onnx` makes it.
        pictures: squashed, shape (n, side, side), uint8; smallest and largest value of each
            activation over all of them become the ends of its 256 steps.

    Returns:
        ONNX with the same input and outputs.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # as `classify.runtime` does, with the reason
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    model = onnx.load_from_string(weights)
    _unpack_weights(model)
    spell_out_lrn(model)
    # Else the library asks, in a warning, for a preparation that this has been.
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
    """Put the float32 that a stored float16 is cast to in its place."""
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
    """Pictures as ONNX Runtime's calibration asks for them."""

    def __init__(self, name: str, pictures: NDArray[np.uint8]) -> None:
        starts = range(0, len(pictures), BATCH)
        self._left = iter([{name: pictures[k : k + BATCH]} for k in starts])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._left, None)
