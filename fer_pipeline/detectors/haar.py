"""Viola-Jones: OpenCV's boosted cascades for frontal faces, and for eyes inside each face.

Fast, old, frontal faces only. Where a plausible pair of eyes is found the face is aligned by it,
else by its box.

Source: Viola and Jones, CVPR 2001; Lienhart and Maydt, ICIP 2002; cascades shipped with OpenCV.
"""

from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydantic import Field

from fer_pipeline.errors import MissingData
from fer_pipeline.faces import Face, no_landmarks
from fer_pipeline.images import to_gray
from fer_pipeline.params import Section, check

_UPPER = 0.6
"""Share of the face box, from its top, in which eyes are looked for."""
_EYES_WIDTH = 160
"""Width to which that part is brought, pixels."""


class Options(Section):
    """The detector's own parameters, by the names of `detectMultiScale`."""

    scale_factor: float = Field(1.1, gt=1, le=2, description="step of the scale pyramid")
    min_neighbors: int = Field(5, ge=0, description="overlapping hits that make a face")
    min_face_size: int = Field(24, ge=20, description="smallest face searched for, pixels")
    min_score: float = Field(0.0, description="least weight of the last cascade stage")


def load(device: str, **options: Any) -> Callable[[Sequence[np.ndarray]], list[list[Face]]]:
    """A detector with both eyes or no landmarks; the score is the last stage's weight (no bound).

    Raises: BadParams for an unknown option, ValueError for a device other than the CPU,
    MissingData without OpenCV's cascades.
    """
    if device != "cpu":
        raise ValueError(f"haar runs on the CPU only, not on {device!r}")
    chosen = check(Options, options, "detect.options.haar")
    frontal = _cascade("haarcascade_frontalface_default")
    eye = _cascade("haarcascade_eye")

    def detect(images: Sequence[np.ndarray]) -> list[list[Face]]:
        return [_faces(to_gray(pixels), frontal, eye, chosen) for pixels in images]

    return detect


def _cascade(name: str) -> cv2.CascadeClassifier:
    file = Path(cv2.data.haarcascades) / f"{name}.xml"  # type: ignore[attr-defined]
    if not file.is_file():
        raise MissingData(f"{file} is missing: OpenCV 5 ships none; pip install 'opencv-python<5'")
    return cv2.CascadeClassifier(str(file))


def _faces(
    gray: np.ndarray, frontal: cv2.CascadeClassifier, eye: cv2.CascadeClassifier, chosen: Options
) -> list[Face]:
    least = (chosen.min_face_size, chosen.min_face_size)
    boxes, _, scores = frontal.detectMultiScale3(
        gray, chosen.scale_factor, chosen.min_neighbors, minSize=least, outputRejectLevels=True
    )
    found = []
    for box, score in zip(boxes, np.ravel(scores), strict=True):
        if score >= chosen.min_score:
            x, y, width, height = (int(value) for value in box)
            edges = np.array([x, y, x + width, y + height], np.float32)
            points = no_landmarks()
            pair = _eyes(gray[y : y + int(height * _UPPER), x : x + width], eye)
            if pair is not None:
                points[:2] = pair + (x, y)
            found.append(Face(edges, points, float(score)))
    return sorted(found, key=lambda face: -face.score)


def _eyes(upper: np.ndarray, eye: cv2.CascadeClassifier) -> np.ndarray | None:
    """Centres (2, 2) of the best pair of eyes in the upper part of a face, or None.

    A pair lies in different halves, 0.25 to 0.7 face widths apart, tilted by less than 20 degrees.
    The part is brought to a fixed width first: the cascade knows no eye below 20 pixels.
    """
    scale = _EYES_WIDTH / upper.shape[1]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    height = max(1, round(upper.shape[0] * scale))
    part = cv2.resize(upper, (_EYES_WIDTH, height), interpolation=method)
    boxes, _, scores = eye.detectMultiScale3(
        *(part, 1.1, 3),
        minSize=(_EYES_WIDTH // 8, _EYES_WIDTH // 8),
        maxSize=(_EYES_WIDTH // 2, _EYES_WIDTH // 2),
        outputRejectLevels=True,
    )
    edges = np.array(boxes, np.float32).reshape(-1, 4)
    centres = (edges[:, :2] + (edges[:, 2:] - 1) / 2 + 0.5) / scale - 0.5
    pairs = [
        (float(scores[first] + scores[second]), first, second)
        for first, second in permutations(range(len(centres)), 2)
        if _plausible(centres[first] / upper.shape[1], centres[second] / upper.shape[1])
    ]
    if not pairs:
        return None
    _, first, second = max(pairs)
    return centres[[first, second]]


def _plausible(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two centres, in face widths, can be a left and a right eye (as seen)."""
    across, down = second - first
    halves = first[0] < 0.5 < second[0]
    level = abs(down) < across * np.tan(np.radians(20))
    return bool(halves and level and 0.25 < across < 0.7)
