"""What surrounds a head: backdrop, shoulders, things in front of it, and the camera."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np

from fer_pipeline.sample.canvas import Colour, ellipse, spline, toned
from fer_pipeline.sample.identity import Identity
from fer_pipeline.sample.pose import Pose
from fer_pipeline.sample.render import Head

_SHIFT: Final = 4


@dataclass(frozen=True)
class Camera:
    """What the camera does to a picture.

    blur      sigma of the lens, pixels
    noise     sigma of the sensor, gray levels
    contrast  slope around mid gray; gamma: exponent of the brightness
    gray      no colour
    """

    blur: float
    noise: float
    contrast: float
    gamma: float
    gray: bool


def plain(size: tuple[int, int], rng: np.random.Generator, tone: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8 studio wall: one colour with brightness in `tone`, falling off to a side."""
    height, width = size
    colour = (rng.uniform(*tone) + rng.uniform(-8, 8, 3)).astype(np.float32)
    fall = rng.uniform(-0.18, 0.18, 2).astype(np.float32)
    xs, ys = (np.linspace(-1, 1, side, dtype=np.float32) for side in (width, height))
    field = 1 + fall[0] * xs[None, :] + fall[1] * ys[:, None]
    return cv2.merge([cv2.convertScaleAbs(field * channel) for channel in colour])


def clutter(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8 out-of-focus place: soft colours, then boxes and lamps before them."""
    height, width = size
    base = rng.uniform(30, 215, (1, 1, 1)) + rng.normal(0, 22, (5, 5, 3))
    field = cv2.resize(base.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(int(rng.integers(3, 9))):
        x, y = rng.uniform(-0.2, 1.0, 2) * (width, height)
        w, h = rng.uniform(0.08, 0.6, 2) * (width, height)
        colour = rng.uniform(10, 240) + rng.normal(0, 28, 3)
        if rng.random() < 0.6:
            corners = (int(x), int(y)), (int(x + w), int(y + h))
            cv2.rectangle(field, *corners, colour.tolist(), -1)
        else:
            cv2.circle(field, (int(x), int(y)), int(w / 2) + 1, colour.tolist(), -1)
    sigma = rng.uniform(0.01, 0.05) * width
    return np.clip(cv2.GaussianBlur(field, (0, 0), sigma), 0, 255).astype(np.uint8)


def shoulders(picture: np.ndarray, who: Identity, pose: Pose, cloth: Colour, light: float) -> None:
    """Draws the upper body into the picture, in place; it follows half of the head's tilt."""
    body = Pose(pose.yaw * 0.3, 0.0, pose.roll * 0.3, pose.x, pose.y, pose.scale)
    half = np.array([[0.52, 1.62], [0.80, 1.92], [1.55, 2.12], [2.15, 2.55], [2.5, 4.5]])
    form = np.concatenate([spline(half), spline(half)[::-1] * [-1, 1]])
    _fill(picture, body.project(form, np.array([-0.5])), toned(cloth, light))
    opening = np.array([[-0.58, 1.60], [-0.40, 2.02], [0.0, 2.28], [0.40, 2.02], [0.58, 1.60]])
    _fill(picture, body.project(spline(opening), np.array([-0.4])), toned(who.skin, 0.60 * light))


def overlay(picture: np.ndarray, head: Head) -> None:
    """Lays the head over the picture, in place."""
    x0, y0, x1, y1 = head.place
    part = picture[y0:y1, x0:x1]
    weight = np.multiply(head.cover, np.float32(1 / 255), dtype=np.float32)
    part[:] = cv2.blendLinear(head.pixels, np.ascontiguousarray(part), weight, 1 - weight)


def occlude(
    picture: np.ndarray, who: Identity, pose: Pose, rng: np.random.Generator, light: float
) -> None:
    """Draws something before the face, in place: a hand at the cheek, or an object at the edge."""
    side = 1 if rng.random() < 0.5 else -1
    if rng.random() < 0.5:
        _hand(picture, who, pose, side, light, rng)
        return
    height, width = picture.shape[:2]
    edge = pose.project(np.array([[side * rng.uniform(0.72, 0.95), 0.3]]), np.array([0.3]))[0, 0]
    lean = rng.uniform(-0.15, 0.15) * height
    far = width + height if side > 0 else -height
    form = np.array([[edge - lean, -4], [far, -4], [far, height + 4], [edge + lean, height + 4]])
    _fill(picture, form, tuple(rng.uniform(10, 190, 3) * light))  # type: ignore[arg-type]


def _hand(
    picture: np.ndarray,
    who: Identity,
    pose: Pose,
    side: int,
    light: float,
    rng: np.random.Generator,
) -> None:
    at = np.array([side * rng.uniform(0.80, 0.95), rng.uniform(1.15, 1.45)])
    skin = toned(who.skin, 0.92 * light)
    near = np.array([0.6])
    palm = ellipse(at[0] + side * 0.1, at[1] + 0.35, 0.36, 0.46)
    _fill(picture, pose.project(palm, near), skin)
    for finger in range(4):
        root = at + [side * (0.26 - 0.15 * finger), 0.12]
        end = root + [-side * 0.06, -0.52 - 0.08 * (finger in (1, 2))]
        line = pose.project(np.array([root, end]), near)
        for width, tone in ((0.17, 0.62), (0.14, 1.0)):
            path = np.rint(line * (1 << _SHIFT)).astype(np.int32)
            thick = max(1, round(width * pose.scale))
            cv2.polylines(picture, [path], False, toned(skin, tone), thick, cv2.LINE_AA, _SHIFT)


def photograph(picture: np.ndarray, camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8 RGB: the picture as the camera records it."""
    seen = picture
    if camera.gray:
        seen = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
    if camera.blur > 0.2:
        seen = cv2.GaussianBlur(seen, (0, 0), camera.blur)
    levels = (np.arange(256) / 255) ** camera.gamma * 255
    curve = (levels - 118) * camera.contrast + 118
    seen = cv2.LUT(seen, np.clip(curve, 0, 255).astype(np.uint8))
    if camera.noise > 0:
        height, width = seen.shape[:2]
        film = _film()
        y, x = rng.integers(0, film.shape[0] - height), rng.integers(0, film.shape[1] - width)
        grain = film[y : y + height, x : x + width] * np.float32(camera.noise)
        planes = [cv2.add(plane, grain, dtype=cv2.CV_8U) for plane in cv2.split(seen)]
        seen = cv2.merge(planes)
    return cv2.cvtColor(seen, cv2.COLOR_GRAY2RGB) if camera.gray else seen


@cache
def _film() -> np.ndarray:
    """(800, 1000) float32 standard normal grain; each picture sees another window of it.

    Drawing new noise for every video frame would cost more than drawing the face.
    """
    return np.random.default_rng(0).standard_normal((800, 1000), np.float32)


def _fill(picture: np.ndarray, points: np.ndarray, colour: Colour) -> None:
    fixed = np.rint(np.clip(points, -4000, 8000) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(picture, [fixed], colour, cv2.LINE_AA, _SHIFT)
