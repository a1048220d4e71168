"""Two models on the same test items: McNemar's test and the bootstrapped difference."""

from collections.abc import Sequence
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

    on: the repeats in words; p: exact under FEW discordant items, else chi-squared with continuity
    correction. Beside it what the test could find, see `reach`. Source: McNemar 1947; Edwards 1948
    for the correction.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
    discordant = only_a + only_b
    words = f"repeat{'s' if len(repeats) > 1 else ''} {'+'.join(map(str, repeats))}"
    found: dict[str, Any] = {"repeats": list(repeats), "on": words}
    found |= {"only_a": only_a, "only_b": only_b}
    if not discordant:
        return found | {"why": "not possible: no item tells the two models apart"}
    both, neither = int((a & b).sum()), int((~a & ~b).sum())
    exact = discordant < FEW
    result = test([[both, only_a], [only_b, neither]], exact=exact, correction=True)
    p = float(result.pvalue)
    return found | {"exact": exact, "p": p, **reach(discordant, len(a), confidence, power)}


def reach(discordant: int, items: int, confidence: float, power: float) -> dict[str, Any]:
    """What McNemar's test can find with this many discordant items, as differences of accuracy.

    smallest_significant   where it just turns significant. Exact: the smallest split that does;
                           chi-squared: (z sqrt(discordant) + 1) / items, the 1 being the correction
    detectable             the true difference that it finds with the given power: the binomial
                           share of a's wins for which so many splits reach that difference. Never
                           more than discordant / items.
    why_none               instead of both, where not even the most uneven split is significant
    """
    from scipy.optimize import brentq
    from scipy.stats import binom

    alpha = 1 - confidence
    if discordant < FEW:
        splits = range(discordant // 2 + 1)
        few = [b for b in splits if 2 * binom.cdf(b, discordant, 0.5) <= alpha]
        gap = float(discordant - 2 * few[-1]) if few else float("inf")
    else:
        gap = intervals.quantile(confidence) * discordant**0.5 + 1
    if gap > discordant:
        return {"why_none": f"no split of {discordant} discordant items is significant"}
    most = int((discordant - gap) // 2)
    loss = brentq(lambda share: binom.cdf(most, discordant, share) - power, 0, 0.5)
    return {
        "smallest_significant": gap / items,
        "detectable": float((1 - 2 * loss) * discordant / items),
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
) -> tuple[float, float | None, float | None]:
    """Mean over repeats of accuracy of a minus accuracy of b, and its interval.

    Percentiles of a paired bootstrap, each item or person coming with the answers of both models
    in all its repeats. Where a person has several items persons are drawn (within their fold, see
    `intervals.person_strata`), else items, within their class and fold. No interval (None, None)
    where no resample differs.
    """
    value = float(np.mean([a.right.mean() - b.right.mean() for _, a, b in parts]))
    persons = np.unique(np.concatenate([a.person for _, a, _ in parts]))
    ids = np.unique(np.concatenate([a.ids for _, a, _ in parts]))
    drawn = by_person if len(persons) < len(ids) else by_item
    low, high = intervals.percentile(drawn(parts, resamples, seed), confidence)
    return (value, low, high) if high - low > 1e-12 else (value, None, None)


def by_item(parts: Parts, resamples: int, seed: int) -> np.ndarray:
    """(resamples,) differences where items are drawn within their class and fold.

    Within a stratum items with equal differences are exchangeable, so how many of each are drawn
    is multinomial: exact, and quick.
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
    return total


def by_person(parts: Parts, resamples: int, seed: int) -> np.ndarray:
    """(resamples,) differences where persons are drawn; a repeat counts as often as its persons.

    Source: Davison & Hinkley 1997, "Bootstrap methods and their application", section 3.8.
    """
    every = np.concatenate([a.person for _, a, _ in parts])
    names, person = np.unique(every, return_inverse=True)
    tested = np.split(person, np.cumsum([len(a.ids) for _, a, _ in parts])[:-1])
    strata = intervals.person_strata(tested)
    items = [np.bincount(here, minlength=len(names)) for here in tested]
    gaps = [a.right.astype(float) - b.right for _, a, b in parts]
    won = [np.bincount(here, gap, len(names)) for here, gap in zip(tested, gaps, strict=True)]
    found = []
    for weights in intervals.bootstrap_weights(strata, resamples, seed):
        total, counted = np.zeros(len(weights)), np.zeros(len(weights))
        for mine, gap in zip(items, won, strict=True):
            often = weights[:, mine > 0].mean(axis=1, dtype=np.float64)
            total += often * (weights @ gap) / np.maximum(weights @ mine, 1)
            counted += often
        found.append(total / counted)
    return np.concatenate(found)
