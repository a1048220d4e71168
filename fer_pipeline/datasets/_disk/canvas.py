"""Portraits brought to the picture size and file format of a real set."""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fer_pipeline.faces import Face
from fer_pipeline.images import encode_png, to_gray
from fer_pipeline.portraits import Portrait


def fit(
    pixels: np.ndarray, points: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """The picture scaled and centred on a (height, width) canvas, and its points (n, 2) there.

    The picture's proportions are kept; what the canvas has more repeats the picture's edge.
    """
    old_height, old_width = pixels.shape[:2]
    scale = min(width / old_width, height / old_height)
    new = (round(old_width * scale), round(old_height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    if scale != 1:
        pixels = cv2.resize(pixels, new, interpolation=method)
    left, top = (width - new[0]) // 2, (height - new[1]) // 2
    right, bottom = width - new[0] - left, height - new[1] - top
    if left or top or right or bottom:
        pixels = cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return pixels, (points * scale + (left, top)).astype(np.float32)


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """(5, 2) float32 eyes, nose tip and mouth corners of iBUG's 68 points (68, 2)."""
    return np.stack(
        [
            landmarks[36:42].mean(axis=0),
            landmarks[42:48].mean(axis=0),
            landmarks[30],
            landmarks[48],
            landmarks[54],
        ]
    ).astype(np.float32)


def face(portrait: Portrait) -> Face:
    """The portrait's own face, as a detector would report it."""
    return Face(portrait.box, five_points(portrait.landmarks), 1.0)


def write_jpeg(path: Path, pixels: np.ndarray) -> None:
    """Writes (H, W, 3) RGB uint8 as JPEG of quality 95."""
    good, data = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95]
    )
    if not good:
        raise ValueError(f"cannot encode an array of shape {pixels.shape}, {pixels.dtype}")
    _write(path, data.tobytes())


def write_gray_png(path: Path, pixels: np.ndarray) -> None:
    """Writes (H, W, 3) RGB uint8 as gray PNG."""
    _write(path, encode_png(to_gray(pixels)))


def write_gray_tiff(path: Path, pixels: np.ndarray) -> None:
    """Writes (H, W, 3) RGB uint8 as uncompressed gray TIFF."""
    data = io.BytesIO()
    Image.fromarray(to_gray(pixels)).save(data, "TIFF")
    _write(path, data.getvalue())


def number(subject: str) -> int:
    """The number in a portrait's subject name, `s012` -> 12.

    Raises: ValueError when the name is of another form.
    """
    if not (subject[:1] == "s" and subject[1:].isdigit()):
        raise ValueError(f"subject {subject!r} is not of the form s001")
    return int(subject[1:])


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
