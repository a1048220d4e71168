"""Brows, eyes, nose, mouth and creases, painted onto a canvas before it is shaded."""

import numpy as np

from fer_pipeline.sample.canvas import Canvas, Colour, ellipse, ribbon, spline, toned
from fer_pipeline.sample.geometry import Shape
from fer_pipeline.sample.identity import Identity

_DARK: Colour = (46, 18, 18)


def paint(canvas: Canvas, who: Identity, shape: Shape, gaze: tuple[float, float]) -> None:
    """Everything between forehead and chin; `gaze` shifts the irises, in shares of an eye."""
    _blush(canvas, who, shape)
    _creases(canvas, who, shape)
    _nose(canvas, who, shape)
    _eyes(canvas, who, shape, gaze)
    _brows(canvas, who, shape)
    _mouth(canvas, who, shape)


def _blush(canvas: Canvas, who: Identity, shape: Shape) -> None:
    red = toned(who.skin, 0.93, (14, -16, -14))
    for x in (-0.6, 0.6):
        canvas.fill(ellipse(x, 0.5, 0.24, 0.18), red, 0.35, 0.10)
    tip = shape.points[30]
    canvas.fill(ellipse(tip[0], tip[1], 0.14, 0.10), red, 0.3, 0.07)


def _eyes(canvas: Canvas, who: Identity, shape: Shape, gaze: tuple[float, float]) -> None:
    # Both at once: painting is dearer by the call than by the pixel.
    eyes = [shape.points[36:42], shape.points[42:48]]
    centres = [eye.mean(axis=0) for eye in eyes]
    upper = [spline(eye[:4]) for eye in eyes]
    lower = [spline(eye[[3, 4, 5, 0]]) for eye in eyes]
    slits = [np.concatenate([lid, under[1:-1]]) for lid, under in zip(upper, lower, strict=True)]
    sockets = [ellipse(x, y - 0.06, 0.26, 0.14) for x, y in centres]
    canvas.fill(sockets, toned(who.skin, 0.66), 0.30, 0.06)
    canvas.fill(slits, (232, 226, 222))
    _irises(canvas, who, eyes, slits, gaze)
    # The lid and its lashes throw a shadow on the ball.
    canvas.stroke([lid + (0, 0.025) for lid in upper], (70, 54, 50), 0.05, 0.45, 0.012, slits)
    lash = 0.042 if who.gender == "female" else 0.030
    lashes = [ribbon(lid, np.linspace(lash, lash * 0.7, len(lid))) for lid in upper]
    canvas.fill(lashes, toned(who.hair, 0.4), 0.95)
    canvas.stroke(lower, toned(who.skin, 0.5), 0.018, 0.6, 0.006)
    fold = 0.055 - 0.02 * shape.unit(5) + 0.01 * shape.unit(43)
    rise = np.array([[0, -0.4], [0, -1], [0, -1], [0, -0.5]]) * fold
    canvas.stroke([spline(eye[:4] + rise) for eye in eyes], toned(who.skin, 0.5), 0.02, 0.55, 0.008)
    bag = 0.18 + 0.5 * who.wrinkles + 0.6 * max(shape.unit(6), shape.unit(7), shape.unit(9))
    bags = [under + (0, 0.075) for under in lower]
    canvas.stroke(bags, toned(who.skin, 0.6), 0.03, min(bag, 0.8) * 0.7, 0.018)


def _irises(
    canvas: Canvas,
    who: Identity,
    eyes: list[np.ndarray],
    slits: list[np.ndarray],
    gaze: tuple[float, float],
) -> None:
    spots = [
        (
            float(eye[:, 0].mean()) + gaze[0] * 0.1,
            -0.012 + gaze[1] * 0.06 + 0.175 * float(eye[4, 1] + eye[1, 1]),
        )
        for eye in eyes
    ]
    for radius, colour, alpha, blur in (
        (0.108, toned(who.iris, 0.55), 1.0, 0.0),
        (0.088, who.iris, 0.9, 0.008),
        (0.045, (12, 10, 10), 1.0, 0.0),
    ):
        discs = [ellipse(x, y, radius, radius) for x, y in spots]
        canvas.fill(discs, colour, alpha, blur, slits)
    glints = [ellipse(x - 0.035, y - 0.04, 0.02, 0.02, 8) for x, y in spots]
    canvas.fill(glints, (255, 255, 255), 0.9, 0.0, slits)


