import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from cxrview.train.response_norm import expand_lrn


def network(**changed: float) -> onnx.ModelProto:
    attributes = {"size": 5, "alpha": 1e-4, "beta": 0.75, "bias": 1.0} | changed
    shape = ["n", 12, 6, 6]
    nodes = [
        helper.make_node("Relu", ["x"], ["above"], name="above"),
        helper.make_node("LRN", ["above"], ["y"], name="y", **attributes),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    graph = helper.make_graph(nodes, "norm", values[:1], values[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("scale", [1, 300, 4000])
def test_it_says_what_the_node_says(scale, size):
    x = scale * np.random.default_rng(0).standard_normal((2, 12, 6, 6), np.float32)
    model = network(size=size)
    expected = run(model, x)

    expand_lrn(model)

    assert "LRN" not in {node.op_type for node in model.graph.node}
    assert np.allclose(run(model, x), expected, rtol=1e-4, atol=1e-4)


def test_a_second_time_changes_nothing():
    model = network()
    expand_lrn(model)
    once = model.SerializeToString()

    expand_lrn(model)

    assert model.SerializeToString() == once


@pytest.mark.parametrize("changed", [{"beta": 0.5}, {"bias": 2.0}])
def test_what_two_roots_do_not_do_for_is_refused(changed):
    with pytest.raises(ValueError, match="only an exponent"):
        expand_lrn(network(**changed))
