"""Where the 68 points of a face lie, given who it is and which action units are at work.

Units are those of `canvas`: half an average face is 1, the eye line is y = 0, y grows downwards.
How far each unit moves what follows its description in FACS (Ekman, Friesen & Hager 2002); the
amounts are read off photographs of full displays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fer_pipeline.sample.identity import Identity

Unit = Callable[[int], float]
"""Action unit -> intensity in [0, 1]."""


@dataclass(frozen=True)
class Shape:
    """A face before it is drawn.

    points        (68, 2) float64 in iBUG order
    crown         (n, 2) float64, the skull's outline from the right temple over the top to the left
    drop          how far the jaw has sunk
    units         action unit -> intensity in [0, 1]
    side          which side a one-sided display acts on, -1 or 1; 0 both
    """

    points: np.ndarray
    crown: np.ndarray
    drop: float
    units: Mapping[int, float]
    side: int

    def unit(self, number: int) -> float:
        """Intensity of an action unit in [0, 1]."""
        return self.units.get(number, 0.0)


_JAW = np.array(
    [
        [1.00, -0.04],
        [0.995, 0.20],
        [0.965, 0.45],
        [0.91, 0.70],
        [0.82, 0.94],
        [0.68, 1.16],
        [0.49, 1.36],
        [0.26, 1.51],
        [0.0, 1.56],
    ]
)
_CROWN = np.array(
    [
        [1.01, -0.30],
        [0.98, -0.62],
        [0.89, -0.95],
        [0.70, -1.24],
        [0.40, -1.43],
        [0.0, -1.50],
    ]
)
_BROW = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


def shape(who: Identity, action_units: Mapping[int, float], side: int) -> Shape:
    """The shape of `who` under `action_units` (0 to 5).

    `side`: -1 or 1 lets units 12 and 14 act on one side of the picture only.
    """
    units = {number: level / 5 for number, level in action_units.items()}

    def unit(number: int) -> float:
        return units.get(number, 0.0)

    drop = 0.24 * unit(26) + 0.30 * unit(27)
    points = np.empty((68, 2))
    points[:17] = _jaw(who, drop, unit(17))
    for index, turn in ((17, -1), (22, 1)):
        points[index : index + 5] = _brow(who, unit, turn)
    points[27:36] = _nose(who, unit)
    for index, turn in ((36, -1), (42, 1)):
        points[index : index + 6] = _eye(who, unit, turn)
    points[48:] = _mouth(who, unit, drop, side)
    crown = np.concatenate([_CROWN[:-1], [[0.0, -1.5]], _CROWN[:-1][::-1] * [-1, 1]])
    return Shape(points, crown, drop, units, side)


def _jaw(who: Identity, drop: float, chin_up: float) -> np.ndarray:
    half = _JAW.copy()
    low = np.clip(half[:, 1] / 1.56, 0, 1)
    half[:, 0] *= 1 + (who.jaw - 1) * low
    half[6:8, 0] *= who.chin
    half[:, 1] *= 1 + (who.length - 1) * low
    half[:, 1] += drop * 0.8 * low**2 - 0.02 * chin_up * low
    half[:, 0] *= 1 - 0.12 * drop * low
    return np.concatenate([half * [-1, 1], half[-2::-1]])


def _brow(who: Identity, unit: Unit, turn: int) -> np.ndarray:
    one, two, four, nine = (unit(n) for n in (1, 2, 4, 9))
    inner = _BROW  # 0 at the temple, 1 at the nose
    x = 0.80 - 0.60 * inner
    y = -who.brow_height - who.brow_arch * np.sin(np.pi * (0.15 + 0.75 * (1 - inner))) * 1.4
    y = y + 0.07 * (1 - inner) ** 2 + 0.02
    y = y - 0.17 * one * inner**1.5 - 0.17 * two * (1 - inner) ** 0.8 - 0.05 * two * inner
    y = y + four * (0.05 + 0.13 * inner) * (1 - 0.5 * one) + 0.09 * nine * inner
    x = x - 0.08 * four * inner - 0.03 * nine * inner
    side = np.stack([x * turn, y], axis=1)
    return side if turn < 0 else side[::-1]


def _eye(who: Identity, unit: Unit, turn: int) -> np.ndarray:
    five, six, seven, nine, shut = (unit(n) for n in (5, 6, 7, 9, 43))
    one, four = unit(1), unit(4)
    upper = who.eye_open + 0.075 * five - 0.03 * seven - 0.02 * nine - 0.075 * shut
    upper = max(upper - 0.015 * four, 0.012)
    lower = max(0.062 + 0.015 * five - 0.045 * seven - 0.045 * six - 0.03 * nine, -0.005)
    width = who.eye_width
    droop = 0.03 * one * (1 - five)
    left = np.array(
        [
            [-width, -who.eye_slant],
            [-0.42 * width, -upper * 0.93 + droop],
            [0.40 * width, -upper - 0.4 * droop],
            [width, 0.012],
            [0.42 * width, lower * 0.85],
            [-0.40 * width, lower],
        ]
    )
    left[:, 0] -= who.eye_gap
    if turn < 0:
        return left
    mirrored = left * [-1, 1]
    return mirrored[[3, 2, 1, 0, 5, 4]]


def _nose(who: Identity, unit: Unit) -> np.ndarray:
    nine, ten, twelve = (unit(n) for n in (9, 10, 12))
    lift = 0.05 * nine + 0.025 * ten
    base = who.nose_length - lift
    wide = who.nose_width * (1 + 0.10 * twelve + 0.12 * nine + 0.05 * ten)
    tip = base - 0.07
    ridge = [[0.0, y] for y in (-0.06, tip * 0.33 - 0.02, tip * 0.68, tip)]
    xs = (-0.72, -0.38, 0.0, 0.38, 0.72)
    dips = (-0.015, 0.02, 0.04, 0.02, -0.015)
    nostrils = [[wide * x, base + dip] for x, dip in zip(xs, dips, strict=True)]
    return np.array(ridge + nostrils)


def _mouth(who: Identity, unit: Unit, drop: float, side: int) -> np.ndarray:
    u = {n: unit(n) for n in (9, 10, 11, 12, 14, 15, 16, 17, 20, 22, 23, 24, 25, 26, 27)}
    middle = 0.93 * (1 + (who.length - 1) * 0.6) - 0.025 * u[17] - 0.02 * u[10] - 0.015 * u[9]
    gap = 0.06 * u[25] + drop * 0.95
    tight = max(u[23], u[24])
    full = who.lips * (1 - 0.55 * tight)
    stretch = 1 - 0.25 * u[12] - 0.25 * u[20]
    upper, lower = 0.105 * full * stretch, 0.135 * full * stretch
    lift = 0.07 * u[10] + 0.05 * u[9]
    sink = 0.06 * u[16] + drop * 0.5
    corners = {turn: _corner(who, u, drop, turn, side) for turn in (-1, 1)}

    def line(t: np.ndarray, centre: float) -> np.ndarray:
        # From the corners to the middle, which lies `centre` below the closed mouth's.
        out = np.empty((len(t), 2))
        for row, at in enumerate(t):
            x, rise = corners[1 if at >= 0 else -1]
            share = abs(at)
            out[row] = x * at, middle + rise * share**1.8 + centre * (1 - share**2)
        return out

    outer_t = np.array([-1, -0.62, -0.2, 0, 0.2, 0.62, 1])
    inner_t = np.array([-0.86, -0.42, 0, 0.42, 0.86])
    above, below = -lift - 0.30 * gap, sink + 0.55 * gap - 0.05 * u[17]
    top, bottom = line(outer_t, above), line(outer_t, below)
    top[:, 1] += np.array([0, -0.55, -1.08, -0.9, -1.08, -0.55, 0]) * upper
    bottom[:, 1] += np.array([0, 0.66, 1.0, 1.05, 1.0, 0.66, 0]) * lower
    inside_top, inside_low = line(inner_t, above), line(inner_t, max(below, above))
    return np.concatenate([top, bottom[-2:0:-1], inside_top, inside_low[-2:0:-1]])


def _corner(
    who: Identity, u: Mapping[int, float], drop: float, turn: int, side: int
) -> tuple[float, float]:
    """A mouth corner: x at t = 1 (its sign comes from t), y against the middle of the mouth."""
    acts = 1.0 if side in (0, turn) else 0.0
    smile, dimple = u[12] * acts, u[14] * acts
    x = who.mouth_width + 0.14 * smile + 0.12 * u[20] + 0.03 * dimple + 0.02 * u[15]
    x -= 0.05 * max(u[23], u[24]) + 0.07 * u[22] + 0.28 * drop + 0.02 * u[17]
    y = -0.17 * smile - 0.06 * dimple + 0.14 * u[15] + 0.02 * u[20] + 0.03 * u[10] + 0.03 * u[17]
    return x, y + 0.35 * drop
