"""Pictures in, pixels out: one way to decode, to hash and to prepare them for a model.

RGB everywhere; BGR exists only inside a cv2 call.
"""

import hashlib
import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import ExifTags, Image

from fer_pipeline.errors import BadImage

VIDEOS = (".avi", ".mp4", ".mov", ".mkv", ".flv", ".webm", ".mpg", ".mpeg", ".wmv")


@dataclass(frozen=True)
class Input:
    """What a model takes: the one contract that training, API and exports share.

    size      side of the square picture, pixels
    channels  1 (gray) or 3 (RGB)
    mean, std per channel, of values in [0, 1]
    frames    1 for stills; for clip models how many frames a clip is sampled to
    """

    size: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    frames: int = 1


_DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError),
    *(struct.error, Image.DecompressionBombError),
)
"""What Pillow raises on damaged files, found by damaging some."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its EXIF orientation.

`ImageOps.exif_transpose` also writes the EXIF anew, and fails where another tag is damaged.
"""


def decode(data: bytes) -> np.ndarray:
    """Pixels of an encoded picture, upright by its EXIF: (H, W) gray or (H, W, 3) RGB, uint8.

    16-bit gray is scaled by 1/257, 16-bit colour keeps its high byte, alpha is laid on white, CMYK
    and palettes become RGB; of several frames the first counts.

    Raises: BadImage with the reason.
    """
    if not data:
        raise BadImage("the file is empty")
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            turn = _UPRIGHT.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except _DAMAGE as error:
        # PIL names the in-memory buffer by its address, which no two runs share.
        reason = str(error).split(" <_io")[0] or type(error).__name__
        raise BadImage(reason) from None
    return _pixels(picture if turn is None else picture.transpose(turn))


def _pixels(picture: Image.Image) -> np.ndarray:
    mode = picture.mode
    if mode.startswith("I") or mode == "F":
        values = np.asarray(picture).astype(np.float64)
        if not np.isfinite(values).all():
            raise BadImage("a pixel's value is not finite")
        scale = 1.0 if mode == "F" else 257.0
        return np.clip(np.rint(values / scale), 0, 255).astype(np.uint8)
    if mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        top = picture.convert("RGBA")
        ground = Image.new("RGBA", top.size, "white")
        picture = Image.alpha_composite(ground, top)
    return np.asarray(picture.convert("L" if mode in ("1", "L", "LA") else "RGB"))


def read(raw: Path, row: Mapping[str, Any]) -> np.ndarray:
    """The upright picture of a SAMPLES row: embedded image, image file, or frame of a video.

    Raises: BadImage with the reason.
    """
    if row.get("image") is not None:
        return decode_png(row["image"])
    path = raw / row["path"]
    if path.suffix.lower() in VIDEOS:
        pixels = read_frame(path, row["frame"])
    else:
        try:
            pixels = decode(path.read_bytes())
        except OSError as error:
            raise BadImage(f"cannot be opened: {error.strerror}") from None
    return apply_view(pixels, row.get("view"))


def frames(path: Path) -> list[np.ndarray]:
    """All frames of a video, each (H, W, 3) RGB uint8.

    Raises: BadImage when the file is no video or has no frame.
    """
    video = cv2.VideoCapture(str(path))
    found = []
    while True:
        good, frame = video.read()
        if not good:
            break
        found.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    video.release()
    if not found:
        raise BadImage("no frame can be read from this video")
    return found


def read_frame(path: Path, index: int) -> np.ndarray:
    """Frame `index` (0-based) of a video, (H, W, 3) RGB uint8, read by decoding up to it.

    Seeking is not used: on inter-coded video it lands on a neighbouring frame.

    Raises: BadImage.
    """
    video = cv2.VideoCapture(str(path))
    try:
        for _ in range(index):
            if not video.grab():
                raise BadImage(f"the video ends before frame {index}")
        good, frame = video.read()
    finally:
        video.release()
    if not good:
        raise BadImage(f"frame {index} cannot be read from this video")
    return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def apply_view(pixels: np.ndarray, view: str | None) -> np.ndarray:
    """The picture turned and cut as `view` says: steps `rot90`, `rot270` (counter-clockwise) and
    `crop:x0,y0,x1,y1` (pixels; negative counts from the far edge), joined by `;`.

    Raises: BadImage when nothing is left, ValueError for an unknown step.
    """
    for step in view.split(";") if view else ():
        name, _, numbers = step.partition(":")
        if name in ("rot90", "rot270"):
            pixels = np.rot90(pixels, int(name[3:]) // 90)
        elif name == "crop":
            height, width = pixels.shape[:2]
            x0, y0, x1, y1 = (int(number) for number in numbers.split(","))
            x0, x1 = (x + width if x < 0 else x for x in (x0, x1))
            y0, y1 = (y + height if y < 0 else y for y in (y0, y1))
            pixels = pixels[y0:y1, x0:x1]
            if not pixels.size:
                raise BadImage(f"view {step!r} leaves nothing of a {width} x {height} picture")
        else:
            raise ValueError(f"unknown view step {step!r}")
    return np.ascontiguousarray(pixels)


def encode_png(pixels: np.ndarray, stored: bool = False) -> bytes:
    """PNG bytes of (H, W) gray or (H, W, 3) RGB uint8; lossless, deterministic.

    stored: filtered but not deflated, for cells of a Parquet table, whose own zstd packs them as
    small; a 48 x 48 face is then written in 8 us instead of 65, and read in 7 instead of 30.
    """
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    # A level, even the least, would take twice as long for files a sixth larger.
    options = [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG]
    if stored:
        options = [
            cv2.IMWRITE_PNG_COMPRESSION,
            0,
            cv2.IMWRITE_PNG_FILTER,
            cv2.IMWRITE_PNG_FILTER_UP,
        ]
    good, data = cv2.imencode(".png", bgr, options)
    if not good:
        raise ValueError(f"cannot encode an array of shape {pixels.shape}, {pixels.dtype}")
    return data.tobytes()


def decode_png(data: bytes) -> np.ndarray:
    """Pixels of a PNG that this project wrote: (H, W) gray or (H, W, 3) RGB, uint8. Fast path."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise BadImage("the embedded PNG cannot be read")
    return pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def pixel_hash(pixels: np.ndarray) -> str:
    """32 hex digits over shape and values; equal for equal pictures whatever their file format."""
    content = hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16)
    content.update(repr(pixels.shape).encode())
    return content.hexdigest()


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) RGB uint8 of a gray or RGB picture."""
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


def to_gray(pixels: np.ndarray) -> np.ndarray:
    """(H, W) uint8 luma (ITU-R BT.601, as cv2 computes it) of a gray or RGB picture."""
    return pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def prepare(crop: np.ndarray, contract: Input) -> np.ndarray:
    """A face crop as a model takes it, before scaling: (size, size, channels) uint8.

    Shrinks by area average, enlarges bilinearly. Normalisation is `(x / 255 - mean) / std`.
    """
    pixels = to_gray(crop) if contract.channels == 1 else to_rgb(crop)
    size = contract.size
    if pixels.shape[:2] != (size, size):
        shrinks = min(pixels.shape[:2]) > size
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        pixels = cv2.resize(pixels, (size, size), interpolation=method)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
