"""Exports the fast model as ONNX, in float32 and in int8.

The graph is built layer by layer and not traced. Batch normalisation is folded into the
convolutions, and the resize from the squashed 256 x 256 pixels is part of the graph, so that the
model takes what the one in the package takes.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from torch import Tensor

from cxrview.classify.backend import CHEST, INVERTED, MIRRORED, PFI, POSE, PROJECTION_AP, TURNS
from cxrview.image import SIDE as INPUT_SIDE
from cxrview.train.fast.model import (
    GREY_MEAN,
    GREY_SCALE,
    ConvBatchNorm,
    FastModel,
    SeparableBlock,
)
from cxrview.train.fast.model import (
    TURNS as QUARTER_TURNS,
)
from cxrview.train.fast.pad_channels import pad_channels
from cxrview.train.fast.recipe import SIDE
from cxrview.train.fast.typical import Typical
from cxrview.train.onnx_graph import OnnxGraph

OPSET = 17
OUTPUTS = (PFI, CHEST, *POSE)
FLOAT_PRECISION = "weights stored and computed as float32"
INT8_PRECISION = (
    "weights and activations of 8 bits; first convolution, pooling and heads in float32"
)
_BATCH = 8


def to_onnx(model: FastModel, *, temperature: float = 1.0, typical: Typical | None = None) -> bytes:
    """Export a model.

    Args:
        model: with the statistics of its batch normalisation.
        temperature: above 0, divides the logit of frontal (Guo 2017).
        typical: limits the logit of chest; None for the head alone.

    Returns:
        An ONNX file: input `radiographs`, shape (n, 256, 256) uint8; outputs in percent, float32:
        `pfi`, `chest`, `mirrored`, `inverted` and `projection_ap`, shape (n,), and `turns`, shape
        (n, 4), the probability of each number of quarter turns clockwise.
    """
    graph = OnnxGraph()
    x = _input(graph)
    x = _conv(graph, "first", model.first, x)
    for number, block in enumerate(model.blocks):
        assert isinstance(block, SeparableBlock)
        x = _conv(graph, f"block{number}.depthwise", block.depthwise, x)
        x = _conv(graph, f"block{number}.pointwise", block.pointwise, x)
    _heads(graph, model, x, temperature, typical)
    exported = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "cxrview-fast",
            [
                helper.make_tensor_value_info(
                    "radiographs", TensorProto.UINT8, ["n", INPUT_SIDE, INPUT_SIDE]
                )
            ],
            [
                helper.make_tensor_value_info(
                    name, TensorProto.FLOAT, ["n", QUARTER_TURNS] if name == TURNS else ["n"]
                )
                for name in OUTPUTS
            ],
            graph.initialisers,
        ),
        producer_name="cxrview",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
    )
    onnx.checker.check_model(exported, full_check=True)
    serialised: bytes = exported.SerializeToString()
    return serialised


def to_int8(weights: bytes, pictures: NDArray[np.uint8]) -> bytes:
    """Quantise an exported model to 8 bits in ONNX's QDQ form, weights per channel.

    Args:
        weights: of `to_onnx`.
        pictures: squashed training pictures, shape (n, 256, 256), uint8; the smallest and largest
            value of each activation over all of them become the ends of its 256 steps.

    Returns:
        ONNX with the same input and outputs, and `pad_channels` applied.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # see `classify.model`
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    model = onnx.load_from_string(weights)
    # Without it the library warns that the model should be pre-processed, which it is.
    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    names = [node.name for node in model.graph.node]
    first, pool = names.index("first.relu"), names.index("pool")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.onnx"
        quantize_static(
            model,
            made,
            _Calibration(pictures),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv", "Relu"],
            nodes_to_exclude=[*names[: first + 1], *names[pool:]],
        )
        return pad_channels(made.read_bytes())


class _Calibration:
    """Gives ONNX Runtime's calibration one batch of pictures after the other."""

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self._left: Iterator[dict[str, NDArray[np.uint8]]] = iter(
            [{"radiographs": pictures[k : k + _BATCH]} for k in range(0, len(pictures), _BATCH)]
        )

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._left, None)


