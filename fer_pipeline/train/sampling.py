"""The order in which an epoch takes the training rows, and how often it varies each."""

import numpy as np


def order(targets: np.ndarray, kind: str, random: np.random.Generator) -> np.ndarray:
    """Places of N rows: each row once, or, balanced, N draws in which every class is as likely.

    targets: (N, K) shares; a row with shares in several classes counts in each by its share.
    """
    count = len(targets)
    if kind == "all":
        return random.permutation(count)
    totals = targets.sum(axis=0, dtype=np.float64)
    weights = np.divide(targets, totals, out=np.zeros(targets.shape), where=totals > 0).sum(axis=1)
    return random.choice(count, size=count, replace=True, p=weights / weights.sum())


def draws(order: np.ndarray, kind: str) -> np.ndarray:
    """Which variation each place of an epoch's order gets: its row's, or, balanced, its own.

    A row that is drawn several times must not be the same picture each time.
    """
    return order if kind == "all" else np.arange(len(order))
