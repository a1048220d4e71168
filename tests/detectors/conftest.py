"""Drawn faces with known landmarks, and each detector as it can be had without a network."""

import cv2
import numpy as np
import pytest

from fer_pipeline import registry
from fer_pipeline.detectors import _download, yunet
from fer_pipeline.errors import MissingData
from fer_pipeline.sample.looks import LOOKS
from fer_pipeline.sample.shots import Shot, take

EMOTIONS = ("neutral", "happiness", "surprise", "sadness")


@pytest.fixture(scope="session")
def portraits():
    """Four persons, 640 x 490 RGB, frontal, lab light."""
    look = LOOKS["ckplus"]
    return [
        take(Shot(look, 7, f"s{number:03d}", None, emotion, number))[0]
        for number, emotion in enumerate(EMOTIONS)
    ]


@pytest.fixture(scope="session")
def five_points(portraits):
    """(4, 5, 2): eye, eye, nose tip and mouth corners of each, left to right as seen."""
    parts = ([*range(36, 42)], [*range(42, 48)], [30], [48], [54])
    return np.array([[each.landmarks[part].mean(axis=0) for part in parts] for each in portraits])


@pytest.fixture(scope="session")
def group(portraits):
    """Two of them side by side in one picture, 1280 x 490."""
    return np.hstack([portraits[0].pixels, portraits[1].pixels])


@pytest.fixture(scope="session")
def load(pytestconfig):
    """`load(name, **options)`: the detector, or a skip where its extra or model is not there."""
    cv2.setNumThreads(1)
    weights = pytestconfig.rootpath.parent / "shared/data/weights/face_detection_yunet_2023mar.onnx"

    def loaded(name, **options):
        if name == "yunet" and "model" not in options:
            if not weights.is_file() and not any(_download.folder().glob(f"{yunet.SHA256[:16]}*")):
                pytest.skip("YuNet's model is neither beside the checkout nor in the cache")
            options |= {"model": str(weights)} if weights.is_file() else {}
        try:
            return registry.load("detectors", name).load("cpu", **options)
        except MissingData as error:
            pytest.skip(str(error))

    return loaded
