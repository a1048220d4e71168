"""A found face, the rule that chooses one, and the alignment of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

TEMPLATE: Final = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float32,
)
"""Where eye, eye, nose and both mouth corners lie in an aligned 112 x 112 face, pixels (x, y).

Source: ArcFace (Deng et al., CVPR 2019), the template of insightface's `face_align`.
"""

TEMPLATE_SIZE: Final = 112

FIVE_POINTS: Final = "five_points"
EYES: Final = "eyes"
BOX: Final = "box"
PRECROPPED: Final = "precropped"


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a picture.

    box        (4,) float32, pixels x0, y0, x1, y1
    landmarks  (5, 2) float32 in the order of TEMPLATE, NaN where unknown
    score      the detector's confidence
    """

    box: np.ndarray
    landmarks: np.ndarray
    score: float


def no_landmarks() -> np.ndarray:
    """(5, 2) float32 of NaN: nothing known."""
    return np.full((5, 2), np.nan, np.float32)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes xyxy, in [0, 1]."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(both / (areas - both))


def choose(faces: Sequence[Face], width: int, height: int, given: np.ndarray | None = None) -> Face:
    """The labelled face: the largest, less what its centre lies off the picture's centre.

    Value = box area / picture area - 2 * (squared centre distance / squared picture diagonal);
    ties go to the higher score. A labelled picture shows its subject large and near the middle.
    With `given`, the set's own box, the face that overlaps it most (IoU), then the value.

    Raises: ValueError when there is none.
    """
    if not faces:
        raise ValueError("no face to choose from")

    def value(face: Face) -> tuple[float, float, float]:
        x0, y0, x1, y1 = (float(edge) for edge in face.box)
        area = (x1 - x0) * (y1 - y0) / (width * height)
        off = ((x0 + x1) / 2 - width / 2) ** 2 + ((y0 + y1) / 2 - height / 2) ** 2
        overlap = 0.0 if given is None else iou(face.box, given)
        return overlap, area - 2 * off / (width**2 + height**2), face.score

    return max(faces, key=value)


def align(pixels: np.ndarray, face: Face, size: int) -> tuple[np.ndarray, str]:
    """The face as (size, size[, 3]) uint8 and how it was aligned: five_points, eyes or box.

    A similarity (rotation, scale, shift) carries the known points onto TEMPLATE: all five by
    least squares (Umeyama 1991), else both eyes exactly, else the box, made square and widened by
    a tenth. Points that a similarity carries to no face of this size (all on one spot, or eyes
    and mouth the wrong way round) count as unknown. Pixels beyond the picture's edge repeat it.
    """
    known = ~np.isnan(face.landmarks).any(axis=1)
    for count, how in ((5, FIVE_POINTS), (2, EYES)):
        points = face.landmarks[:count]
        if known[:count].all() and np.ptp(points, axis=0).max() > 0:
            matrix = similarity(points, _template(size)[:count])
            if _sensible(matrix, face.box, size):
                return _warp(pixels, matrix, size), how
    return _warp(pixels, _box_matrix(face.box, size), size), BOX


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(2, 3) float64 similarity that carries `source` (n, 2) onto `target` by least squares.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", PAMI 13(4), 1991, without reflection.
    """
    source, target = source.astype(np.float64), target.astype(np.float64)
    centre, goal = source.mean(axis=0), target.mean(axis=0)
    p, q = source - centre, target - goal
    # In two dimensions the optimal rotation and scale are one complex number.
    norm = (p**2).sum()
    if norm == 0:
        raise ValueError("all landmarks lie on one point")
    a = (p * q).sum() / norm
    b = (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() / norm
    turn = np.array([[a, -b], [b, a]])
    return np.hstack([turn, (goal - turn @ centre)[:, None]])


def _sensible(matrix: np.ndarray, box: np.ndarray, size: int) -> bool:
    """Whether the similarity brings the face's box to between a third and thrice the crop."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    side = max(float(box[2] - box[0]), float(box[3] - box[1]))
    return size / 3 < scale * side < size * 3


def _template(size: int) -> np.ndarray:
    return TEMPLATE * (size / TEMPLATE_SIZE)


def _box_matrix(box: np.ndarray, size: int) -> np.ndarray:
    x0, y0, x1, y1 = (float(edge) for edge in box)
    side = max(x1 - x0, y1 - y0) * 1.1
    scale = size / side
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    return np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])


def _warp(pixels: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:
        # Bilinear sampling skips pixels beyond a halving: average them first.
        height, width = pixels.shape[:2]
        small = max(1, round(width * 2 * scale)), max(1, round(height * 2 * scale))
        pixels = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
        ratio = np.array([small[0] / width, small[1] / height])
        # Pixel centres: x of the picture is (x + 0.5) / ratio - 0.5 of the shrunk one.
        turn = matrix[:, :2] / ratio
        matrix = np.hstack(
            [turn, matrix[:, 2:] + (turn.sum(axis=1) - matrix[:, :2].sum(axis=1))[:, None] / 2]
        )
    return cv2.warpAffine(
        pixels, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
