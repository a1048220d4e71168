"""Random variation of training pictures, by albumentations' operations on uint8.

What happens to a picture depends on seed, epoch and row alone (or, where rows are drawn, on its
place in the epoch's order). Flip, turn, shift and zoom are one
warp, and parameters are drawn for a whole epoch at once: albumentations' `Compose` spends nine
tenths of its time on small pictures outside the picture operations.
"""

import os
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from fer_pipeline.seeds import derive
from fer_pipeline.train.params import Augment

DRAWS: Final = (
    "flip",
    "rotate",
    "right",
    "down",
    "zoom",
    "brightness",
    "contrast",
    "erase",
    "area",
    "ratio",
    "left",
    "top",
    "gray",
)
"""One uniform number in [0, 1) per draw and name."""

RATIOS: Final = (0.3, 3.3)
"""Width / height of an erased rectangle. Source: Zhong et al., "Random erasing", AAAI 2020."""

SMALLEST: Final = 0.02
"""Its smallest share of the picture, ibidem."""


@dataclass(frozen=True)
class Recipe:
    """What is done to each of n pictures.

    matrix  (n, 2, 3) float64, pixel (x, y) of the source -> pixel of the result
    alpha, beta  (n,) float64: value * alpha + beta
    hole    (n, 4) int64 x0, y0, x1, y1, empty when x0 = x1; gray (n,) its value
    size    side of the result
    """

    matrix: np.ndarray
    alpha: np.ndarray
    beta: np.ndarray
    hole: np.ndarray
    gray: np.ndarray
    size: int


NOTHING: Final = Augment(
    flip=0, rotate=0, shift=0, zoom=0, brightness=0, contrast=0, erase=0, erase_area=SMALLEST
)
"""Settings that change no pixel."""


GROWING: Final = ("rotate", "shift", "zoom", "brightness", "contrast", "erase")


def grown(settings: Augment, epoch: int, epochs: int) -> Augment:
    """The settings of `epoch` (from 1): all but mirroring grow from nothing over `ramp` epochs.

    Networks that end in average pooling learn next to nothing from strongly varied pictures at
    first; after a few epochs on plainer ones they do.
    """
    whole = settings.ramp * epochs
    strength = settings.strength * (min(1.0, (epoch - 1) / whole) if whole else 1.0)
    weaker = {name: strength * getattr(settings, name) for name in GROWING}
    return settings.model_copy(update=weaker)


def draw(settings: Augment, size: int, target: int, count: int, seed: int, epoch: int) -> Recipe:
    """The recipe of one epoch for draws 0 to count - 1, from side `size` to `target`."""
    random = np.random.default_rng(derive("augment", seed, epoch)).random((count, len(DRAWS)))
    u = {name: random[:, column] for column, name in enumerate(DRAWS)}
    return Recipe(
        matrix=_shrunk(_matrix(settings, size, u), target / size),
        alpha=1 + settings.contrast * (2 * u["contrast"] - 1),
        beta=255 * settings.brightness * (2 * u["brightness"] - 1),
        hole=_hole(settings, target, u),
        gray=np.floor(256 * u["gray"]).astype(np.int64),
        size=target,
    )


def _matrix(settings: Augment, size: int, u: dict[str, np.ndarray]) -> np.ndarray:
    angle = np.deg2rad(settings.rotate * (2 * u["rotate"] - 1))
    scale = 1 + settings.zoom * (2 * u["zoom"] - 1)
    mirror = np.where(u["flip"] < settings.flip, -1.0, 1.0)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.stack([cos * mirror, sin, -sin * mirror, cos], axis=1).reshape(-1, 2, 2)
    centre = np.full(2, (size - 1) / 2)
    shift = settings.shift * size * (2 * np.stack([u["right"], u["down"]], axis=1) - 1)
    return np.concatenate([turn, (centre + shift - turn @ centre)[:, :, None]], axis=2)


def _shrunk(matrix: np.ndarray, scale: float) -> np.ndarray:
    """The same warp into a picture `scale` times as large; pixel centres map to centres."""
    centred = matrix.copy()
    centred[:, :, 2] += 0.5
    centred *= scale
    centred[:, :, 2] -= 0.5
    return centred


def _hole(settings: Augment, size: int, u: dict[str, np.ndarray]) -> np.ndarray:
    smallest = min(SMALLEST, settings.erase_area)
    area = size**2 * (smallest + (settings.erase_area - smallest) * u["area"])
    low, high = np.log(RATIOS)
    ratio = np.exp(low + (high - low) * u["ratio"])
    width = np.clip(np.rint(np.sqrt(area * ratio)), 1, size)
    height = np.clip(np.rint(np.sqrt(area / ratio)), 1, size)
    left = np.floor((size - width + 1) * u["left"])
    top = np.floor((size - height + 1) * u["top"])
    box = np.stack([left, top, left + width, top + height], axis=1).astype(np.int64)
    box[u["erase"] >= settings.erase] = 0
    return box


def apply(pictures: np.ndarray, draws: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Varied copies of (n, [frames,] size, size, channels) uint8, of the recipe's size.

    `draws` (n,) say which of the recipe's variations each picture gets.
    All frames of a clip are varied alike.
    """
    # It asks the package index for its newest version when imported, unless told not to.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albucore
    from albumentations.augmentations.dropout.functional import fill_holes_with_value
    from albumentations.augmentations.geometric.functional import (
        warp_affine_with_value_extension as warp,
    )

    size = (recipe.size, recipe.size)
    result = np.empty((*pictures.shape[:-3], *size, pictures.shape[-1]), np.uint8)
    for place, number in enumerate(draws.tolist()):
        stills = pictures[place : place + 1] if pictures.ndim == 4 else pictures[place]
        target = result[place : place + 1] if pictures.ndim == 4 else result[place]
        matrix, hole = recipe.matrix[number], recipe.hole[number : number + 1]
        alpha, beta, gray = recipe.alpha[number], recipe.beta[number], recipe.gray[number]
        for frame, picture in enumerate(stills):
            varied = warp(picture, matrix, size, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE, 0)
            varied = albucore.multiply_add(varied, float(alpha), float(beta), inplace=False)
            if hole[0, 2]:
                varied = fill_holes_with_value(varied, hole, gray)
            target[frame] = varied.reshape(*size, -1)
    return result
