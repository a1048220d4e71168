"""The examples that one training learns from, or is validated on."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Part:
    """The training or the validation examples.

    pixels   (all, [frames,] size, size, channels) uint8, of more examples than these
    places   (n,) where in `pixels` these examples lie
    lengths  (n,) int64 frames of each clip; None for stills
    peaks    (n,) int64 place of the frame at the expression's height, -1: not known; None likewise
    targets  (n, classes) float32, rows sum to 1
    truth    (n,) int64; -1: without a single label
    ratings  (n, D) float32 of the dimensions that are learnt, NaN where there is none
    """

    ids: tuple[str, ...]
    pixels: np.ndarray
    places: np.ndarray
    lengths: np.ndarray | None
    peaks: np.ndarray | None
    targets: np.ndarray
    truth: np.ndarray
    ratings: np.ndarray
