"""Many models at once: which of them differ over blocks of scores."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np

from fer_pipeline.compare.repeats import wilcoxon

FEW_BLOCKS: Final = 5
FLAT: Final = "not possible: within each block all models score the same"


def many(models: Sequence[str], scores: np.ndarray, confidence: float) -> dict[str, Any]:
    """All tests over scores (blocks, models) that their number allows; else `why` not.

    anova          one-way: blocks ignored
    rm_anova       repeated measures, with the Greenhouse-Geisser corrected p
    sphericity     Mauchly's test, which the uncorrected p assumes to hold
    friedman       on ranks; ranks: mean rank of each model, 1 is best
    wilcoxon       signed-rank test of each pair, p_holm corrected for all pairs
    nemenyi        of each pair after Friedman; critical_difference of mean ranks
    Source: Demsar 2006, "Statistical comparisons of classifiers over multiple data sets".
    """
    blocks, count = scores.shape
    found: dict[str, Any] = {
        "models": list(models),
        "blocks": blocks,
        "means": dict(zip(models, scores.mean(axis=0).tolist(), strict=True)),
        "notes": _notes(blocks, count),
    }
    if count < 2 or blocks < 2:
        why = f"not possible: {count} models over {blocks} blocks, and at least 2 by 2 are needed"
        keys = ("anova", "rm_anova", "sphericity", "friedman", "nemenyi")
        return found | {key: {"why": why} for key in keys} | {"ranks": {}, "wilcoxon": []}
    return found | {
        "anova": _anova(scores),
        "rm_anova": _repeated_measures(scores),
        "sphericity": sphericity(scores),
        "friedman": _friedman(scores),
        "ranks": dict(zip(models, ranks(scores).mean(axis=0).tolist(), strict=True)),
        "wilcoxon": _pairwise(models, scores),
        "nemenyi": _nemenyi(models, scores, confidence),
    }


def ranks(scores: np.ndarray) -> np.ndarray:
    """(blocks, models) rank of each model within its block, 1 is the highest score, ties shared."""
    from scipy.stats import rankdata

    found: np.ndarray = rankdata(-scores.round(12), axis=1)
    return found


def sphericity(scores: np.ndarray) -> dict[str, Any]:
    """Mauchly's test and the Greenhouse-Geisser epsilon of scores (blocks, models).

    epsilon runs from 1 / (models - 1) to 1, where the variances of all differences are equal.
    Source: Mauchly 1940, Annals of Mathematical Statistics 11(2); Geisser & Greenhouse 1958.
    """
    from scipy.stats import chi2

    n, k = scores.shape
    p = k - 1
    if k < 3:
        return {"why": "not possible: two models have one difference, which is always spherical"}
    centred = np.eye(k) - 1 / k
    covariance = centred @ np.cov(scores, rowvar=False) @ centred
    values = np.clip(np.linalg.eigvalsh(covariance)[1:], 0, None)
    if values.sum() < 1e-18:
        return {"why": "not possible: all differences between models are the same in every block"}
    found: dict[str, Any] = {"epsilon": float(values.sum() ** 2 / (p * (values**2).sum()))}
    if n <= p or values.min() < 1e-12 * values.max():
        return found | {"why": f"not possible: {n} blocks do not suffice for {k} models"}
    w = float(values.prod() / values.mean() ** p)
    factor = n - 1 - (2 * p**2 + p + 2) / (6 * p)
    df = p * (p + 1) // 2 - 1
    if factor <= 0:
        return found | {"why": f"not possible: {n} blocks do not suffice for {k} models"}
    statistic = float(-factor * np.log(w))
    return found | {"w": w, "chi2": statistic, "df": df, "p": float(chi2.sf(statistic, df))}


def _anova(scores: np.ndarray) -> dict[str, Any]:
    from scipy.stats import f_oneway

    if np.ptp(scores, axis=0).max() < 1e-12:
        return {"why": "not possible: each model scores the same in every block"}
    result = f_oneway(*scores.T)
    return {"f": float(result.statistic), "p": float(result.pvalue)}


def _repeated_measures(scores: np.ndarray) -> dict[str, Any]:
    import pandas as pd
    from scipy.stats import f as f_distribution
    from statsmodels.stats.anova import AnovaRM

    n, k = scores.shape
    residual = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()
    if np.abs(residual).max() < 1e-12:
        return {"why": "not possible: all differences between models are the same in every block"}
    block, model = np.indices(scores.shape)
    table = pd.DataFrame({"score": scores.ravel(), "block": block.ravel(), "model": model.ravel()})
    row = AnovaRM(table, "score", "block", within=["model"]).fit().anova_table.iloc[0]
    value = float(row["F Value"])
    found = {"f": value, "df": [k - 1, (n - 1) * (k - 1)], "p": float(row["Pr > F"])}
    epsilon = sphericity(scores).get("epsilon", 1.0)
    corrected = f_distribution.sf(value, epsilon * (k - 1), epsilon * (n - 1) * (k - 1))
    return found | {"epsilon": epsilon, "p_corrected": float(corrected)}


def _friedman(scores: np.ndarray) -> dict[str, Any]:
    from scipy.stats import friedmanchisquare

    if scores.shape[1] < 3:
        return {"why": "not possible: Friedman's test needs at least 3 models"}
    if np.ptp(scores.round(12), axis=1).max() == 0:
        return {"why": FLAT}
    result = friedmanchisquare(*scores.round(12).T)
    return {"chi2": float(result.statistic), "p": float(result.pvalue)}


def _pairwise(models: Sequence[str], scores: np.ndarray) -> list[dict[str, Any]]:
    found = []
    for a, b in combinations(range(len(models)), 2):
        test = wilcoxon(scores[:, a] - scores[:, b])
        found.append({"a": models[a], "b": models[b], **test})
    return holm(found)


def holm(tests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tests, with `p_holm` beside each `p`: corrected for the number that have one.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    from statsmodels.stats.multitest import multipletests

    known = [test for test in tests if "p" in test]
    if not known:
        return list(tests)
    corrected = iter(multipletests([test["p"] for test in known], method="holm")[1].tolist())
    return [test | {"p_holm": next(corrected)} if "p" in test else test for test in tests]


def _nemenyi(models: Sequence[str], scores: np.ndarray, confidence: float) -> dict[str, Any]:
    from scipy.stats import studentized_range

    n, k = scores.shape
    if k < 3:
        return {"why": "not possible: Nemenyi's test follows Friedman's, which needs 3 models"}
    if np.ptp(scores.round(12), axis=1).max() == 0:
        return {"why": FLAT}
    import scikit_posthocs

    table = scikit_posthocs.posthoc_nemenyi_friedman(-scores.round(12)).to_numpy()
    pairs = [
        {"a": models[a], "b": models[b], "p": float(table[a, b])}
        for a, b in combinations(range(k), 2)
    ]
    q = float(studentized_range.ppf(confidence, k, np.inf)) / 2**0.5
    return {"pairs": pairs, "critical_difference": q * (k * (k + 1) / (6 * n)) ** 0.5}


def _notes(blocks: int, count: int) -> list[str]:
    if 2 <= blocks < FEW_BLOCKS and count > 2:
        return [f"with {blocks} blocks Friedman's and Nemenyi's tests have almost no power"]
    return []
