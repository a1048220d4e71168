"""The face is the whole picture."""

import numpy as np

from fer_pipeline.detectors import precropped


def test_box_is_the_whole_picture():
    pictures = [np.zeros((48, 48, 3), np.uint8), np.zeros((30, 20, 3), np.uint8)]
    found = precropped.load("cpu")(pictures)
    assert [face.box.tolist() for (face,) in found] == [[0, 0, 48, 48], [0, 0, 20, 30]]
    assert all(np.isnan(face.landmarks).all() and face.score == 1 for (face,) in found)
