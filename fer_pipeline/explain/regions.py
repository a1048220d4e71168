"""Parts of an aligned face, and how much of a heat map lies on each."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from fer_pipeline.faces import TEMPLATE, TEMPLATE_SIZE

BORDER: Final = 0.1
"""Width of the outer frame, as share of the side: hair, ears, background."""

REGIONS: Final = ("eyes", "nose", "mouth", "border", "elsewhere")


def masks(size: int) -> Mapping[str, np.ndarray]:
    """(size, size) bool per region, disjoint and covering everything.

    The regions follow `faces.TEMPLATE`. With d the distance between the eyes: `eyes` reaches from
    the brows (0.6 d above the eyes) to 0.3 d below and 0.5 d beyond each eye; `mouth` 0.4 d around
    its corners; `nose` is what lies between them, as wide as the eyes are apart; `border` is the
    outer tenth; `elsewhere` cheeks, forehead and chin. A set that comes cropped (`precropped`)
    meets the template only roughly: the bands are that generous.
    """
    points = TEMPLATE.astype(np.float64) / TEMPLATE_SIZE
    eyes, mouth = points[:2], points[3:]
    d = eyes[1, 0] - eyes[0, 0]
    centre = (np.arange(size) + 0.5) / size
    x, y = centre[None, :], centre[:, None]
    border = np.maximum(np.abs(x - 0.5), np.abs(y - 0.5)) > 0.5 - BORDER
    in_eyes = _box(
        x,
        y,
        (eyes[0, 0] - 0.5 * d, eyes[1, 0] + 0.5 * d),
        (eyes[:, 1].mean() - 0.6 * d, eyes[:, 1].mean() + 0.3 * d),
    )
    in_mouth = _box(
        x,
        y,
        (mouth[0, 0] - 0.4 * d, mouth[1, 0] + 0.4 * d),
        (mouth[:, 1].mean() - 0.4 * d, mouth[:, 1].mean() + 0.4 * d),
    )
    in_nose = _box(x, y, (eyes[0, 0], eyes[1, 0]), (eyes[:, 1].mean(), mouth[:, 1].mean()))
    found: dict[str, np.ndarray] = {}
    taken = border
    for name, inside in (("eyes", in_eyes), ("mouth", in_mouth), ("nose", in_nose)):
        found[name] = inside & ~taken
        taken = taken | inside
    found |= {"border": border, "elsewhere": ~taken}
    return {name: found[name] for name in REGIONS}


def shares(heat: np.ndarray) -> np.ndarray:
    """Share of each map's heat per region, (N, 5) float64 in the order of REGIONS, rows sum to 1.

    heat: (N, size, size), not negative. A map without any heat gives a row of zeros.
    """
    heat = heat.astype(np.float64)
    total = heat.sum(axis=(1, 2))
    total[total == 0] = 1.0
    parts = [heat[:, mask].sum(axis=1) / total for mask in masks(heat.shape[-1]).values()]
    return np.stack(parts, axis=1)


def areas(size: int) -> np.ndarray:
    """Share of the picture that each region takes, (5,): what a map without focus would give."""
    return np.array([mask.mean() for mask in masks(size).values()])


def _box(
    x: np.ndarray, y: np.ndarray, across: tuple[float, float], down: tuple[float, float]
) -> np.ndarray:
    return (x >= across[0]) & (x <= across[1]) & (y >= down[0]) & (y <= down[1])
