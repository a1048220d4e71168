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


@pytest.mark.realdata
def test_the_pin_is_that_of_the_official_file(shared_data):
    import hashlib

    file = shared_data / "weights" / "face_detection_yunet_2023mar.onnx"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == yunet.SHA256
