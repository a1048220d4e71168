"""The face as a relief: heights for the turn of the head, and their shading under a light."""

from typing import Final

import cv2
import numpy as np

from fer_pipeline.sample.canvas import SPAN, TOP
from fer_pipeline.sample.geometry import Shape
from fer_pipeline.sample.identity import Identity

GRID: Final = 112
"""Side of the height map that covers the canvas."""

_X: Final = ((np.arange(GRID, dtype=np.float32) + 0.5) / GRID - 0.5) * SPAN
_Y: Final = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID * SPAN + TOP


def heights(who: Identity, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Two (GRID, GRID) float32 maps in face units: the skull's smooth dome, and what stands on it.

    The dome alone is what turning the head needs; both together make the shading.
    """
    bottom = shape.points[8, 1]
    middle = (bottom - 1.5) / 2
    radius = _radius(middle, (bottom + 1.5) / 2 + 0.1)
    dome = 0.80 * (1 - np.minimum(radius, 1.7))
    return dome.astype(np.float32), _bumps(who, shape)


def _radius(middle: float, tall: float) -> np.ndarray:
    return (_X[None, :] / 1.1) ** 2 + ((_Y[:, None] - middle) / tall) ** 2


def _bumps(who: Identity, shape: Shape) -> np.ndarray:
    """Sum of separable Gaussians, each (x, y, sigma x, sigma y, height), as one matrix product."""
    rows = np.array(_features(who, shape), np.float32)
    x, y, wide, tall, high = rows.T
    across = np.exp(-0.5 * ((_X[:, None] - x) / wide) ** 2)
    down = np.exp(-0.5 * ((_Y[:, None] - y) / tall) ** 2) * high
    return (down @ across.T).astype(np.float32)


def _features(who: Identity, shape: Shape) -> list[tuple[float, float, float, float, float]]:
    p, unit = shape.points, shape.unit
    tip, base = p[30], p[33]
    wide = who.nose_width
    made = [
        (0.0, 0.06, 0.085, 0.20, 0.13),
        (0.0, (tip[1] + 0.02) * 0.62, 0.10, 0.20, 0.17),
        (0.0, tip[1] - 0.03, wide * 0.52, 0.11, 0.22),
        (0.0, base[1] + 0.13, 0.035, 0.06, -0.03),
        (0.0, p[8, 1] - 0.17, 0.20, 0.13, 0.10 + 0.08 * unit(17)),
        (0.0, (p[57, 1] + p[8, 1]) / 2 - 0.10, 0.24, 0.06, -0.05 - 0.04 * unit(17)),
        (0.0, -0.85, 0.62, 0.35, 0.07),
    ]
    cupid, under = (p[50] + p[52]) / 2, p[57]
    made += [
        (0.0, cupid[1] + 0.04, 0.24, 0.05, 0.045),
        (0.0, under[1] - 0.06, 0.20, 0.06, 0.06),
    ]
    for turn, corner, eye, brow in ((-1, 48, 36, 17), (1, 54, 42, 22)):
        acts = 1.0 if shape.side in (0, turn) else 0.0
        smile = unit(12) * acts
        centre = p[eye : eye + 6].mean(axis=0)
        ridge = p[brow : brow + 5].mean(axis=0)
        made += [
            (turn * wide * 0.80, base[1] - 0.07, 0.085, 0.085, 0.11 + 0.03 * unit(9)),
            (centre[0], centre[1] - 0.02, 0.22, 0.13, -0.11),
            (centre[0], centre[1], 0.14, 0.085, 0.055),
            (ridge[0], ridge[1] + 0.03, 0.28, 0.08, 0.06 + 0.03 * unit(4)),
            (
                turn * 0.60,
                0.50 - 0.10 * max(unit(6), smile),
                0.24,
                0.22,
                0.07 * who.cheeks + 0.10 * smile + 0.06 * unit(6) + 0.04 * unit(9),
            ),
            (p[corner, 0] + turn * 0.07, p[corner, 1] + 0.02, 0.07, 0.10, -0.03 - 0.03 * smile),
            (p[corner, 0] * 0.75, p[corner, 1] + 0.22, 0.12, 0.12, 0.05 * unit(15)),
        ]
    return made


def shading(
    dome: np.ndarray, bumps: np.ndarray, light: np.ndarray, ambient: float
) -> tuple[np.ndarray, np.ndarray]:
    """Brightness, 1 for skin that faces the light squarely, and gloss: two (GRID, GRID) float32.

    light    (3,) direction towards the light in face axes: x right, y down, z to the viewer
    ambient  share of light that comes from everywhere, 0 to 1
    """
    # Steeper than the dome that turns the head: the sides of a face fall off faster.
    surface = dome * 1.25 - 0.25 * dome**2 + bumps
    scale = GRID / SPAN / 8
    dx = cv2.Sobel(surface, cv2.CV_32F, 1, 0, ksize=3, scale=scale)
    dy = cv2.Sobel(surface, cv2.CV_32F, 0, 1, ksize=3, scale=scale)
    inverse = 1 / np.sqrt(dx * dx + dy * dy + 1)
    x, y, z = (float(part) for part in light)
    lit = np.maximum((z - dx * x - dy * y) * inverse, 0)
    # Crevices get less of the light that comes from everywhere.
    open_ = np.clip(1 + 1.6 * (bumps - cv2.blur(bumps, (9, 9))), 0.6, 1.15)
    bright = ambient * open_ * (0.55 + 0.45 * inverse) + (1 - ambient) * lit
    # Blinn's half vector: between the light and the viewer.
    half = np.array([x, y, z + 1]) / np.linalg.norm([x, y, z + 1])
    mirrored = np.maximum((half[2] - dx * half[0] - dy * half[1]) * inverse, 0)
    # The 24th power; numpy's own takes five times as long.
    eighth = np.square(np.square(np.square(mirrored)))
    gloss = eighth * eighth * eighth
    return bright.astype(np.float32), gloss.astype(np.float32)
