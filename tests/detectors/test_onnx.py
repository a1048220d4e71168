"""The hand-written ONNX against the `onnx` package's checker and reader."""

import numpy as np
import onnx
import onnxruntime

from fer_pipeline.detectors._onnx import Graph


def test_the_official_checker_and_reader_agree():
    graph = Graph()
    kernel = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
    name = graph.add("Conv", "x", kernel, np.array([1, -1], np.float32), kernel_shape=(2, 2))
    name = graph.add("LeakyRelu", name, alpha=0.25)
    name = graph.add("Mul", name, np.full((300,), 2, np.float32)[:1])
    model = onnx.load_from_string(graph.model(("n", 3, "h", "w"), name, ("n", 2, "y", "x")))
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Conv", "LeakyRelu", "Mul"]
    attributes = {
        item.name: onnx.helper.get_attribute_value(item)
        for item in [*model.graph.node[0].attribute, *model.graph.node[1].attribute]
    }
    assert attributes == {"kernel_shape": [2, 2], "alpha": 0.25}
    weights = {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}
    np.testing.assert_array_equal(weights["conv0.1"], kernel)
    assert [
        item.dim_param or item.dim_value for item in model.graph.input[0].type.tensor_type.shape.dim
    ] == ["n", 3, "h", "w"]


def test_numbers_longer_than_seven_bits():
    """A weight of 40,000 values: lengths take three bytes."""
    graph = Graph()
    name = graph.add("Add", "x", np.arange(40_000, dtype=np.float32))
    model = graph.model((40_000,), name, (40_000,))
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    given = np.ones(40_000, np.float32)
    np.testing.assert_array_equal(session.run(None, {"x": given})[0], np.arange(1, 40_001))
