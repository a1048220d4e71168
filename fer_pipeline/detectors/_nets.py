"""The three nets of MTCNN with facenet-pytorch's weights, run by ONNX Runtime.

Source: Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", SPL 23(10), 2016; weights from facenet-pytorch 2.5.3 (MIT).
"""

import numpy as np

from fer_pipeline.detectors._onnx import Graph
from fer_pipeline.detectors._weights import load

_LAYERS = {
    "pnet": ("conv1 prelu1", 2, "conv2 prelu2", "conv3 prelu3", "conv4_1+conv4_2"),
    "rnet": (
        *("conv1 prelu1", 3, "conv2 prelu2", 3, "conv3 prelu3"),
        *("dense4 prelu4", "dense5_1+dense5_2"),
    ),
    "onet": (
        *("conv1 prelu1", 3, "conv2 prelu2", 3, "conv3 prelu3", 2, "conv4 prelu4"),
        *("dense5 prelu5", "dense6_1+dense6_2+dense6_3"),
    ),
}
"""Layers in order: weights and slopes by name, a number for a max pooling of that size (stride 2),
and last the heads, computed together."""


_SIDE: dict[str, int | None] = {"pnet": None, "rnet": 24, "onet": 48}
_CHUNK = {"pnet": 1, "rnet": 16, "onet": 4}
"""Pictures a call of the runtime takes at once: what the second-level cache holds."""


class Net:
    """`pnet` (fully convolutional), `rnet` (24 x 24) or `onet` (48 x 48), on one thread.

    Called with (n, 3, h, w) float32 of (value - 127.5) / 128, gives logits and no softmax, float32:
    not-face, face, four box offsets, and for onet five x and five y. Shape (n, 6, h', w') for pnet,
    (n, 6) for rnet, (n, 16) for onet.
    """

    def __init__(self, name: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._chunk = _CHUNK[name]
        self._session = onnxruntime.InferenceSession(
            onnx_model(name), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, values: np.ndarray) -> np.ndarray:
        starts = range(0, len(values), self._chunk)
        parts = [self._run(values[start : start + self._chunk]) for start in starts]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _run(self, values: np.ndarray) -> np.ndarray:
        return self._session.run(None, {"x": values})[0]


def onnx_model(name: str) -> bytes:
    """The net as an ONNX file.

    Raises: MissingData when facenet-pytorch's weights are not there.
    """
    weights, graph, tensor = load(name), Graph(), "x"
    for layer in _LAYERS[name]:
        if isinstance(layer, int):
            tensor = graph.add(
                "MaxPool", tensor, kernel_shape=[layer, layer], strides=[2, 2], ceil_mode=1
            )
            continue
        names, _, slopes = layer.partition(" ")
        parts = names.split("+")
        bias = np.concatenate([weights[f"{part}.bias"] for part in parts])
        values = np.concatenate([_weight(weights, part) for part in parts])
        if values.ndim == 4:
            tensor = graph.add("Conv", tensor, values, bias, kernel_shape=values.shape[2:])
        else:
            if names in ("dense4", "dense5"):
                tensor = graph.add("Flatten", tensor, axis=1)
            tensor = graph.add("Gemm", tensor, values, bias, transB=1)
        if slopes:
            slope = weights[f"{slopes}.weight"]
            slope = slope[:, None, None] if values.ndim == 4 else slope
            tensor = _prelu(graph, tensor, slope)
    side = _SIDE[name]
    return graph.model(
        ("n", 3, side or "h", side or "w"), tensor, ("n", "heads", "y", "x")[: values.ndim]
    )


def _prelu(graph: Graph, tensor: str, slope: np.ndarray) -> str:
    """Parametric ReLU as slope * y + (1 - slope) * relu(y).

    ONNX Runtime's own PRelu is scalar code and took half of the whole time; these operators are
    vectorised and keep its blocked layout.
    """
    positive = graph.add("Relu", tensor)
    return graph.add("Add", graph.add("Mul", positive, 1 - slope), graph.add("Mul", tensor, slope))


def _weight(weights: dict[str, np.ndarray], name: str) -> np.ndarray:
    """A layer's weights; the first dense layer takes (channels, height, width) flattened.

    facenet-pytorch flattens (width, height, channels) there.
    """
    values = weights[f"{name}.weight"]
    if name not in ("dense4", "dense5"):
        return values
    cube = values.reshape(len(values), 3, 3, -1)
    return cube.transpose(0, 3, 2, 1).reshape(len(values), -1)
