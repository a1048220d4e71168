"""How the head is turned and where it stands in the picture."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from fer_pipeline.sample.canvas import SPAN, TOP


@dataclass(frozen=True)
class Pose:
    """Turn and place of a head.

    yaw, pitch, roll   degrees; positive yaw turns the face to the picture's right, positive pitch
                       down, positive roll clockwise
    x, y               where the point between the eyes lies, pixels
    scale              pixels per face unit
    """

    yaw: float
    pitch: float
    roll: float
    x: float
    y: float
    scale: float

    @cached_property
    def matrix(self) -> np.ndarray:
        """(2, 3) from face axes (x right, y down, z to the viewer) to picture directions."""
        yaw, pitch, roll = np.radians([self.yaw, self.pitch, self.roll])
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        nod = np.array(
            [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]]
        )
        tilt = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        return self.scale * tilt @ (nod @ turn)[:2]

    def turned(self, direction: np.ndarray) -> np.ndarray:
        """(3,) a direction of the room in face axes."""
        flat = self.matrix / self.scale
        full = np.vstack([flat, np.cross(flat[0], flat[1])])
        return full.T @ direction

    def project(self, points: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """(n, 2) picture coordinates of points (n, 2) at `depth` (n,) or (1,), in face units."""
        solid = np.empty((len(points), 3))
        solid[:, :2], solid[:, 2] = points, depth
        return solid @ self.matrix.T + [self.x, self.y]


def depth_at(field: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) heights of a square map over the canvas at points (n, 2) in face units."""
    side = len(field)
    spots = (points - [-SPAN / 2, TOP]) * (side / SPAN) - 0.5
    xs, ys = spots.T.astype(np.float32, order="C")
    return sampled(field, xs, ys)[:, 0]


def sampled(source: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """(H, W[, C]) values of a picture at pixel coordinates, (H, W) float32 each, bilinear.

    Beyond the edge the edge is repeated.
    """
    return cv2.remap(source, xs, ys, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)


def lookup(
    pose: Pose, field: np.ndarray, place: tuple[int, int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """x and y, (H, W) float32, of the face point seen at each pixel of `place` (x0, y0, x1, y1).

    A pixel's face point q solves A q + b z(q) = pixel; since z is smooth a few rounds of
    q <- A^-1 (pixel - b z(q)) find it, on a coarse grid that is then enlarged.
    """
    x0, y0, x1, y1 = place
    step = 4
    # One cell more on every side, so that no pixel lies beyond the coarse grid's centres.
    wide, tall = -(-(x1 - x0) // step) + 2, -(-(y1 - y0) // step) + 2
    xs = x0 + (np.arange(wide) - 0.5) * step - 0.5 - pose.x
    ys = y0 + (np.arange(tall) - 0.5) * step - 0.5 - pose.y
    target = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    whole = pose.matrix
    inverse = np.linalg.inv(whole[:, :2])
    base, push = target @ inverse.T, inverse @ whole[:, 2]
    found = base - push * 0.5
    for _ in range(4):
        found = base - depth_at(field, found)[:, None] * push
    coarse = found.reshape(tall, wide, 2).astype(np.float32)
    fine = cv2.resize(coarse, (wide * step, tall * step), interpolation=cv2.INTER_LINEAR)
    xs, ys = cv2.split(fine[step : step + y1 - y0, step : step + x1 - x0])
    return xs, ys
