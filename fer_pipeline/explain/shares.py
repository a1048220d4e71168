"""Averages of the shares that each face region gets of a model's heat."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fer_pipeline.explain.cases import Case
from fer_pipeline.explain.regions import REGIONS, areas, shares

DIGITS = 4


def summarise(cases: Sequence[Case], heat: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Numbers of pictures and mean shares: over all, right, wrong, and per true emotion.

    heat: (N, size, size), one map per case. `area` is what a map without focus would give. Groups
    without any map are left out.
    """
    parts = shares(heat)
    right = np.array([case.right for case in cases])
    truth = np.array([case.emotion for case in cases])
    warm = np.asarray(heat.any(axis=(1, 2)))
    groups: dict[str, np.ndarray] = {
        "all": np.full(len(cases), True),
        "right": right,
        "wrong": ~right,
    }
    return {
        "images": len(cases),
        "right": int(right.sum()),
        "wrong": int((~right).sum()),
        "blank": int((~warm).sum()),
        "area": _named(areas(heat.shape[-1])),
        "shares": _means(parts, warm, groups),
        "per_class": _means(parts, warm, {name: np.equal(truth, name) for name in classes}),
    }


def headline(numbers: Mapping[str, Any]) -> dict[str, float]:
    """The few numbers that `dvc metrics` shows: pictures, and the mean share of each region."""
    return {"images": numbers["images"], **numbers["shares"].get("all", {})}


def _means(
    parts: np.ndarray, warm: np.ndarray, groups: dict[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    return {
        name: _named(parts[inside & warm].mean(axis=0))
        for name, inside in groups.items()
        if (inside & warm).any()
    }


def _named(values: np.ndarray) -> dict[str, float]:
    return {name: round(float(value), DIGITS) for name, value in zip(REGIONS, values, strict=True)}