def _brows(canvas: Canvas, who: Identity, shape: Shape) -> None:
    lines = [spline(shape.points[17:22]), spline(shape.points[22:27][::-1])]
    along = np.linspace(0, 1, len(lines[0]))
    widths = who.brow_weight * (0.35 + 0.75 * np.sqrt(along)) * np.where(along > 0.95, 0.8, 1)
    hair = toned(who.hair, 0.62 if sum(who.hair) > 250 else 0.9)
    canvas.fill([ribbon(line, widths * 1.1) for line in lines], hair, 0.35, 0.02)
    canvas.fill([ribbon(line, widths * 0.9) for line in lines], hair, 0.72, 0.008)


def _nose(canvas: Canvas, who: Identity, shape: Shape) -> None:
    p = shape.points
    tip, base, wide = p[30], p[33], who.nose_width
    dark = toned(who.skin, 0.55)
    out, low = float(p[35, 0]) * 1.32, float(p[35, 1])
    wing = spline(
        np.array(
            [
                [out * 0.86, tip[1] - 0.10],
                [out * 1.02, tip[1] - 0.01],
                [out * 0.97, low + 0.03],
                [out * 0.72, low + 0.045],
            ]
        )
    )
    flank = spline(np.array([[0.13, 0.0], [0.11, 0.2], [0.15, tip[1] - 0.12]]))
    holes = [ellipse(x * wide, base[1] - 0.035, 0.068, 0.032, 12) for x in (-0.42, 0.42)]
    canvas.fill(holes, toned(who.skin, 0.22), 0.85, 0.010)
    canvas.stroke([wing, wing * (-1, 1)], dark, 0.025, 0.55, 0.012)
    canvas.stroke([flank, flank * (-1, 1)], dark, 0.05, 0.22, 0.03)
    canvas.stroke(spline(p[31:36] + (0, 0.01)), dark, 0.03, 0.5, 0.014)
    canvas.fill(ellipse(0, base[1] + 0.07, 0.20, 0.05), dark, 0.22, 0.035)


def _mouth(canvas: Canvas, who: Identity, shape: Shape) -> None:
    p, unit = shape.points, shape.unit
    outer = spline(p[48:60], closed=True, steps=4)
    inner = np.concatenate([p[48:49], p[60:65], p[54:55], p[65:68]])
    slit = np.concatenate([spline(inner[:7]), spline(inner[[6, 7, 8, 9, 0]])[1:-1]])
    low = np.concatenate([spline(p[[54, 55, 56, 57, 58, 59, 48]]), spline(inner[[0, 9, 8, 7, 6]])])
    canvas.fill(outer, toned(who.lip, 0.92), 0.9, 0.010)
    canvas.fill(low, toned(who.lip, 1.12, (6, 4, 4)), 0.55, 0.02)
    gap = p[66, 1] - p[62, 1]
    if gap > 0.02:
        canvas.fill(slit, _DARK)
        _teeth(canvas, shape, slit, gap)
    line = np.concatenate([p[48:49], p[60:65], p[54:55]])
    canvas.stroke(spline(line), toned(who.lip, 0.38), 0.026, 0.9, 0.005)
    for corner, turn in ((p[48], -1), (p[54], 1)):
        acts = 1.0 if shape.side in (0, turn) else 0.0
        deep = 0.25 + 0.5 * max(unit(14) * acts, unit(12) * acts, unit(15), unit(20))
        canvas.fill(
            ellipse(corner[0] + 0.02 * turn, corner[1], 0.045, 0.04),
            toned(who.skin, 0.42),
            deep,
            0.02,
        )
    shade = np.array([[-0.17, 0.045], [0, 0.06], [0.17, 0.045]]) + p[57]
    canvas.stroke(spline(shade), toned(who.skin, 0.6), 0.05, 0.5, 0.03)


def _teeth(canvas: Canvas, shape: Shape, slit: np.ndarray, gap: float) -> None:
    p, unit = shape.points, shape.unit
    white: Colour = (236, 230, 220)
    show = 0.5 + 0.5 * max(unit(12), unit(10), unit(20), unit(16))
    height = min(gap * (0.9 if gap < 0.1 else 0.5), 0.13) * show
    top = p[60:65]
    band = np.concatenate([top + [0, -0.03], (top + [0, height])[::-1]])
    canvas.fill(band, white, 1, 0.006, slit)
    ends = np.array([[0, p[62, 1] - 0.03], [0, p[62, 1] + height]])
    gaps = [ends + [0.07 * place, 0] for place in range(-3, 4)]
    canvas.stroke(gaps, (160, 146, 136), 0.012, 0.35, 0.0, slit)
    if unit(16) > 0.2 or unit(20) > 0.4:
        under = p[[64, 65, 66, 67, 60]]
        rise = min(gap * 0.4, 0.08)
        row = np.concatenate([under + [0, 0.03], (under - [0, rise])[::-1]])
        canvas.fill(row, white, 0.92, 0.006, slit)
    if gap > 0.16:
        canvas.fill(ellipse(0, p[66, 1] + 0.02, 0.20, gap * 0.35), (168, 82, 84), 0.9, 0.02, slit)


