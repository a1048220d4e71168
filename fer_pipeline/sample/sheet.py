"""The contact sheet: a few people of a set, each showing every emotion."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.outputs import atomic
from fer_pipeline.portraits import Portrait

_CELL: Final = 128
_GAP: Final = 6
_LEFT: Final = 118
_HEAD: Final = 84
_INK: Final = (34, 34, 40)
_PALE: Final = (120, 120, 128)


def write(path: Path, title: str, note: str, portraits: Iterable[Portrait]) -> None:
    """Writes a PNG with one row per emotion and one column per subject.

    A cell shows the face box with room around it; a missing one stays blank.
    """
    faces = {(face.emotion, face.subject): face for face in portraits}
    rows = [emotion for emotion in EMOTIONS if any(key[0] == emotion for key in faces)]
    columns = sorted({subject for _, subject in faces})
    step = _CELL + _GAP
    size = (_LEFT + step * len(columns) + 12, _HEAD + step * len(rows) + 8)
    page = Image.new("RGB", size, (250, 250, 248))
    pen = ImageDraw.Draw(page)
    pen.text((14, 12), title, _INK, _font(20))
    pen.text((14, 39), note, _PALE, _font(13))
    for row, emotion in enumerate(rows):
        y = _HEAD + row * step
        pen.text((14, y + _CELL // 2), emotion, _INK, _font(15), anchor="lm")
        for column, subject in enumerate(columns):
            x = _LEFT + column * step
            if row == 0:
                pen.text((x + _CELL // 2, _HEAD - 8), subject, _PALE, _font(13), anchor="mb")
            if (emotion, subject) in faces:
                page.paste(Image.fromarray(cell(faces[emotion, subject])), (x, y))
    with atomic(path) as part:
        page.save(part, "PNG", compress_level=3)


def cell(portrait: Portrait) -> np.ndarray:
    """(128, 128, 3) uint8: the face with room around it, as sharp as the picture is."""
    height, width = portrait.pixels.shape[:2]
    x0, y0, x1, y1 = (float(edge) for edge in portrait.box)
    side = min(max(x1 - x0, y1 - y0) * 1.35, height, width)
    left = int(np.clip((x0 + x1 - side) / 2, 0, width - side))
    top = int(np.clip((y0 + y1 - side) / 2 - 0.04 * side, 0, height - side))
    part = portrait.pixels[top : top + int(side), left : left + int(side)]
    method = cv2.INTER_AREA if side > _CELL else cv2.INTER_CUBIC
    return cv2.resize(part, (_CELL, _CELL), interpolation=method)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
