"""Exports a trained model as ONNX: squashed grey pixels in, percentages out.

The graph is built layer by layer and not traced, so that the file has the published layers under
readable names, takes uint8, and has the three equal input channels folded into one. Only local
response normalisation is written as other layers, which are faster (`response_norm`).
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from cxrview.train.batch import CROP
from cxrview.train.googlenet import (
    INCEPTIONS,
    LRN_ALPHA,
    LRN_BETA,
    LRN_SIZE,
    POOL_BEFORE,
    GoogLeNet,
)
from cxrview.train.onnx_graph import OnnxGraph
from cxrview.train.recipes import GREY_MEAN
from cxrview.train.response_norm import expand_lrn

OPSET = 17
"""Supported by every runtime of recent years; later versions change nothing that is used here."""
PRECISION = "weights stored as float16, computed as float32"


def to_onnx(
    model: GoogLeNet, *, side: int = 256, temperature: float = 1.0, is_half: bool = True
) -> bytes:
    """Export a two-class model.

    Args:
        model: class 1 is frontal; auxiliary classifiers are left out.
        side: rows and columns of the squashed radiograph.
        temperature: above 0, divides the logit of frontal, so that the PFI is calibrated (Guo et
            al., ICML 2017).
        is_half: store weights of more than one dimension as float16, which halves the size.

    Returns:
        An ONNX file: input `radiographs`, shape (n, side, side) uint8; output `pfi`, shape
        (n,) float32, probability of frontal in percent; and of a model with that output `chest`,
        probability of a chest radiograph, likewise.
    """
    weights = {key: value.detach().numpy() for key, value in model.state_dict().items()}
    graph = _Graph(weights, is_half=is_half)
    x = _stem(graph, _centred(graph, side))
    for name in INCEPTIONS:
        x = _inception(graph, name, _halve(graph, x) if name in POOL_BEFORE else x)
    outputs = _heads(graph, x, temperature)
    exported = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "cxrview-googlenet",
            [helper.make_tensor_value_info("radiographs", TensorProto.UINT8, ["n", side, side])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in outputs],
            graph.initialisers,
        ),
        producer_name="cxrview",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
    )
    expand_lrn(exported)
    onnx.checker.check_model(exported, full_check=True)
    serialised: bytes = exported.SerializeToString()
    return serialised


class _Graph(OnnxGraph):
    """A graph with the weights of its layers, stored as float16 where asked for."""

    def __init__(self, weights: dict[str, NDArray[np.float32]], *, is_half: bool) -> None:
        super().__init__()
        self.weights = weights
        self.is_half = is_half

    def weight(self, name: str, values: NDArray[np.float32]) -> str:
        if not self.is_half:
            return self.constant(name, values)
        self.constant(f"{name}.stored", values.astype(np.float16))
        return self.node("Cast", [f"{name}.stored"], name, to=TensorProto.FLOAT)

    def conv(self, layer: str, x: str, *, stride: int = 1, grey: bool = False) -> str:
        kernel = self.weights[f"{layer}.weight"]
        if grey:
            kernel = kernel.sum(axis=1, keepdims=True)  # three equal channels are one
        side = kernel.shape[-1]
        weight = self.weight(f"{layer}.weight", kernel)
        bias = self.constant(f"{layer}.bias", self.weights[f"{layer}.bias"])
        return self.node(
            "Conv",
            [x, weight, bias],
            layer,
            kernel_shape=[side, side],
            strides=[stride, stride],
            pads=[side // 2] * 4,
        )

    def relu(self, x: str) -> str:
        return self.node("Relu", [x], f"{x}.relu")


def _centred(graph: _Graph, side: int) -> str:
    """Add the centre crop, the subtraction of the mean and the channel axis."""
    margin = (side - CROP) // 2
    bounds = [
        graph.constant("crop.starts", np.array([margin, margin])),
        graph.constant("crop.ends", np.array([margin + CROP, margin + CROP])),
        graph.constant("crop.axes", np.array([1, 2])),
    ]
    x = graph.node("Slice", ["radiographs", *bounds], "crop")
    x = graph.node("Cast", [x], "grey", to=TensorProto.FLOAT)
    x = graph.node("Sub", [x, graph.constant("mean", np.array([GREY_MEAN], np.float32))], "centred")
    return graph.node("Unsqueeze", [x, graph.constant("channel", np.array([1]))], "input")


def _stem(graph: _Graph, x: str) -> str:
    x = graph.relu(graph.conv("stem.conv1.7x7_s2", x, stride=2, grey=True))
    x = _local_response_norm(graph, _halve(graph, x))
    x = graph.relu(graph.conv("stem.conv2.3x3_reduce", x))
    x = graph.relu(graph.conv("stem.conv2.3x3", x))
    return _halve(graph, _local_response_norm(graph, x))


def _inception(graph: _Graph, name: str, x: str) -> str:
    at = f"inceptions.{name}.layers"
    pooled = graph.node(
        "MaxPool", [x], f"{at}.pool", kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4
    )
    branches = [
        graph.conv(f"{at}.1x1", x),
        graph.conv(f"{at}.3x3", graph.relu(graph.conv(f"{at}.3x3_reduce", x))),
        graph.conv(f"{at}.5x5", graph.relu(graph.conv(f"{at}.5x5_reduce", x))),
        graph.conv(f"{at}.pool_proj", pooled),
    ]
    return graph.node("Concat", [graph.relu(b) for b in branches], at, axis=1)


def _heads(graph: _Graph, x: str, temperature: float) -> list[str]:
    """Add pooling and the classifiers; only the difference of the two classes' logits matters."""
    x = graph.node("GlobalAveragePool", [x], "pool")
    x = graph.node("Flatten", [x], "features")
    weight, bias = graph.weights["classifier.weight"], graph.weights["classifier.bias"]
    differences = (weight[1:] - weight[:1]) / temperature, (bias[1:] - bias[:1]) / temperature
    outputs = [_percent(graph, x, "classifier", "pfi", *differences)]
    if "chest.weight" in graph.weights:
        layer = graph.weights["chest.weight"], graph.weights["chest.bias"]
        outputs.append(_percent(graph, x, "chest", "chest", *layer))
    return outputs


def _percent(
    graph: _Graph,
    x: str,
    layer: str,
    output: str,
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
) -> str:
    """Add a logit as a percentage."""
    inputs = [x, graph.weight(f"{layer}.weight", weight), graph.constant(f"{layer}.bias", bias)]
    x = graph.node("Gemm", inputs, f"{output}.logit", transB=1)
    x = graph.node("Sigmoid", [x], f"{output}.probability")
    hundred = graph.constant(f"{output}.hundred", np.array([100], np.float32))
    x = graph.node("Mul", [x, hundred], f"{output}.percent")
    return graph.node("Squeeze", [x, graph.constant(f"{output}.last", np.array([1]))], output)


def _halve(graph: _Graph, x: str) -> str:
    return graph.node(
        "MaxPool", [x], f"{x}.halved", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1
    )


def _local_response_norm(graph: _Graph, x: str) -> str:
    return graph.node(
        "LRN", [x], f"{x}.normalised", size=LRN_SIZE, alpha=LRN_ALPHA, beta=LRN_BETA, bias=1.0
    )
