"""For sets whose pictures are face crops already: the face is the whole picture.

Detect keeps such a picture at its own size, without alignment.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fer_pipeline.faces import Face, no_landmarks
from fer_pipeline.params import Section, check


class Options(Section):
    """None."""


def load(device: str, **options: Any) -> Callable[[Sequence[np.ndarray]], list[list[Face]]]:
    """A detector that finds one face per picture, its box the whole picture, score 1.

    Raises: BadParams for any option, ValueError for a device other than the CPU.
    """
    if device != "cpu":
        raise ValueError(f"precropped runs on the CPU only, not on {device!r}")
    check(Options, options, "detect.options.precropped")

    def detect(images: Sequence[np.ndarray]) -> list[list[Face]]:
        return [[_whole(pixels)] for pixels in images]

    return detect


def _whole(pixels: np.ndarray) -> Face:
    height, width = pixels.shape[:2]
    return Face(np.array([0, 0, width, height], np.float32), no_landmarks(), 1.0)
