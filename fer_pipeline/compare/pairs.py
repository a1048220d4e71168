"""Two models on the same test items: McNemar's test and the bootstrapped difference."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from fer_pipeline import intervals
from fer_pipeline.compare.answers import Answers

FEW: Final = 25
"""Under so many discordant items McNemar's test is exact (binomial)."""

Parts = Sequence[tuple[int, Answers, Answers]]
"""repeat, answers of a, answers of b on the same items."""


def mcnemar(
    repeats: Sequence[int], a: np.ndarray, b: np.ndarray, confidence: float, power: float
) -> dict[str, Any]:
    """Whether two models err equally often on the same items; a, b: (n,) bool, answered right.

    p: exact under FEW discordant items, else chi-squared with continuity correction.
    smallest_significant: the accuracy difference at which the test with this many discordant items
    just turns significant, z sqrt(discordant) / n; detectable: the one it finds with the given
    power. Source: McNemar 1947; Lachin 1992 for the power.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
    discordant = only_a + only_b
    found: dict[str, Any] = {"repeats": list(repeats), "only_a": only_a, "only_b": only_b}
    if not discordant:
        return found | {"why": "not possible: no item tells the two models apart"}
    both, neither = int((a & b).sum()), int((~a & ~b).sum())
    exact = discordant < FEW
    result = test([[both, only_a], [only_b, neither]], exact=exact, correction=True)
    step = discordant**0.5 / len(a)
    z = intervals.quantile(confidence)
    return found | {
        "exact": exact,
        "p": float(result.pvalue),
        "smallest_significant": z * step,
        "detectable": (z + NormalDist().inv_cdf(power)) * step,
    }


def mcnemars(parts: Parts, confidence: float, power: float) -> list[dict[str, Any]]:
    """The test on all repeats together where no item is in two (folds), else on each repeat.

    Repeats on the same items are not independent, so they are never pooled.
    """
    ids = np.concatenate([a.ids for _, a, _ in parts])
    if len(np.unique(ids)) == len(ids):
        right_a = np.concatenate([a.right for _, a, _ in parts])
        right_b = np.concatenate([b.right for _, _, b in parts])
        repeats = [repeat for repeat, _, _ in parts]
        return [mcnemar(repeats, right_a, right_b, confidence, power)]
    return [mcnemar([repeat], a.right, b.right, confidence, power) for repeat, a, b in parts]


def difference(
    parts: Parts, confidence: float, resamples: int, seed: int
) -> tuple[float, float, float]:
    """Mean over repeats of accuracy of a minus accuracy of b, and its interval.

    Paired stratified bootstrap: items are drawn within their class (and fold), each with the
    answers of both models in all its repeats. Within a stratum items with equal differences are
    exchangeable, so how many of each are drawn is multinomial: exact, and quick.
    """
    ids, item = np.unique(np.concatenate([a.ids for _, a, _ in parts]), return_inverse=True)
    share = np.zeros(len(ids))
    strata: list[tuple[int, ...]] = [()] * len(ids)
    start = 0
    for repeat, a, b in parts:
        here = item[start : start + len(a.ids)]
        share[here] += (a.right.astype(float) - b.right) / (len(parts) * len(a.ids))
        for number, truth in zip(here.tolist(), a.truth.tolist(), strict=True):
            strata[number] = (*(strata[number] or (truth,)), repeat)
        start += len(a.ids)
    rng = np.random.default_rng(seed)
    total = np.zeros(resamples)
    for members in intervals.groups(strata):
        values, counts = np.unique(share[members].round(12), return_counts=True)
        drawn = rng.multinomial(len(members), counts / len(members), size=resamples)
        total += drawn @ values
    low, high = intervals.percentile(total, confidence)
    return float(share.sum()), low, high
