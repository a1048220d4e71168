"""Pictures and parts of them resized as torch's `interpolate(mode="area")` does, in one pass.

Target pixel i averages the source pixels floor(i * s / t) ... ceil((i + 1) * s / t) - 1, all alike:
differences of one table of running sums, so that any size costs only its target pixels.
"""

import cv2
import numpy as np


class Integral:
    """Running sums over one picture (H, W, 3) RGB uint8, for MTCNN's nets.

    Results are (n, 3, h, w) float32 of (value - 127.5) / 128.
    """

    def __init__(self, pixels: np.ndarray) -> None:
        self.height, self.width = pixels.shape[:2]
        # int32 overflows beyond 8.4 million white pixels, but wraps: differences stay exact
        # as long as one target pixel averages fewer than that.
        self._sums = cv2.integral(pixels, sdepth=cv2.CV_32S)
        self._flat = self._sums.reshape(-1, 3)

    def resized(self, height: int, width: int) -> np.ndarray:
        """The whole picture, (1, 3, height, width)."""
        top, bottom = _bins(self.height, height)
        left, right = _bins(self.width, width)
        rows = self._sums[bottom] - self._sums[top]
        sums = rows[:, right] - rows[:, left]
        areas = np.outer(bottom - top, right - left)
        return _normalised(sums, areas[:, :, None]).transpose(2, 0, 1)[None]

    def crops(self, boxes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The boxes (m, 4) that hold a pixel, and each as a picture (m, 3, size, size).

        A box is cut to the picture; its corners count pixels from one, as in the original MTCNN.
        """
        whole = np.trunc(boxes).astype(np.int64)
        near = np.maximum(whole[:, :2], 1) - 1
        far = np.minimum(whole[:, 2:], [self.width, self.height])
        good = (far > near).all(axis=1)
        near, far = near[good], far[good]
        left, right = _bins(far[:, :1] - near[:, :1], size)
        top, bottom = _bins(far[:, 1:] - near[:, 1:], size)
        left, right = left + near[:, :1], right + near[:, :1]
        top, bottom = top + near[:, 1:], bottom + near[:, 1:]
        areas = (bottom - top)[:, :, None] * (right - left)[:, None, :]
        sums = self._corner(bottom, right) - self._corner(bottom, left)
        sums -= self._corner(top, right)
        sums += self._corner(top, left)
        return boxes[good], np.ascontiguousarray(
            _normalised(sums, areas[..., None]).transpose(0, 3, 1, 2)
        )

    def _corner(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        index = (rows * (self.width + 1))[:, :, None] + columns[:, None, :]
        return self._flat.take(index, axis=0)


def _bins(source: int | np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray]:
    """First source pixel and one past the last, for each target pixel."""
    index = np.arange(target)
    return index * source // target, -(-(index + 1) * source // target)


def _normalised(sums: np.ndarray, areas: np.ndarray) -> np.ndarray:
    mean = sums.astype(np.float32) / areas.astype(np.float32)
    return (mean - np.float32(127.5)) * np.float32(1 / 128)
