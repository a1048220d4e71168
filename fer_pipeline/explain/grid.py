"""The picture of a grid: faces with their heat, right cases beside wrong ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_pipeline.explain.cases import Case
from fer_pipeline.images import to_gray, to_rgb

FACE: Final = 104
"""Side of a drawn face, pixels."""

GAP: Final = 10
CAPTION: Final = 20
HEADER: Final = 92
ROWNAME: Final = 96

NAMES: Final = {
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "hirescam": "HiResCAM",
    "layercam": "LayerCAM",
    "xgradcam": "XGrad-CAM",
    "eigengradcam": "EigenGrad-CAM",
}

INK: Final = (31, 35, 40)
FAINT: Final = (140, 148, 158)
PALE: Final = (242, 244, 246)
GOOD: Final = (26, 115, 72)
BAD: Final = (176, 42, 48)


@dataclass(frozen=True, slots=True)
class Explained:
    """A case with its picture and heat: `crops` and `heat` hold one entry, for a clip several.

    crops   face crops, (H, W) or (H, W, 3) RGB, uint8
    heat    (size, size) float32 in [0, 1] each
    """

    case: Case
    crops: Sequence[np.ndarray]
    heat: Sequence[np.ndarray]


def draw(
    cells: Mapping[tuple[str, bool], Sequence[Explained]],
    classes: Sequence[str],
    title: str,
    method: str,
) -> Image.Image:
    """The grid: a row per true emotion; its right cases, then its wrong ones.

    Stills show the face beside the same face under its heat; clips show their frames under heat.
    There are as many columns as some emotion has cases; a cell without a case says `none`.
    """
    columns = {
        right: max([1, *(len(cells.get((emotion, right), ())) for emotion in classes)])
        for right in (True, False)
    }
    pictures = max((len(tiles(each)) for row in cells.values() for each in row), default=2)
    cell = pictures * FACE
    blocks = {right: count * (cell + GAP) for right, count in columns.items()}
    starts = {True: ROWNAME + GAP, False: ROWNAME + 2 * GAP + blocks[True]}
    titled = int(_font(20, bold=True).getlength(title)) + 3 * GAP
    width = max(starts[False] + blocks[False] + GAP, titled)
    height = HEADER + len(classes) * (FACE + CAPTION + GAP) + GAP
    sheet = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(sheet)
    _headings(pen, title, method, starts, blocks)
    for line, emotion in enumerate(classes):
        top = HEADER + line * (FACE + CAPTION + GAP)
        pen.text((GAP + 4, top + FACE / 2), emotion, INK, _font(14, bold=True), anchor="lm")
        for right in (True, False):
            for column in range(columns[right]):
                corner = (starts[right] + column * (cell + GAP), top)
                given = cells.get((emotion, right), ())
                _cell(sheet, pen, corner, cell, given[column] if column < len(given) else None)
    return sheet


def tiles(explained: Explained) -> list[np.ndarray]:
    """The (FACE, FACE, 3) RGB pictures of a cell: face and overlay, or each frame's overlay."""
    pairs = list(zip(explained.crops, explained.heat, strict=True))
    if len(pairs) == 1:
        return [_face(pairs[0][0]), overlay(*pairs[0])]
    return [overlay(crop, heat) for crop, heat in pairs]


def overlay(crop: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """(FACE, FACE, 3) RGB uint8: the face in gray, coloured the more the hotter."""
    face = to_rgb(to_gray(_face(crop))).astype(np.float64)
    warm = cv2.resize(heat, (FACE, FACE), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    colour = cv2.applyColorMap(np.rint(warm * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    weight = (0.75 * warm)[:, :, None]
    mixed = face * (1 - weight) + cv2.cvtColor(colour, cv2.COLOR_BGR2RGB) * weight
    return np.rint(mixed).astype(np.uint8)


def save(sheet: Image.Image, path: Path) -> None:
    """Writes the grid as PNG."""
    sheet.save(path, compress_level=6)


def _headings(
    pen: ImageDraw.ImageDraw,
    title: str,
    method: str,
    starts: Mapping[bool, int],
    blocks: Mapping[bool, int],
) -> None:
    pen.text((GAP + 4, 14), title, INK, _font(20, bold=True))
    note = f"{NAMES[method]}: bright regions speak for the predicted class; the surest come first"
    pen.text((GAP + 4, 42), note, FAINT, _font(12))
    for right, text, colour in ((True, "right", GOOD), (False, "wrong", BAD)):
        left, end = starts[right], starts[right] + blocks[right] - GAP
        pen.text((left, HEADER - 24), text, colour, _font(14, bold=True))
        pen.line((left, HEADER - 6, end, HEADER - 6), colour, 2)


def _cell(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    width: int,
    explained: Explained | None,
) -> None:
    x, y = corner
    if explained is None:
        pen.rectangle((x, y, x + width - 1, y + FACE - 1), PALE)
        pen.text((x + width / 2, y + FACE / 2), "none", FAINT, _font(12), anchor="mm")
        return
    for place, tile in enumerate(tiles(explained)):
        sheet.paste(Image.fromarray(tile), (x + place * FACE, y))
    case = explained.case
    sure = f"{case.probability:.2f}"
    text = sure if case.right else f"{case.emotion} → {case.predicted}  {sure}"
    if not any(heat.any() for heat in explained.heat):
        text += "  no heat"
    pen.text((x, y + FACE + 4), text, GOOD if case.right else BAD, _font(11))


def _face(crop: np.ndarray) -> np.ndarray:
    shrinks = min(crop.shape[:2]) > FACE
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(to_rgb(crop), (FACE, FACE), interpolation=method)


@cache
def _font(size: int, bold: bool = False) -> Any:
    # The one scalable font that is sure to be installed: matplotlib brings it.
    from matplotlib import get_data_path

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / name), size)
