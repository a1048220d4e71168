"""What each variant costs: paired differences from the base, with intervals and corrected tests."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from fer_pipeline import intervals
from fer_pipeline.ablate.params import AblateParams
from fer_pipeline.ablate.study import Answers
from fer_pipeline.ablate.variants import BASE, Variant
from fer_pipeline.errors import BadManifest
from fer_pipeline.seeds import derive

DIGITS: Final = 6

SAME: Final = "not possible: the difference is the same in every repeat"


def compare(
    found: Sequence[Variant], answers: Mapping[str, Sequence[Answers]], section: AblateParams
) -> dict[str, Any]:
    """Accuracy of the base, and of each variant its difference; plain JSON values.

    accuracy, sd      mean over repeats, and over them the standard deviation, None with one
    difference        variant minus base, mean over repeats on the rows that both answered
    low, high         its interval: rows (or persons) drawn anew, pairs kept together
    repeats           the difference of each repeat
    p, p_holm         of the test named by `test`, None where it is not possible: why_no_p says why;
                      Holm's correction over all variants that have a p
    why               in place of all, why a variant does not apply

    Raises: BadManifest when a variant shares no row with the base.
    """
    base = answers[BASE]
    told: dict[str, Any] = {}
    for variant in found[1:]:
        if variant.settings is None:
            told[variant.name] = {"why": variant.why}
        else:
            told[variant.name] = _against(base, answers[variant.name], variant.name, section)
    _holm(told)
    return {
        "base": _spread([part.right.mean() for part in base]),
        "rows": len(base[0].ids),
        "repeats": len(base),
        "confidence": section.confidence,
        "variants": told,
    }


def _spread(shares: Sequence[float]) -> dict[str, float | None]:
    sd = float(np.std(shares, ddof=1)) if len(shares) > 1 else None
    mean = round(float(np.mean(shares)), DIGITS)
    return {"accuracy": mean, "sd": None if sd is None else round(sd, DIGITS)}


def _against(
    base: Sequence[Answers], other: Sequence[Answers], name: str, section: AblateParams
) -> dict[str, Any]:
    pairs = [_paired(a, b) for a, b in zip(base, other, strict=True)]
    if not all(len(gains) for _, gains in pairs):
        raise BadManifest(f"{name} and the base have no validation row in common")
    each = [float(gain.mean()) for _, gain in pairs]
    low, high = _interval(pairs, derive(section.seed, name), section)
    test, p = _test(each, pairs, base[0].train)
    told: dict[str, Any] = {
        **_spread([part.right.mean() for part in other]),
        "difference": round(float(np.mean(each)), DIGITS),
        "low": round(low, DIGITS),
        "high": round(high, DIGITS),
        "repeats": [round(value, DIGITS) for value in each],
        "test": test,
        "p": None if p is None else round(p, DIGITS),
        "p_holm": None,
    }
    return told if p is not None else told | {"why_no_p": SAME}


def _paired(base: Answers, other: Answers) -> tuple[list[str], np.ndarray]:
    """Persons and (n,) float64 gains, 1, 0 or -1, of the rows that both answered."""
    place = {name: number for number, name in enumerate(other.ids)}
    shared = [number for number, name in enumerate(base.ids) if name in place]
    theirs = other.right[[place[base.ids[number]] for number in shared]]
    gains = theirs.astype(np.float64) - base.right[shared]
    return [base.persons[number] for number in shared], gains


def _interval(
    pairs: Sequence[tuple[list[str], np.ndarray]], seed: int, section: AblateParams
) -> tuple[float, float]:
    """Percentiles of the mean difference over bootstrapped persons, the same in every repeat."""
    known = sorted({person for persons, _ in pairs for person in persons})
    number = {person: place for place, person in enumerate(known)}
    totals, counts = [], []
    for persons, gains in pairs:
        places = np.array([number[person] for person in persons])
        totals.append(np.bincount(places, gains, len(known)))
        counts.append(np.bincount(places, minlength=len(known)).astype(np.float64))
    strata = [np.arange(len(known))]
    means = []
    for weights in intervals.bootstrap_weights(strata, section.resamples, seed):
        with np.errstate(invalid="ignore"):
            drawn = [
                weights @ total / (weights @ count)
                for total, count in zip(totals, counts, strict=True)
            ]
        means.append(np.nanmean(drawn, axis=0))
    return intervals.percentile(np.concatenate(means), section.confidence)


def _test(
    each: Sequence[float], pairs: Sequence[tuple[list[str], np.ndarray]], train: int
) -> tuple[str, float | None]:
    """Name and p of the test: over repeats the corrected t-test, with one McNemar's exact one.

    Source: Nadeau & Bengio, "Inference for the generalization error", Machine Learning 2003: the
    variance is (1/n + n_test/n_train) times that of the differences. Where these are all the same
    and not 0 it has no p.
    """
    if len(each) == 1:
        from scipy.stats import binomtest

        gains = pairs[0][1]
        won, lost = int((gains > 0).sum()), int((gains < 0).sum())
        p = float(binomtest(won, won + lost).pvalue) if won + lost else 1.0
        return "McNemar, exact", p
    from scipy.stats import t

    variance = float(np.var(each, ddof=1))
    mean = float(np.mean(each))
    if np.ptp(each) < 1e-12:
        # Without spread there is no error to measure a difference by.
        return "corrected t", None if mean else 1.0
    ratio = float(np.mean([len(gains) for _, gains in pairs])) / train
    statistic = mean / np.sqrt((1 / len(each) + ratio) * variance)
    return "corrected t", float(2 * t.sf(abs(statistic), len(each) - 1))


def _holm(told: dict[str, Any]) -> None:
    from statsmodels.stats.multitest import multipletests

    tested = [entry for entry in told.values() if entry.get("p") is not None]
    if not tested:
        return
    corrected = multipletests([entry["p"] for entry in tested], method="holm")[1]
    for entry, p in zip(tested, corrected, strict=True):
        entry["p_holm"] = round(float(p), DIGITS)
