"""The model's file, and coordinates of pictures that are searched smaller."""

import cv2
import numpy as np
import pytest

from fer_pipeline.detectors import yunet
from fer_pipeline.errors import MissingData


def test_large_pictures_give_coordinates_of_their_own_size(load, portraits):
    pixels = portraits[0].pixels
    large = cv2.resize(pixels, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    detect = load("yunet")
    (small,), (big,) = detect([pixels])[0], detect([large])[0]
    np.testing.assert_allclose(big.box / 3, small.box, atol=4)
    np.testing.assert_allclose(big.landmarks / 3, small.landmarks, atol=4)


def test_a_missing_model_says_where_to_get_it(tmp_path):
    with pytest.raises(MissingData, match=r"none\.onnx .* get it from https://github\.com/opencv"):
        yunet.load("cpu", model=str(tmp_path / "none.onnx"))


@pytest.mark.parametrize("data", [b"", b"no model", None])
def test_a_file_that_is_no_model_is_named(tmp_path, data):
    file = tmp_path / "face.onnx"
    file.write_bytes(data if data is not None else other_network())
    with pytest.raises(
        MissingData, match=r"face\.onnx \(detect\.options\.yunet\.model\) is no YuNet"
    ):
        yunet.load("cpu", model=str(file))


def other_network() -> bytes:
    """A valid ONNX file of another network: it only copies its input."""
    onnx = pytest.importorskip("onnx")
    shape = [1, 3, 64, 64]
    ends = [onnx.helper.make_tensor_value_info(name, 1, shape) for name in ("input", "output")]
    node = onnx.helper.make_node("Identity", ["input"], ["output"])
    graph = onnx.helper.make_graph([node], "copy", ends[:1], ends[1:])
    opset = [onnx.helper.make_opsetid("", 11)]
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=6).SerializeToString()


@pytest.mark.realdata
def test_the_pin_is_that_of_the_official_file(shared_data):
    import hashlib

    file = shared_data / "weights" / "face_detection_yunet_2023mar.onnx"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == yunet.SHA256
