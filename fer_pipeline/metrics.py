"""Scores of predictions, on plain arrays."""

import numpy as np


def accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Share of equal entries, in [0, 1]; both (N,)."""
    return float(np.mean(truth == predicted))


def recalls(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Recall of each class, (classes,) float64; NaN where the truth has none of it."""
    hits = np.bincount(truth[truth == predicted], minlength=classes)
    total = np.bincount(truth, minlength=classes)
    with np.errstate(invalid="ignore"):
        return hits / np.where(total > 0, total, np.nan)


def mean_class_accuracy(truth: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """Mean recall over the classes that occur in the truth, in [0, 1]."""
    return float(np.nanmean(recalls(truth, predicted, classes)))


def f1_scores(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """F1 of each class, (classes,) float64; NaN for classes in neither truth nor prediction."""
    hits = np.bincount(truth[truth == predicted], minlength=classes)
    total = np.bincount(truth, minlength=classes) + np.bincount(predicted, minlength=classes)
    with np.errstate(invalid="ignore"):
        return 2 * hits / np.where(total > 0, total, np.nan)


def macro_f1(truth: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """Mean F1 over the classes that occur in truth or prediction, in [0, 1]."""
    return float(np.nanmean(f1_scores(truth, predicted, classes)))
