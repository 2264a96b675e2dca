"""Writes local response normalisation of an exported model as layers that are fast.

ONNX Runtime raises to a power one value at a time: its LRN takes much of the time of a GoogLeNet.
The sums over neighbouring channels are a convolution with a band, as in training (`googlenet`), and
with an exponent of 3/4 two square roots replace the power.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

SQUARES, SUMS, FINE = "squares", "sums", ("root", "cube", "power")
"""Endings of the names of the layers that replace a node LRN: `SUMS` are 1 and above, and `FINE`
need more than 8 bits."""
BETA = 0.75
"""The supported exponent: x to the power 3/4 is the root of x times the root of that root."""


def expand_lrn(model: onnx.ModelProto) -> None:
    """Replace every node LRN by other layers.

    Args:
        model: with weights as initialisers; changed in place.

    Raises:
        ValueError: the exponent of a normalisation is not 3/4, or its bias not 1.
    """
    graph = model.graph
    channels = _channels(model)
    nodes = []
    for node in graph.node:
        if node.op_type == "LRN":
            layers, constants = _expand(node, channels[node.input[0]])
            nodes += layers
            graph.initializer.extend(constants)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def band(channels: int, size: int) -> NDArray[np.float32]:
    """Make ones where two channels are neighbours, shape (channels, channels, 1, 1)."""
    number = np.arange(channels)
    is_near = abs(number[:, None] - number) <= size // 2
    return is_near.astype(np.float32)[:, :, None, None]


def _channels(model: onnx.ModelProto) -> dict[str, int]:
    inferred = onnx.shape_inference.infer_shapes(model)
    return {
        value.name: value.type.tensor_type.shape.dim[1].dim_value
        for value in inferred.graph.value_info
        if len(value.type.tensor_type.shape.dim) == 4
    }


def _expand(
    lrn: onnx.NodeProto, channels: int
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    given = {one.name: helper.get_attribute_value(one) for one in lrn.attribute}
    if not np.isclose(given["beta"], BETA) or given.get("bias", 1.0) != 1:
        raise ValueError(f"{lrn.name}: only an exponent of {BETA} and a bias of 1 are supported")
    (x,), (y,) = lrn.input, lrn.output
    weight = band(channels, given["size"]) * np.float32(given["alpha"] / given["size"])
    constants = [
        numpy_helper.from_array(weight, f"{y}.band"),
        numpy_helper.from_array(np.ones(channels, np.float32), f"{y}.bias"),
    ]
    sums, (root, cube, power) = f"{y}.{SUMS}", (f"{y}.{ending}" for ending in FINE)
    layers = [
        ("Mul", [x, x], f"{y}.{SQUARES}", {}),
        ("Conv", [f"{y}.{SQUARES}", f"{y}.band", f"{y}.bias"], sums, {"kernel_shape": [1, 1]}),
        ("Sqrt", [sums], root, {}),
        ("Mul", [sums, root], cube, {}),
        ("Sqrt", [cube], power, {}),
        ("Div", [x, power], y, {}),
    ]
    nodes = [
        helper.make_node(kind, inputs, [output], name=output, **attributes)
        for kind, inputs, output, attributes in layers
    ]
    return nodes, constants
