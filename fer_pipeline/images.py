"""Pictures in, pixels out: one way to decode, to hash and to prepare them for a model.

RGB everywhere; BGR exists only inside a cv2 call.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

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


def decode(data: bytes) -> np.ndarray:
    """Pixels of an encoded picture, upright by its EXIF: (H, W) gray or (H, W, 3) RGB, uint8.

    16-bit is scaled by 1/257, alpha is laid on white, CMYK and palettes become RGB.

    Raises: BadImage with the reason.
    """
    if not data:
        raise BadImage("the file is empty")
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            return _pixels(ImageOps.exif_transpose(picture))
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
    ) as error:
        # PIL names the in-memory buffer by its address, which no two runs share.
        reason = str(error).split(" <_io")[0] or type(error).__name__
        raise BadImage(reason) from None


def _pixels(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        values = np.asarray(picture).astype(np.float64)
        scale = 257.0 if picture.mode != "F" else 1.0
        return np.clip(np.rint(values / scale), 0, 255).astype(np.uint8)
    if picture.mode in ("L", "1"):
        return np.asarray(picture.convert("L"))
    if "A" in picture.mode or "transparency" in picture.info:
        top = picture.convert("RGBA")
        ground = Image.new("RGBA", top.size, "white")
        return np.asarray(Image.alpha_composite(ground, top).convert("RGB"))
    return np.asarray(picture.convert("RGB"))


def read(raw: Path, row: Mapping[str, Any]) -> np.ndarray:
    """The upright picture of a SAMPLES row: embedded image, image file, or frame of a video.

    Raises: BadImage with the reason.
    """
    if row.get("image") is not None:
        return decode(row["image"])
    path = raw / row["path"]
    if path.suffix.lower() in VIDEOS:
        pixels = read_frame(path, row["frame"])
    else:
        try:
            pixels = decode(path.read_bytes())
        except OSError as error:
            raise BadImage(f"cannot be opened: {error.strerror}") from None
    return apply_view(pixels, row.get("view"))


def frames(path: Path) -> "list[np.ndarray]":
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
        else:
            raise ValueError(f"unknown view step {step!r}")
    return np.ascontiguousarray(pixels)


def encode_png(pixels: np.ndarray) -> bytes:
    """PNG bytes of (H, W) gray or (H, W, 3) RGB uint8; lossless, deterministic."""
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    good, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])
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
