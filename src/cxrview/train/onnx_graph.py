"""An ONNX graph that is built node by node."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


class OnnxGraph:
    """The nodes and stored arrays of a graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        """Add a node with one output, which it is named after; returns that name."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        """Store an array; returns its name."""
        self.initialisers.append(numpy_helper.from_array(values, name))
        return name
