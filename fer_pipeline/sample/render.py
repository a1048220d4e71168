"""One face drawn: identity, expression, pose and light to pixels and 68 points."""

from dataclasses import dataclass

import cv2
import numpy as np

from fer_pipeline.sample import features, hair, relief
from fer_pipeline.sample.canvas import SPAN, TOP, Canvas, spline
from fer_pipeline.sample.geometry import Shape
from fer_pipeline.sample.identity import Identity
from fer_pipeline.sample.pose import Pose, depth_at, lookup, sampled


@dataclass(frozen=True)
class Light:
    """A lamp and what the room gives.

    direction  (3,) towards the lamp in the room: x right, y down, z to the viewer
    ambient    share of light from everywhere, 0 to 1
    strength   1 leaves a squarely lit skin its own colour
    tint       RGB factors of the lamp
    """

    direction: tuple[float, float, float]
    ambient: float
    strength: float
    tint: tuple[float, float, float]


@dataclass(frozen=True)
class Head:
    """A drawn head, ready to be laid over a background.

    pixels     (h, w, 3) uint8 RGB; cover: (h, w) uint8 opacity
    place      x0, y0, x1, y1 in the picture, pixels
    landmarks  (68, 2) float32 picture pixels, iBUG order
    box        (4,) float32 picture pixels xyxy: forehead to chin, ear to ear
    """

    pixels: np.ndarray
    cover: np.ndarray
    place: tuple[int, int, int, int]
    landmarks: np.ndarray
    box: np.ndarray


def head(
    who: Identity,
    shape: Shape,
    pose: Pose,
    light: Light,
    frame: tuple[int, int],
    gaze: tuple[float, float],
    strands: np.ndarray,
) -> Head:
    """The head as seen in a picture of `frame` (height, width) pixels."""
    dome, bumps = relief.heights(who, shape)
    canvas = _paint(who, shape, pose, gaze, strands)
    field = dome + 0.7 * bumps
    landmarks = pose.project(shape.points, depth_at(field, shape.points)).astype(np.float32)
    box = _box(shape, pose, field)
    place = _place(canvas, pose, field, frame)
    seen = lookup(pose, field, place)
    spots = _pixels(seen, canvas.unit)
    painted = cv2.merge([cv2.convertScaleAbs(plane) for plane in canvas.planes])
    colours = sampled(painted, *spots)
    cover = sampled(canvas.cover, *spots)
    pixels = _lit(colours, seen, (dome, bumps), pose, light)
    return Head(pixels, cover, place, landmarks, box)


def outline(shape: Shape) -> np.ndarray:
    """(n, 2) closed outline of skull and jaw in face units."""
    return spline(np.concatenate([shape.points[:17], shape.crown]), closed=True, steps=4)


def _paint(
    who: Identity, shape: Shape, pose: Pose, gaze: tuple[float, float], strands: np.ndarray
) -> Canvas:
    # Twice the picture's resolution: sampling it down then averages 2 x 2 and leaves no stairs.
    size = int(min(max(2 * pose.scale * SPAN, 120), 352))
    canvas = Canvas(size, who.skin)
    hair.behind(canvas, who)
    hair.neck(canvas, who, shape)
    hair.ears(canvas, who)
    canvas.fill(outline(shape), who.skin, cover=True)
    hair.beard(canvas, who, shape)
    features.paint(canvas, who, shape, gaze)
    hair.on_top(canvas, who, shape, strands)
    hair.glasses(canvas, who, shape)
    return canvas


def _lit(
    colours: np.ndarray,
    seen: tuple[np.ndarray, np.ndarray],
    surface: tuple[np.ndarray, np.ndarray],
    pose: Pose,
    light: Light,
) -> np.ndarray:
    """The colours (H, W, 3) under the light, uint8; `seen` is where they lie on the face."""
    direction = np.array(light.direction) / np.linalg.norm(light.direction)
    towards = pose.turned(direction)
    bright, gloss = relief.shading(*surface, towards, light.ambient)
    both = cv2.merge([bright * (1.18 * light.strength), gloss * (26 * light.strength)])
    factor, shine = cv2.split(sampled(both, *_pixels(seen, len(bright) / SPAN)))
    lit = [
        cv2.add(cv2.multiply(plane, factor * tint, dtype=cv2.CV_32F), shine, dtype=cv2.CV_8U)
        for plane, tint in zip(cv2.split(colours), light.tint, strict=True)
    ]
    return cv2.merge(lit)


def _pixels(seen: tuple[np.ndarray, np.ndarray], unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Face coordinates x, y as those of a map over the canvas with `unit` pixels a face unit."""
    xs, ys = seen
    return (xs + SPAN / 2) * unit - 0.5, (ys - TOP) * unit - 0.5


def _place(
    canvas: Canvas, pose: Pose, field: np.ndarray, frame: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The part of the picture that what is painted can reach, pixels x0, y0, x1, y1."""
    x, y, wide, tall = cv2.boundingRect(canvas.cover)
    edge = np.linspace(0, 1, 9)
    xs, ys = np.meshgrid(x + edge * wide, y + edge * tall)
    points = np.column_stack([xs.ravel(), ys.ravel()]) / canvas.unit + [-SPAN / 2, TOP]
    seen = pose.project(points, depth_at(field, points))
    left, top = np.floor(seen.min(axis=0)).astype(int).tolist()
    right, bottom = (np.ceil(seen.max(axis=0)).astype(int) + 1).tolist()
    height, width = frame
    return (
        min(max(left, 0), width - 1),
        min(max(top, 0), height - 1),
        min(max(right, 1), width),
        min(max(bottom, 1), height),
    )


def _box(shape: Shape, pose: Pose, field: np.ndarray) -> np.ndarray:
    points = np.concatenate([shape.points[:17], [[-0.8, -0.75], [0, -0.85], [0.8, -0.75]]])
    seen = pose.project(points, depth_at(field, points))
    return np.concatenate([seen.min(axis=0), seen.max(axis=0)]).astype(np.float32)
