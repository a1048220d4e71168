"""How sure a score is: Wilson's interval, the stratified bootstrap, and both over persons."""

from collections.abc import Iterator, Sequence
from statistics import NormalDist

import numpy as np

CHUNK = 4_000_000
"""Weights held at once, so that memory does not grow with rows times resamples."""


def quantile(confidence: float) -> float:
    """z such that a standard normal lies within +-z with probability `confidence`."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(share: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a share `share` (in [0, 1]) seen over `n` rows, or what they are worth.

    Source: Wilson 1927, JASA 22(158); the score interval, without continuity correction.

    Raises: ValueError without rows.
    """
    if n <= 0:
        raise ValueError(f"no interval over {n} rows")
    z2 = quantile(confidence) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = (z2 * (share * (1 - share) / n + z2 / (4 * n * n))) ** 0.5 / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def independent_items(
    right: np.ndarray, item: np.ndarray, person: np.ndarray, n: float, confidence: float = 0.95
) -> float:
    """How many independent items the answers are worth: `n` of `wilson` where persons repeat.

    right (rows,) bool, item and person (rows,) numbers: an item has a row per repeat, a person one
    item or more. n: what the items are worth were they independent.

    n where no person has two items. Else n over the design effect (the variance of the share over
    persons by that over items, at least 1), times (z / t)^2 with t for persons - 1 degrees of
    freedom; where all answers agree no effect is seen, and each person counts once. 0 for a single
    person with several items, who tells nothing about others.
    Source: Korn & Graubard 1998, "Confidence intervals for proportions with small expected number
    of positive counts estimated from survey data", Survey Methodology 24(2).
    """
    _, first, place = np.unique(item, return_index=True, return_inverse=True)
    _, owner = np.unique(person[first], return_inverse=True)
    items, persons = len(first), int(owner.max()) + 1
    if persons == items:
        return n
    if persons == 1:
        return 0.0
    rest = np.bincount(place, weights=right - right.mean(), minlength=items)
    by_item = (rest**2).sum() * items / (items - 1)
    by_person = (np.bincount(owner, weights=rest) ** 2).sum() * persons / (persons - 1)
    effect = max(1.0, by_person / by_item) if by_item > 1e-12 else items / persons
    # What scipy.stats.t.ppf calls, without a second of imports.
    from scipy.special import stdtrit

    few = (quantile(confidence) / stdtrit(persons - 1, (1 + confidence) / 2)) ** 2
    return float(n / effect * few)


def person_strata(tested: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Numbers of the persons who are drawn with one another; tested: those in each repeat.

    Persons that the same repeats test make a stratum, so that a fold keeps its number of persons;
    all are one where a stratum would hold a single person, who would then never vary.
    """
    seen: dict[int, list[int]] = {}
    for repeat, persons in enumerate(tested):
        for person in np.unique(persons).tolist():
            seen.setdefault(person, []).append(repeat)
    known = sorted(seen)
    strata = groups([tuple(seen[person]) for person in known])
    if min(len(members) for members in strata) < 2:
        strata = [np.arange(len(known))]
    return [np.array(known)[members] for members in strata]


def bootstrap_weights(
    strata: Sequence[np.ndarray], resamples: int, seed: int, width: int = 0
) -> Iterator[np.ndarray]:
    """How often each row is drawn in each resample, (resamples, N) float32 in chunks of resamples.

    strata: row numbers of each stratum, together 0 to N - 1; each is drawn with replacement to its
    own size, so that every resample keeps the strata's sizes. Efron & Tibshirani 1993, ch. 8.
    width: columns that the caller makes of a chunk, where they are more than N.
    """
    rows = sum(len(members) for members in strata)
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK // max(1, rows, width))
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
