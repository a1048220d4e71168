"""Pictures as data URIs, so that the page needs no other file."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image


@dataclass(frozen=True, slots=True)
class Embedded:
    """A picture inside the page: its data URI, width and height in pixels."""

    uri: str
    width: int
    height: int


def embed(path: Path, width: int, quality: int) -> Embedded:
    """The picture as WebP, shrunk to at most `width` pixels."""
    with Image.open(path) as picture:
        small = picture.convert("RGB")
    if small.width > width:
        height = round(small.height * width / small.width)
        small = small.resize((width, height), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    small.save(data, "WEBP", quality=quality, method=2)
    text = base64.b64encode(data.getvalue()).decode("ascii")
    return Embedded(f"data:image/webp;base64,{text}", small.width, small.height)
