"""Which of dlib's points make which landmark; the extra and its files."""

import numpy as np
import pytest

from fer_pipeline.detectors import dlib
from fer_pipeline.errors import MissingData


def test_five_points_know_eyes_and_nose(load, portraits):
    faces = load("dlib")([portraits[0].pixels])[0]
    assert np.isnan(faces[0].landmarks).any(axis=1).tolist() == [False] * 3 + [True] * 2


def test_68_points_know_all(load, portraits, five_points):
    found = load("dlib", points=68)([portrait.pixels for portrait in portraits])
    for faces, truth in zip(found, five_points, strict=True):
        span = np.linalg.norm(truth[1] - truth[0])
        assert np.linalg.norm(faces[0].landmarks - truth, axis=1).max() < 0.25 * span


def test_upsampling_finds_smaller_faces(load, portraits):
    import cv2

    small = cv2.resize(portraits[0].pixels, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    assert load("dlib", upsample=0)([small]) == [[]]
    assert len(load("dlib", upsample=2)([small])[0]) == 1


@pytest.mark.parametrize("package", ["dlib", "face_recognition_models"])
def test_without_the_extra(package, monkeypatch):
    monkeypatch.setattr(dlib, "find_spec", lambda name: None if name == package else object)
    with pytest.raises(MissingData, match=r"pip install 'fer-pipeline\[dlib\]'"):
        dlib.load("cpu") if package == "dlib" else dlib.predictor_file(5)
