"""A square picture in face units onto which soft shapes are painted."""

from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import Final

import cv2
import numpy as np

SPAN: Final = 3.8
"""Side of the canvas in face units; half the width of a face is 1."""

TOP: Final = -1.85
"""y of the canvas' upper edge in face units; the eye line is y = 0, y grows downwards."""

Colour = tuple[float, float, float]
Place = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels."""

_VERTEX: Final = -2.6
"""y of the point, above the canvas, from which combed hair runs down."""

_SHIFT: Final = 4
_GRID: Final = 1 << _SHIFT
_FINER: Final = 12
_FINE: Final = _GRID << _FINER
_HALF: Final = 1 << (_FINER - 1)
"""Bounds are found in steps of 1 / _FINE pixel; _HALF a step of the grid, in those."""
_STEPS: Final = 6


def spline(points: np.ndarray, closed: bool = False, steps: int = _STEPS) -> np.ndarray:
    """A Catmull-Rom curve through (n, 2) points, (m, 2) float64; `steps` segments between each."""
    return _weights(len(points), closed, steps) @ points


@cache
def _weights(count: int, closed: bool, steps: int) -> np.ndarray:
    """(m, count) float64: each point of the curve as a mix of the points it runs through.

    Beyond the ends of an open line its first and last steps are repeated.
    """
    corners = np.eye(count)
    if closed:
        around = np.concatenate([corners[-1:], corners, corners[:2]])
        return _mix(count + 1, steps)[:-1] @ around
    before, after = 2 * corners[:1] - corners[1:2], 2 * corners[-1:] - corners[-2:-1]
    return _mix(count, steps) @ np.concatenate([before, corners, after])


def _mix(count: int, steps: int) -> np.ndarray:
    """((count - 1) * steps + 1, count + 2): each curve point as a mix of the padded points.

    Source: Catmull & Rom, "A class of local interpolating splines", 1974; tension 1/2.
    """
    t = np.arange(steps) / steps
    mix = 0.5 * np.stack(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3]
    )
    weights = np.zeros(((count - 1) * steps + 1, count + 2))
    for piece in range(count - 1):
        weights[piece * steps : (piece + 1) * steps, piece : piece + 4] = mix.T
    weights[-1, count] = 1
    return weights


def toned(colour: Colour, factor: float, shift: Colour = (0, 0, 0)) -> Colour:
    """The colour times `factor` plus `shift`, within bounds."""
    return (
        min(max(colour[0] * factor + shift[0], 0.0), 255.0),
        min(max(colour[1] * factor + shift[1], 0.0), 255.0),
        min(max(colour[2] * factor + shift[2], 0.0), 255.0),
    )


def ellipse(x: float, y: float, rx: float, ry: float, count: int = 20) -> np.ndarray:
    """(count, 2) float64 points of an ellipse."""
    return _circle(count) * (rx, ry) + (x, y)


def ribbon(line: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """(2 n, 2) outline of a line (n, 2) whose width is given at each of its points (n,)."""
    # np.gradient along the line; its own checks cost ten times as much.
    along = np.empty_like(line)
    along[1:-1] = (line[2:] - line[:-2]) / 2
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    across = along[:, ::-1] * (-1, 1) / np.maximum(np.hypot(*along.T), 1e-6)[:, None]
    half = across * (widths[:, None] / 2)
    return np.concatenate([line + half, (line - half)[::-1]])


@cache
def _circle(count: int) -> np.ndarray:
    turn = np.arange(count) * (2 * np.pi / count)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


class Canvas:
    """Red, green, blue planes (3, size, size) float32 in [0, 255]; cover (size, size) uint8."""

    def __init__(self, size: int, colour: Colour) -> None:
        self.size = size
        self.unit = size / SPAN
        self.planes = np.empty((3, size, size), np.float32)
        self.planes[:] = np.array(colour)[:, None, None]
        self.cover = np.zeros((size, size), np.uint8)
        self._shift = np.array([SPAN / 2, -TOP]) * self.unit - 0.5

    def fill(
        self,
        points: np.ndarray | Sequence[np.ndarray],
        colour: Colour,
        alpha: float = 1.0,
        blur: float = 0.0,
        clip: np.ndarray | Sequence[np.ndarray] | None = None,
        cover: bool = False,
    ) -> None:
        """Paints a polygon, or several at once; `blur` is the sigma of their edge in face units.

        clip   polygon, or several, outside of which nothing is painted
        cover  also makes the canvas opaque there
        """
        forms, place = self._place(points, 3 * blur)
        if place is None:
            return
        mask = _blank(place)
        cv2.fillPoly(mask, forms, 255, cv2.LINE_AA, _SHIFT)
        self._paint(mask, place, colour, alpha, blur, clip)
        if cover:
            x0, y0, x1, y1 = place
            under = self.cover[y0:y1, x0:x1]
            np.maximum(under, mask, out=under)

    def stroke(
        self,
        points: np.ndarray | Sequence[np.ndarray],
        colour: Colour,
        width: float,
        alpha: float = 1.0,
        blur: float = 0.0,
        clip: np.ndarray | Sequence[np.ndarray] | None = None,
    ) -> None:
        """Paints a line of constant width along (n, 2) points, or several; all in face units."""
        forms, place = self._place(points, width + 3 * blur)
        if place is None:
            return
        wide = width * self.unit
        # Lines thinner than a pixel are drawn one pixel wide and fainter.
        alpha, thickness = alpha * min(wide, 1.0), max(1, round(wide))
        mask = _blank(place)
        cv2.polylines(mask, forms, False, 255, thickness, cv2.LINE_AA, _SHIFT)
        self._paint(mask, place, colour, alpha, blur, clip)

    def streak(self, points: np.ndarray, table: np.ndarray, depth: float) -> None:
        """Darkens and lightens a polygon along rays from a point above it, as combed hair does.

        table  (n,) in [-1, 1], read across the rays; depth: how strong
        """
        forms, place = self._place(points, 0)
        if place is None:
            return
        x0, y0, x1, y1 = place
        mask = _blank(place)
        cv2.fillPoly(mask, forms, 255, cv2.LINE_AA, _SHIFT)
        xs = ((np.arange(x0, x1) + 0.5) / self.unit - SPAN / 2).astype(np.float32)
        ys = ((np.arange(y0, y1) + 0.5) / self.unit + TOP - _VERTEX).astype(np.float32)
        across = xs[None, :] / ys[:, None]
        found = ((across + 0.9) * (len(table) / 1.8)).astype(np.int32)
        tone = np.float32(depth) * table.astype(np.float32).take(found, mode="wrap")
        tone *= mask
        tone *= np.float32(1 / 255)
        tone += 1
        self.planes[:, y0:y1, x0:x1] *= tone

    def _place(
        self, points: np.ndarray | Sequence[np.ndarray], margin: float
    ) -> tuple[list[np.ndarray], Place | None]:
        """The forms in fixed-point pixels within the part of the canvas they touch, and that part.

        Pixel centres lie at whole numbers.
        """
        parts = [points] if isinstance(points, np.ndarray) else points
        every = parts[0] if len(parts) == 1 else np.concatenate(parts)
        # Whole numbers: OpenCV finds their bounds in a tenth of the time that floats take numpy.
        fine = (every * (self.unit * _FINE) + self._shift * _FINE).astype(np.int32)
        left, top, wide, tall = cv2.boundingRect(fine)
        pad = (margin * self.unit + 2) * _FINE
        x0, y0 = max(int(left - pad) // _FINE, 0), max(int(top - pad) // _FINE, 0)
        x1 = min(int(left + wide + pad) // _FINE + 2, self.size)
        y1 = min(int(top + tall + pad) // _FINE + 2, self.size)
        if x1 <= x0 or y1 <= y0:
            return [], None
        # Half a step is added, so that cutting the fraction off rounds.
        fine -= (x0 * _FINE - _HALF, y0 * _FINE - _HALF)
        fine >>= _FINER
        ends = accumulate(len(part) for part in parts)
        forms = [fine[end - len(part) : end] for part, end in zip(parts, ends, strict=True)]
        return forms, (x0, y0, x1, y1)

    def _paint(
        self,
        mask: np.ndarray,
        place: Place,
        colour: Colour,
        alpha: float,
        blur: float,
        clip: np.ndarray | Sequence[np.ndarray] | None,
    ) -> None:
        x0, y0, x1, y1 = place
        sigma = blur * self.unit
        if sigma > 0.3:
            mask = soften(mask, sigma)
        if clip is not None:
            inside, parts = _blank(place), [clip] if isinstance(clip, np.ndarray) else clip
            move = self._shift - (x0, y0)
            forms = [((part * self.unit + move) * _GRID).astype(np.int32) for part in parts]
            cv2.fillPoly(inside, forms, 255, cv2.LINE_AA, _SHIFT)
            mask = cv2.multiply(mask, inside, scale=1 / 255)
        part = self.planes[:, y0:y1, x0:x1]
        weight = mask.astype(np.float32)
        weight *= np.float32(alpha / 255)
        change = np.array(colour, np.float32)[:, None, None] - part
        change *= weight
        part += change


def _blank(place: Place) -> np.ndarray:
    return np.zeros((place[3] - place[1], place[2] - place[0]), np.uint8)


def soften(mask: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur; wide ones as three box filters, whose cost does not grow with sigma.

    Source: Kovesi, "Fast almost-Gaussian filtering", DICTA 2010, for the boxes' sides.
    """
    if sigma < 2:
        return cv2.GaussianBlur(mask, (0, 0), sigma)
    small = (int(np.sqrt(4 * sigma**2 + 1)) - 1) // 2 * 2 + 1
    count = round((12 * sigma**2 - 3 * small**2 - 12 * small - 9) / (-4 * small - 4))
    for number in range(3):
        side = small if number < count else small + 2
        mask = cv2.blur(mask, (side, side))
    return mask
