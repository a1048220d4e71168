"""Scores of predictions, on plain arrays.

Classes are integers 0 to classes - 1. A score that the data cannot give (a class that never
occurs) is NaN, and means over classes leave it out.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np


def accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Share of equal entries, in [0, 1]; both (N,)."""
    return float(np.mean(truth == predicted))


def recalls(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Recall of each class, (classes,) float64; NaN where the truth has none of it."""
    return matrix_scores(confusion(truth, predicted, classes))["recall"]


def mean_class_accuracy(truth: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """Mean recall over the classes that occur in the truth, in [0, 1]."""
    return float(matrix_scores(confusion(truth, predicted, classes))["mean_class_accuracy"])


def f1_scores(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """F1 of each class, (classes,) float64; NaN for classes in neither truth nor prediction."""
    return matrix_scores(confusion(truth, predicted, classes))["f1"]


def macro_f1(truth: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """Mean F1 over the classes that occur in truth or prediction, in [0, 1]."""
    return float(matrix_scores(confusion(truth, predicted, classes))["macro_f1"])


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """(classes, classes) int64: rows are the truth, columns the prediction."""
    cells = np.bincount(truth * classes + predicted, minlength=classes**2)
    return cells.reshape(classes, classes)


PER_CLASS: Final = ("precision", "recall", "f1")
"""The scores of `matrix_scores` that have one value per class."""


def matrix_scores(matrix: np.ndarray) -> Mapping[str, np.ndarray]:
    """All scores that a confusion matrix (..., K, K) holds, float64; leading axes are kept.

    (...,)    accuracy, mean_class_accuracy, macro_precision, macro_recall, macro_f1, kappa
    (..., K)  precision, recall, f1: NaN where a class gives no such score

    Precision is NaN for a class never predicted and recall for one that never occurs; their macro
    means count such a class as 0 where it has the other of the two (so does scikit-learn).
    Kappa is 1 - observed / expected disagreement. Source: Cohen 1960, "A coefficient of agreement
    for nominal scales".
    """
    matrix = matrix.astype(np.float64)
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    actual, predicted = matrix.sum(-1), matrix.sum(-2)
    total = matrix.sum((-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = hits / predicted, hits / actual
        f1 = 2 * hits / (actual + predicted)
        observed = hits.sum(-1) / total
        chance = (actual * predicted).sum(-1) / total**2
        kappa = (observed - chance) / (1 - chance)
    filled = np.where((actual > 0) & (predicted == 0), 0.0, precision)
    return {
        "accuracy": observed,
        "mean_class_accuracy": mean_known(recall),
        "macro_precision": mean_known(filled),
        "macro_recall": mean_known(np.where((predicted > 0) & (actual == 0), 0.0, recall)),
        "macro_f1": mean_known(f1),
        "kappa": kappa,
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }


def weighted_auc(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of a binary truth under each set of row weights, (B,) float64.

    truth (N,) bool, scores (N,), weights (B, N) >= 0: the chance that a random positive scores
    higher than a random negative, ties counted half. NaN where a side has no weight.
    Source: Hanley & McNeil 1982; the weighted Mann-Whitney statistic.
    """
    order = np.argsort(scores, kind="stable")
    truth, scores, weights = truth[order], scores[order], weights[:, order].astype(np.float64)
    below = np.zeros((len(weights), len(truth) + 1))
    np.cumsum(weights * ~truth, axis=1, out=below[:, 1:])
    positive = np.flatnonzero(truth)
    first = np.searchsorted(scores, scores[positive], side="left")
    last = np.searchsorted(scores, scores[positive], side="right")
    beaten = (below[:, first] + below[:, last]) / 2
    mass = weights[:, positive]
    with np.errstate(invalid="ignore", divide="ignore"):
        return (mass * beaten).sum(1) / (mass.sum(1) * below[:, -1])


def roc_auc(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """One-vs-rest area under the ROC curve of each class, (K,) float64.

    truth (N,) int, probabilities (N, K). NaN for a class that no row or every row has.
    """
    once = np.ones((1, len(truth)))
    classes = range(probabilities.shape[1])
    return np.array([weighted_auc(truth == c, probabilities[:, c], once)[0] for c in classes])


def roc_curve(truth: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates from (0, 0) to (1, 1), each (points,) float64.

    One point per distinct score, corners only. truth (N,) bool with both sides present.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.append(0, np.cumsum(truth[order])[ends])
    misses = np.append(0, np.cumsum(~truth[order])[ends])
    bend = (np.diff(hits, 2) != 0) | (np.diff(misses, 2) != 0)
    keep = np.concatenate([[True], bend, [True]])
    return misses[keep] / misses[-1], hits[keep] / hits[-1]


def row_errors(probabilities: np.ndarray, expected: np.ndarray) -> Mapping[str, np.ndarray]:
    """Distances of each row's probabilities (N, K) from a distribution (N, K), each (N,) float64.

    mae     mean over classes of the absolute difference
    brier   sum over classes of the squared difference (Brier 1950), in [0, 2]
    kl      sum of expected * ln(expected / probability), nats; probabilities floored at 1e-7
    """
    difference = probabilities.astype(np.float64) - expected
    floored = np.maximum(probabilities.astype(np.float64), 1e-7)
    ratio = np.where(expected > 0, expected, 1) / floored
    return {
        "mae": np.abs(difference).mean(1),
        "brier": (difference**2).sum(1),
        "kl": np.where(expected > 0, expected * np.log(ratio), 0).sum(1),
    }


def agreement(
    expected: np.ndarray, rated: np.ndarray, weights: np.ndarray
) -> Mapping[str, np.ndarray]:
    """How well expected ratings agree with given ones under each set of weights, each (B,) float64.

    expected, rated (N,) in [-1, 1]; weights (B, N) >= 0. NaN where no row has weight.
    rmse    root of the mean squared difference
    pcc     Pearson's correlation; NaN where one side does not vary
    ccc     Lin's concordance: 2 cov / (var + var + squared difference of means), population moments
    sagr    share of equal signs, 0 being a sign of its own
    Source: Mollahosseini, Hasani & Mahoor 2017, "AffectNet", section 4.3; Lin 1989, "A concordance
    correlation coefficient to evaluate reproducibility"; Nicolaou, Gunes & Pantic 2011 (SAGR).
    """
    x, y = expected.astype(np.float64), rated.astype(np.float64)
    total = weights.sum(1, dtype=np.float64)
    share = weights / np.where(total > 0, total, np.nan)[:, None]
    mean_x, mean_y = share @ x, share @ y
    var_x = np.maximum(share @ x**2 - mean_x**2, 0)
    var_y = np.maximum(share @ y**2 - mean_y**2, 0)
    covariance = share @ (x * y) - mean_x * mean_y
    spread = var_x + var_y + (mean_x - mean_y) ** 2
    flat = np.minimum(var_x, var_y) < 1e-12
    with np.errstate(invalid="ignore", divide="ignore"):
        pcc = np.where(flat, np.nan, covariance / np.sqrt(var_x * var_y))
        ccc = np.where(spread < 1e-12, np.nan, 2 * covariance / spread)
    found = {
        "rmse": np.sqrt(share @ (x - y) ** 2),
        "pcc": pcc,
        "ccc": ccc,
        "sagr": share @ (np.sign(x) == np.sign(y)).astype(np.float64),
    }
    return {name: np.where(total > 0, values, np.nan) for name, values in found.items()}


def mean_known(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without its NaN; NaN where nothing is left."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(-1) / known.sum(-1)
