"""Hair, ears, beard and glasses, painted onto a canvas before it is shaded."""

import numpy as np

from fer_pipeline.sample.canvas import Canvas, ellipse, spline, toned
from fer_pipeline.sample.geometry import Shape
from fer_pipeline.sample.identity import Identity

_HAIRLINE = {
    "long": ((-1.0, -0.35), (-0.86, -0.72), (-0.45, -0.98), (0.05, -1.10)),
    "bob": ((-1.0, -0.25), (-0.88, -0.66), (-0.50, -0.92), (0.10, -1.04)),
    "bun": ((-1.0, -0.45), (-0.88, -0.80), (-0.50, -1.06), (0.0, -1.14)),
    "fringe": ((-1.0, -0.30), (-0.90, -0.56), (-0.45, -0.66), (0.0, -0.68)),
    "short": ((-1.0, -0.40), (-0.88, -0.78), (-0.52, -1.00), (0.0, -1.06)),
    "parted": ((-1.0, -0.42), (-0.90, -0.80), (-0.62, -1.02), (0.30, -0.94)),
    "crop": ((-1.0, -0.48), (-0.86, -0.86), (-0.50, -1.08), (0.0, -1.12)),
}
"""The left half of the hairline in face units, from the ear to the middle of the forehead."""

_VOLUME = {"long": 0.16, "bob": 0.17, "bun": 0.07, "fringe": 0.14, "short": 0.12, "parted": 0.13}


def behind(canvas: Canvas, who: Identity) -> None:
    """Hair that hangs behind the head."""
    dark = toned(who.hair, 0.72)
    if who.style in ("long", "bob"):
        low = 1.95 if who.style == "long" else 0.95
        side = np.array([[-0.9, -1.2], [-1.22, -0.5], [-1.28, 0.4], [-1.22, low]])
        fall = np.concatenate([side, side[::-1] * (-1, 1)])
        canvas.fill(spline(fall, closed=True), dark, 1, 0, cover=True)
    if who.style == "bun":
        canvas.fill(ellipse(0, -1.62, 0.34, 0.26), dark, 1, 0, cover=True)


def neck(canvas: Canvas, who: Identity, shape: Shape) -> None:
    """The neck, over the hair behind it and under the chin."""
    wide = 0.60 if who.gender == "male" else 0.50
    # It ends where the relief does, beyond which nothing is shaded; the collar covers the rest.
    form = np.array([[-wide, 0.8], [-wide * 0.96, 1.5], [-wide * 0.8, 1.76], [-0.1, 1.9]])
    both = np.concatenate([spline(form), spline(form)[::-1] * [-1, 1]])
    canvas.fill(both, toned(who.skin, 0.86), cover=True)
    chin = shape.points[8, 1]
    canvas.fill(ellipse(0, chin - 0.05, wide * 1.2, 0.30), toned(who.skin, 0.45), 0.75, 0.09, both)


def ears(canvas: Canvas, who: Identity) -> None:
    """Both ears; hair may cover them later."""
    for turn in (-1, 1):
        canvas.fill(ellipse(turn * 1.02, 0.16, 0.13, 0.27), toned(who.skin, 0.90), cover=True)
        canvas.fill(ellipse(turn * 1.05, 0.15, 0.06, 0.17), toned(who.skin, 0.62), 0.6, 0.03)


def on_top(canvas: Canvas, who: Identity, shape: Shape, strands: np.ndarray) -> None:
    """The hair that frames the face; `strands` (n,) in [-1, 1] are its streaks."""
    if who.style == "bald":
        line = spline(np.array([[-1.0, -0.1], [-1.0, -0.42], [-0.93, -0.72]]))
        for turn in (-1, 1):
            canvas.stroke(line * [turn, 1], who.hair, 0.10, 0.6, 0.04)
        return
    half = np.array(_HAIRLINE[who.style])
    other = half[-2::-1] * [-1, 1]
    edge = spline(np.concatenate([half, other]))
    volume = _VOLUME.get(who.style, 0.06)
    grown = shape.crown[::-1] * (1 + volume * 0.55) + [0, -volume * 0.5]
    low = 0.55 if who.style in ("long", "bob") else 0.0
    sides = np.array([[-1.06, 0.05 + low]]), np.array([[1.06, 0.05 + low]])
    cap = np.concatenate([sides[0], edge, sides[1], spline(grown[::-1])])
    canvas.fill(cap, who.hair, 1, 0.015, cover=True)
    canvas.streak(cap, strands, 0.30)


def beard(canvas: Canvas, who: Identity, shape: Shape) -> None:
    """Stubble, moustache or full beard, before the mouth is painted."""
    p = shape.points
    tone = toned(who.hair, 0.85)
    if who.beard in ("stubble", "full"):
        alpha, inset = (0.30, 0.02) if who.beard == "stubble" else (0.85, 0.0)
        jaw = p[2:15] * [1 - inset, 1]
        high = p[33, 1] + 0.10
        cheek = np.array([[0.62, 0.66], [0.42, 0.72], [0, high], [-0.42, 0.72], [-0.62, 0.66]])
        canvas.fill(np.concatenate([jaw, cheek]), tone, alpha, 0.06)
    if who.beard == "moustache":
        top = p[33, 1] + 0.09
        upper = np.array([[-0.2, top + 0.02], [0, top], [0.2, top + 0.02]])
        ends = p[48] + (-0.03, 0.02), p[54] + (0.03, 0.02)
        form = np.concatenate([ends[:1], upper, ends[1:], p[[52, 51, 50]]])
        canvas.fill(form, tone, 0.9, 0.02)


def glasses(canvas: Canvas, who: Identity, shape: Shape) -> None:
    """Rims, bridge and temples; the lenses are clear but for a faint gloss."""
    if not who.glasses:
        return
    width = 0.028 if who.glasses == 1 else 0.06
    rim = (60, 58, 62) if who.glasses == 1 else (28, 22, 22)
    for turn, eye in ((-1, shape.points[36:42]), (1, shape.points[42:48])):
        x = eye[:, 0].mean()
        lens = ellipse(x, 0.03, 0.34, 0.25, 28)
        canvas.stroke(np.concatenate([lens, lens[:2]]), rim, width, 0.95)
        gloss = np.array([[x - 0.2, 0.10], [x - 0.05, -0.12]])
        canvas.stroke(gloss, (255, 255, 255), 0.05, 0.16, 0.02)
        canvas.stroke(np.array([[x + 0.33 * turn, 0.0], [turn * 1.0, -0.04]]), rim, width, 0.9)
    canvas.stroke(spline(np.array([[-0.12, 0.0], [0, -0.04], [0.12, 0.0]])), rim, width, 0.95)
