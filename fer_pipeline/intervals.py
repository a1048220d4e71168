"""How sure a score is: Wilson's interval and the stratified bootstrap."""

from collections.abc import Iterator, Sequence
from statistics import NormalDist

import numpy as np

CHUNK = 4_000_000
"""Weights held at once, so that memory does not grow with rows times resamples."""


def quantile(confidence: float) -> float:
    """z such that a standard normal lies within +-z with probability `confidence`."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(share: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a share `share` (in [0, 1]) seen over `n` rows.

    Source: Wilson 1927, JASA 22(158); the score interval, without continuity correction.

    Raises: ValueError without rows.
    """
    if n < 1:
        raise ValueError(f"no interval over {n} rows")
    z2 = quantile(confidence) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = (z2 * (share * (1 - share) / n + z2 / (4 * n * n))) ** 0.5 / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_weights(
    strata: Sequence[np.ndarray], resamples: int, seed: int
) -> Iterator[np.ndarray]:
    """How often each row is drawn in each resample, (resamples, N) float32 in chunks of resamples.

    strata: row numbers of each stratum, together 0 to N - 1; each is drawn with replacement to its
    own size, so that every resample keeps the strata's sizes. Efron & Tibshirani 1993, ch. 8.
    """
    rows = sum(len(members) for members in strata)
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK // max(1, rows))
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        weights = np.empty((count, rows), np.float32)
        shift = np.arange(count)[:, None]
        for members in strata:
            size = len(members)
            drawn = rng.integers(size, size=(count, size)) + shift * size
            hits = np.bincount(drawn.ravel(), minlength=count * size)
            weights[:, members] = hits.reshape(count, size)
        yield weights


def percentile(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrapped values (B,), those that are NaN left out.

    NaN, NaN when none is left.
    """
    kept = values[~np.isnan(values)]
    if not len(kept):
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(kept, [tail, 1 - tail])
    return float(low), float(high)


def groups(labels: Sequence[object]) -> list[np.ndarray]:
    """Row numbers of each distinct label, in the order of first appearance."""
    members: dict[object, list[int]] = {}
    for row, label in enumerate(labels):
        members.setdefault(label, []).append(row)
    return [np.array(rows) for rows in members.values()]
