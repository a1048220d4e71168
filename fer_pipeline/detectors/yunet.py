"""YuNet: a small convolutional detector with five landmarks, run by OpenCV's FaceDetectorYN.

The model (232 kB, MIT) is not part of this project: name its file in the option `model`, or let it
be fetched once into the user's cache; what is fetched must have the SHA-256 pinned here.

Source: Wu, Peng, Yu, "YuNet: a tiny millisecond-level face detector", MIR 20, 2023;
https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from pydantic import Field

from fer_pipeline.detectors._download import cached
from fer_pipeline.errors import MissingData
from fer_pipeline.faces import Face
from fer_pipeline.params import Section, check

URL: Final = (
    "https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/"
    "face_detection_yunet_2023mar.onnx"
)
SHA256: Final = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

_LEAST = 64
"""Smaller pictures are padded: with a side of 32 or less OpenCV 4.14 gives random faces."""


class Options(Section):
    """The detector's own parameters."""

    model: str | None = Field(None, description="path of the ONNX file; null: fetch it once")
    url: str = Field(URL, description="where the pinned file is fetched from")
    min_score: float = Field(0.7, gt=0, lt=1, description="least confidence of a face")
    overlap: float = Field(0.3, gt=0, lt=1, description="IoU above which the weaker face goes")
    max_side: int = Field(640, ge=32, description="larger pictures are searched at this size")


def load(device: str, **options: Any) -> Callable[[Sequence[np.ndarray]], list[list[Face]]]:
    """A detector with all five landmarks.

    Raises: BadParams for an unknown option, ValueError for a device other than the CPU,
    MissingData when the model is neither there nor to be had.
    """
    if device != "cpu":
        raise ValueError(f"yunet runs on the CPU only, not on {device!r}")
    chosen = check(Options, options, "detect.options.yunet")
    file = Path(chosen.model) if chosen.model else cached(chosen.url, SHA256, "yunet")
    if not file.is_file():
        raise MissingData(f"{file} (detect.options.yunet.model) is not there; get it from {URL}")
    net = _net(file, chosen)

    def detect(images: Sequence[np.ndarray]) -> list[list[Face]]:
        return [_faces(pixels, net, chosen.max_side) for pixels in images]

    return detect


def _net(file: Path, options: Options) -> cv2.FaceDetectorYN:
    """The detector, tried on a blank picture: other networks load but cannot be run."""
    try:
        net = cv2.FaceDetectorYN.create(str(file), "", (0, 0), options.min_score, options.overlap)
        _faces(np.zeros((_LEAST, _LEAST, 3), np.uint8), net, options.max_side)
    except cv2.error:
        raise MissingData(
            f"{file} (detect.options.yunet.model) is no YuNet model that OpenCV can run; get it "
            f"from {URL}"
        ) from None
    return net


def _faces(pixels: np.ndarray, net: cv2.FaceDetectorYN, max_side: int) -> list[Face]:
    height, width = pixels.shape[:2]
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    if max(height, width) > max_side:
        scale = max_side / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    ratio = np.array([width / bgr.shape[1], height / bgr.shape[0]], np.float32)
    below, beside = (max(0, _LEAST - side) for side in bgr.shape[:2])
    bgr = cv2.copyMakeBorder(bgr, 0, below, 0, beside, cv2.BORDER_REPLICATE)
    net.setInputSize(bgr.shape[1::-1])
    _, rows = net.detect(bgr)
    found = [] if rows is None else [_face(row, ratio) for row in rows]
    return sorted(found, key=lambda face: -face.score)


def _face(row: np.ndarray, ratio: np.ndarray) -> Face:
    """A row is x, y, width, height, five points (the person's right eye, seen left, first), score.

    Source: https://docs.opencv.org/4.x/df/d20/classcv_1_1FaceDetectorYN.html
    """
    corner, size = row[:2], row[2:4]
    box = np.concatenate([corner * ratio, (corner + size) * ratio])
    return Face(box, row[4:14].reshape(5, 2) * ratio, float(row[14]))
