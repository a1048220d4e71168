"""Ways in which a picture file goes wrong, each done to one file in place."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image

from fer_pipeline.images import decode
from fer_pipeline.sample.scene import clutter

_ORIENTATION: Final = 0x0112
_TURN_CLOCKWISE: Final = 6
"""EXIF orientation: turn by 90 degrees clockwise to see the picture upright."""


def truncate(path: Path, rng: np.random.Generator) -> None:
    """Keeps the first half of the bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def empty(path: Path, rng: np.random.Generator) -> None:
    """Keeps no byte."""
    path.write_bytes(b"")


def wrong_extension(path: Path, rng: np.random.Generator) -> None:
    """Stores the picture as PNG under its old name."""
    _save(path, decode(path.read_bytes()), "PNG")


def faceless(path: Path, rng: np.random.Generator) -> None:
    """Puts a place without anybody in the picture's stead."""
    height, width = decode(path.read_bytes()).shape[:2]
    _save(path, clutter((height, width), rng), "JPEG")


def rotate(path: Path, rng: np.random.Generator) -> None:
    """Turns the pixels counter-clockwise and adds the EXIF tag that turns them back."""
    tags = Image.Exif()
    tags[_ORIENTATION] = _TURN_CLOCKWISE
    pixels = np.rot90(decode(path.read_bytes()))
    Image.fromarray(pixels).save(path, "JPEG", quality=95, exif=tags)


def deepen(path: Path, rng: np.random.Generator) -> None:
    """Stores the picture as 16-bit gray, TIFF where the name says so, else PNG."""
    pixels = decode(path.read_bytes())
    gray = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    kind = "TIFF" if path.suffix.lower() in (".tif", ".tiff") else "PNG"
    _save(path, gray.astype(np.uint16) * 257, kind)


def separate(path: Path, rng: np.random.Generator) -> None:
    """Stores the picture as a CMYK JPEG, as printers' software does."""
    picture = Image.fromarray(decode(path.read_bytes())).convert("CMYK")
    picture.save(path, "JPEG", quality=95)


BREAKERS: Final[Mapping[str, Callable[[Path, np.random.Generator], None]]] = {
    "truncated": truncate,
    "empty": empty,
    "wrong_extension": wrong_extension,
    "faceless": faceless,
    "rotated": rotate,
    "deep": deepen,
    "cmyk": separate,
}
"""Fault, as `params.Faults` names it, to what does it."""


def gather(path: Path, others: tuple[Path, Path]) -> None:
    """Makes a group photo: two other pictures, half as large, to the right of the person's own."""
    pixels = decode(path.read_bytes())
    height, width = pixels.shape[:2]
    half = (width // 2, height // 2)
    column = [
        cv2.resize(decode(other.read_bytes()), half, interpolation=cv2.INTER_AREA)
        for other in others
    ]
    beside = cv2.resize(np.vstack(column), (width // 2, height))
    _save(path, np.hstack([pixels, beside]), "JPEG")


def _save(path: Path, pixels: np.ndarray, kind: str) -> None:
    data = io.BytesIO()
    options = {"quality": 95} if kind == "JPEG" else {}
    Image.fromarray(pixels).save(data, kind, **options)
    path.write_bytes(data.getvalue())