def _creases(canvas: Canvas, who: Identity, shape: Shape) -> None:
    p, unit, old = shape.points, shape.unit, who.wrinkles
    dark = toned(who.skin, 0.48)
    for turn, corner, wing in ((-1, p[48], p[31]), (1, p[54], p[35])):
        acts = 1.0 if shape.side in (0, turn) else 0.0
        pull = max(unit(12) * acts, 0.8 * unit(10), 0.9 * unit(9), 0.6 * unit(20), 0.5 * unit(15))
        bow = 0.07 + 0.07 * unit(12) * acts
        fold = np.array(
            [
                [wing[0] * 1.45, wing[1] - 0.10],
                [wing[0] * 1.3 + turn * bow, (wing[1] + corner[1]) / 2 - 0.05],
                [corner[0] + turn * (0.05 + bow), corner[1] - 0.04],
                [corner[0] + turn * (0.03 + bow * 0.8), corner[1] + 0.10],
            ]
        )
        canvas.stroke(spline(fold), dark, 0.045, min(0.14 + 0.35 * old + 0.6 * pull, 0.85), 0.02)
        if unit(14) * acts > 0.2:
            dent = np.array([[0.07, -0.10], [0.10, 0.0], [0.06, 0.09]]) * (turn, 1)
            canvas.stroke(spline(dent + corner), dark, 0.05, 0.8 * unit(14), 0.016)
        if unit(15) > 0.2:
            sulk = np.array([[0, 0.02], [turn * 0.05, 0.12], [turn * 0.04, 0.22]]) + corner
            canvas.stroke(spline(sulk), dark, 0.04, 0.6 * unit(15), 0.02)
        _eye_corner(canvas, p[36] if turn < 0 else p[45], turn, max(unit(6), 0.4 * old), dark)
    _forehead(canvas, shape, old, dark)
    _nose_and_chin(canvas, shape, dark)


def _eye_corner(canvas: Canvas, corner: np.ndarray, turn: int, deep: float, dark: Colour) -> None:
    if deep >= 0.15:
        rays = [
            np.array([[0.04 * turn, rise * 0.5], [0.15 * turn, rise * 1.5]]) + corner
            for rise in (-0.07, 0.0, 0.07)
        ]
        canvas.stroke(rays, dark, 0.016, 0.6 * deep, 0.006)


def _forehead(canvas: Canvas, shape: Shape, old: float, dark: Colour) -> None:
    p, unit = shape.points, shape.unit
    raised = max(unit(1), unit(2))
    lines = max(0.75 * raised, 0.35 * old)
    if lines > 0.12:
        inner, outer = min(p[21, 1], p[22, 1]), p[18, 1]
        low = inner if unit(2) > 0.3 else (inner + outer) / 2
        waves = [
            spline(np.array([[-wide, low - up + 0.04], [0, low - up], [wide, low - up + 0.04]]))
            for up, wide in ((0.16, 0.5), (0.27, 0.55), (0.38, 0.5))
        ]
        canvas.stroke(waves, dark, 0.022, lines * 0.7, 0.010)
    frown = max(unit(4), 0.3 * unit(9), 0.25 * old)
    if frown > 0.12:
        furrow = np.array([[-0.02, -0.10], [-0.05, 0.02], [-0.02, 0.12]])
        furrows = [spline(furrow * [-1, 1] + p[21]), spline(furrow + p[22])]
        canvas.stroke(furrows, dark, 0.034, 0.85 * frown, 0.010)


def _nose_and_chin(canvas: Canvas, shape: Shape, dark: Colour) -> None:
    if shape.unit(9) > 0.15:
        bridge = np.array([[-0.10, -0.03], [0, 0.01], [0.10, -0.03]])
        folds = [spline(bridge + [0, y]) for y in (0.02, 0.09, 0.16)]
        canvas.stroke(folds, dark, 0.022, 0.7 * shape.unit(9), 0.008)
    if shape.unit(17) > 0.2:
        spots = ((-0.09, -0.20), (0.08, -0.22), (0.0, -0.15), (0.1, -0.14), (-0.1, -0.12))
        dents = [ellipse(x, shape.points[8, 1] + y, 0.025, 0.018, 8) for x, y in spots]
        canvas.fill(dents, dark, 0.5 * shape.unit(17), 0.012)
