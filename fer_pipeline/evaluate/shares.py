"""Intervals of shares of items: accuracy, recall, precision."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from fer_pipeline import intervals
from fer_pipeline.evaluate.scores import Answers

Kept = tuple[Answers, np.ndarray]
"""A repeat, and which of its items the share is of, (n,) bool."""

DIGITS = 6


def of_class(answers: Iterable[Answers], place: int, score: str) -> list[Kept]:
    """The items of a class that its recall is of, or those predicted so, for its precision."""
    side = "truth" if score == "recall" else "predicted"
    return [(mine, getattr(mine, side) == place) for mine in answers]


def interval(
    values: np.ndarray,
    kept: Sequence[Kept],
    answers: Mapping[int, Answers],
    confidence: float,
) -> dict[str, float | None]:
    """`low` and `high` of the mean of the values, a share of right answers per repeat.

    Wilson's, over as many items as the kept ones are worth: rows by the number of repeats that
    test an item, so that repeats on the same items add nothing; fewer where several show one person
    (see `intervals.independent_items`). None without a row, or where all show a single person.
    """
    known = values[~np.isnan(values)]
    right = np.concatenate([(m.truth == m.predicted)[keep] for m, keep in kept])
    item = np.concatenate([mine.item[keep] for mine, keep in kept])
    person = np.concatenate([mine.person[keep] for mine, keep in kept])
    if not len(known) or not len(item):
        return {"low": None, "high": None}
    every = np.concatenate([mine.item for mine in answers.values()])
    n = len(item) * len(np.unique(every)) / len(every)
    worth = intervals.independent_items(right, item, person, n, confidence)
    if worth <= 0:
        return {"low": None, "high": None}
    low, high = intervals.wilson(float(known.mean()), worth, confidence)
    return {"low": round(low, DIGITS), "high": round(high, DIGITS)}
