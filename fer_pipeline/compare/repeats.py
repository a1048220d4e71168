"""Two models over repeats or folds: paired tests on one difference per repeat."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

SAME: Final = "not possible: the difference is the same in every repeat"
UNSHARED: Final = "not possible: the source has no test rows of its own to tell their share"


def over_repeats(
    differences: Sequence[float], test_share: float | None, confidence: float
) -> dict[str, Any]:
    """Tests on the differences (one per repeat, a minus b) that their number allows.

    t              paired t-test; too sure of itself, for repeats share training rows
    corrected_t    the variance factor 1/n becomes 1/n + test_share, test_share being the source's
                   own rows tested over rows trained on; None where none is known. Where repeats
                   share one official split it errs on the safe side. Source: Nadeau & Bengio 2003,
                   "Inference for the generalization error", eq. 11
    wilcoxon       signed-rank test; shapiro: whether the differences look normal
    Each is p and its statistic, or `why` it is not possible.
    """
    values = np.asarray(differences, float)
    n = len(values)
    found: dict[str, Any] = {
        "n": n,
        "differences": [float(value) for value in values],
        "test_share": test_share,
        "notes": notes(n, confidence),
    }
    if n < 2:
        one = {"why": f"not possible: {n} repeat, and at least 2 are needed"}
        return found | dict.fromkeys(("t", "corrected_t", "wilcoxon", "shapiro"), one)
    constant = bool(np.ptp(values) < 1e-12)
    found["sd"] = float(values.std(ddof=1))
    found["t"] = {"why": SAME} if constant else _t(values, 1 / n, confidence)
    found["corrected_t"] = {"why": SAME if constant else UNSHARED}
    if not constant and test_share is not None:
        found["corrected_t"] = _t(values, 1 / n + test_share, confidence)
    found["wilcoxon"] = wilcoxon(values)
    found["shapiro"] = _shapiro(values, constant)
    return found


def _t(values: np.ndarray, factor: float, confidence: float) -> dict[str, Any]:
    from scipy.stats import t

    n = len(values)
    error = float((factor * values.var(ddof=1)) ** 0.5)
    statistic = float(values.mean()) / error
    reach = float(t.ppf((1 + confidence) / 2, n - 1)) * error
    return {
        "t": statistic,
        "df": n - 1,
        "p": float(2 * t.sf(abs(statistic), n - 1)),
        "low": float(values.mean()) - reach,
        "high": float(values.mean()) + reach,
        "smallest_significant": reach,
    }


def wilcoxon(values: np.ndarray) -> dict[str, Any]:
    """Wilcoxon's signed-rank test of differences (n,): exact up to 50 without ties or zeros."""
    from scipy.stats import wilcoxon as test

    kept = values[np.abs(values) > 1e-12]
    if len(kept) < 2:
        return {"why": f"not possible: {len(kept)} differences are not zero, at least 2 must be"}
    result = test(kept.round(12))
    return {"w": float(result.statistic), "n": len(kept), "p": float(result.pvalue)}


def _shapiro(values: np.ndarray, constant: bool) -> dict[str, Any]:
    from scipy.stats import shapiro

    if len(values) < 3:
        return {"why": f"not possible: {len(values)} repeats, and at least 3 are needed"}
    if constant:
        return {"why": SAME}
    result = shapiro(values)
    return {"w": float(result.statistic), "p": float(result.pvalue)}


def notes(n: int, confidence: float) -> list[str]:
    """What so few repeats cannot show."""
    least = 2.0 ** (1 - n)
    if n >= 2 and least > 1 - confidence:
        return [f"Wilcoxon over {n} repeats cannot go below p = {least:.4g}"]
    return []