def _input(graph: OnnxGraph) -> str:
    """Add the channel axis, the resize to 224 x 224 and the scaling of grey values."""
    x = graph.node("Cast", ["radiographs"], "grey", to=TensorProto.FLOAT)
    x = graph.node("Unsqueeze", [x, graph.constant("channel", np.array([1]))], "picture")
    share = SIDE / INPUT_SIDE
    scales = graph.constant("scales", np.array([1, 1, share, share], np.float32))
    x = graph.node(
        "Resize",
        [x, "", scales],
        "resized",
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )
    mean = graph.constant("mean", np.array([GREY_MEAN], np.float32))
    scale = graph.constant("scale", np.array([1 / GREY_SCALE], np.float32))
    return graph.node("Mul", [graph.node("Sub", [x, mean], "centred"), scale], "input")


def _conv(graph: OnnxGraph, name: str, layer: ConvBatchNorm, x: str) -> str:
    """Add a convolution with its batch normalisation folded in, and ReLU."""
    kernel = _array(layer.conv.weight)
    norm = layer.norm
    assert norm.running_mean is not None and norm.running_var is not None
    gain = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    bias = _array(norm.bias) - _array(norm.running_mean) * gain
    side = kernel.shape[-1]
    inputs = [
        x,
        graph.constant(f"{name}.weight", (kernel * gain[:, None, None, None]).astype(np.float32)),
        graph.constant(f"{name}.bias", bias.astype(np.float32)),
    ]
    x = graph.node(
        "Conv",
        inputs,
        name,
        kernel_shape=[side, side],
        strides=list(layer.conv.stride),
        pads=[side // 2] * 4,
        group=layer.conv.groups,
    )
    return graph.node("Relu", [x], f"{name}.relu")


def _heads(
    graph: OnnxGraph, model: FastModel, x: str, temperature: float, typical: Typical | None
) -> None:
    """Add pooling and the heads, each with its output in percent."""
    x = graph.node("GlobalAveragePool", [x], "pool")
    x = graph.node("Flatten", [x], "features")
    hundred = graph.constant("hundred", np.array([100], np.float32))
    last = graph.constant("last", np.array([1]))
    for name, head in (
        (PFI, model.frontal),
        (CHEST, model.chest),
        (MIRRORED, model.mirrored),
        (INVERTED, model.inverted),
        (PROJECTION_AP, model.projection_ap),
    ):
        divisor = temperature if name == PFI else 1.0
        logit = _linear(graph, name, _array(head.weight), _array(head.bias), x, divisor)
        if name == CHEST and typical is not None:
            logit = graph.node("Min", [logit, _distance_limit(graph, typical, x)], "chest.limited")
        chance = graph.node("Sigmoid", [logit], f"{name}.probability")
        percent = graph.node("Mul", [chance, hundred], f"{name}.percent")
        graph.node("Squeeze", [percent, last], name)
    logits = _linear(graph, TURNS, _array(model.turn.weight), _array(model.turn.bias), x, 1.0)
    chances = graph.node("Softmax", [logits], f"{TURNS}.probability", axis=1)
    graph.node("Mul", [chances, hundred], TURNS)


def _distance_limit(graph: OnnxGraph, typical: Typical, x: str) -> str:
    """Add the highest logit of `chest` that the distance of the features allows, shape (n, 1)."""
    mean = graph.constant("distance.mean", typical.mean.astype(np.float32))
    axes = graph.constant("distance.axes", typical.axes)
    x = graph.node("MatMul", [graph.node("Sub", [x, mean], "distance.centred"), axes], "components")
    square = graph.node("Mul", [x, x], "components.square")
    distance = graph.node("ReduceMean", [square], "distance", axes=[1], keepdims=1)
    slope = graph.constant("distance.slope", np.array([typical.slope], np.float32))
    offset = graph.constant("distance.offset", np.array([typical.offset], np.float32))
    scaled = graph.node("Mul", [distance, slope], "distance.scaled")
    return graph.node("Sub", [offset, scaled], "distance.limit")


def _linear(
    graph: OnnxGraph,
    name: str,
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    x: str,
    divisor: float,
) -> str:
    inputs = [
        x,
        graph.constant(f"{name}.weight", (weight / divisor).astype(np.float32)),
        graph.constant(f"{name}.bias", (bias / divisor).astype(np.float32)),
    ]
    return graph.node("Gemm", inputs, f"{name}.logit", transB=1)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    values: NDArray[np.float32] = tensor.detach().cpu().float().numpy()
    return values
