"""All that is told about one run on one target: scores over repeats, per class, per repeat."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fer_pipeline import intervals, metrics
from fer_pipeline.evaluate.scores import PER_CLASS, Answers, Settings, Values, read, scores
from fer_pipeline.seeds import derive

DIGITS = 6


def summarise(table: pa.Table, classes: Sequence[str], settings: Settings) -> dict[str, Any]:
    """Plain JSON values for the rows of one target; without rows, empty ones.

    rows        distinct items; truth: how many of each class
    scores      name -> value: mean over repeats; sd over repeats, None with one; low, high
    per_class   class -> the same for precision, recall, f1, roc_auc
    accuracies  raw, deduplicated (repeated items out), leak_free (items seen in training out), each
                with its rows
    confusion   (K, K) counts over all repeats, rows are the truth
    repeats     the same for each repeat alone

    Intervals: Wilson's for accuracies, over distinct items; else percentiles of a bootstrap that
    draws items within their class (and fold), each with all its repeats. They tell the chance in
    the choice of test items; the sd tells the chance in training (or of the fold).
    """
    answers = read(table, classes)
    if not answers:
        return {"rows": 0, "scores": {}, "per_class": {}, "accuracies": {}, "repeats": []}
    strata = _strata(answers)
    point = _all(answers, [np.ones((1, len(strata)), np.float32)])
    groups = intervals.groups(strata)
    seed = derive(settings.seed, table["target"][0].as_py())
    boot = _all(answers, intervals.bootstrap_weights(groups, settings.resamples, seed))
    counts = np.bincount([stratum[0] for stratum in strata], minlength=len(classes))
    return {
        "rows": len(strata),
        "truth": dict(zip(classes, counts.tolist(), strict=True)),
        "scores": _scores(point, boot, settings, len(strata)),
        "per_class": _per_class(point, boot, classes, settings),
        "accuracies": _accuracies(answers, settings),
        "confusion": _confusion(answers, len(classes)).tolist(),
        "repeats": [
            {
                "repeat": repeat,
                "rows": len(mine.item),
                "scores": _scores(
                    {repeat: point[repeat]}, {repeat: boot[repeat]}, settings, len(mine.item)
                ),
                "accuracies": _accuracies({repeat: mine}, settings),
                "confusion": _confusion({repeat: mine}, len(classes)).tolist(),
            }
            for repeat, mine in answers.items()
        ],
    }


def _strata(answers: Mapping[int, Answers]) -> list[tuple[int, tuple[int, ...]]]:
    """Of each item its class and the repeats that test it."""
    count = 1 + max(int(mine.item.max()) for mine in answers.values())
    truth = np.zeros(count, int)
    seen: list[tuple[int, ...]] = [()] * count
    for repeat, mine in answers.items():
        truth[mine.item] = mine.truth
        for item in mine.item.tolist():
            seen[item] = (*seen[item], repeat)
    return list(zip(truth.tolist(), seen, strict=True))


def _all(answers: Mapping[int, Answers], weights: Iterable[np.ndarray]) -> dict[int, Values]:
    """Each repeat's scores under all weights, which come in chunks."""
    parts: dict[int, list[Values]] = {repeat: [] for repeat in answers}
    for chunk in weights:
        for repeat, mine in answers.items():
            parts[repeat].append(scores(mine, chunk))
    return {
        repeat: {name: np.concatenate([part[name] for part in chunks]) for name in chunks[0]}
        for repeat, chunks in parts.items()
    }


def _scores(
    point: Mapping[int, Values], boot: Mapping[int, Values], settings: Settings, rows: int
) -> dict[str, Any]:
    first = next(iter(point.values()))
    names = [name for name, values in first.items() if values.ndim == 1]
    found = {}
    for name in names:
        values = np.array([mine[name][0] for mine in point.values()])
        entry = _entry(values, np.stack([mine[name] for mine in boot.values()]), settings)
        if name == "accuracy":
            low, high = intervals.wilson(float(values.mean()), rows, settings.confidence)
            entry |= {"low": _rounded(low), "high": _rounded(high)}
        found[name] = entry
    return found


def _per_class(
    point: Mapping[int, Values],
    boot: Mapping[int, Values],
    classes: Sequence[str],
    settings: Settings,
) -> dict[str, Any]:
    found: dict[str, Any] = {emotion: {} for emotion in classes}
    for name in PER_CLASS:
        key = "roc_auc_per_class" if name == "roc_auc" else name
        for place, emotion in enumerate(classes):
            values = np.array([mine[key][0, place] for mine in point.values()])
            drawn = np.stack([mine[key][:, place] for mine in boot.values()])
            found[emotion][name] = _entry(values, drawn, settings)
    return found


def _entry(values: np.ndarray, drawn: np.ndarray, settings: Settings) -> dict[str, float | None]:
    """value, sd, low, high of values (repeats,) and their resamples (repeats, B)."""
    known = values[~np.isnan(values)]
    low, high = intervals.percentile(metrics.mean_known(drawn.T), settings.confidence)
    return {
        "value": _rounded(float(known.mean())) if len(known) else None,
        "sd": _rounded(float(known.std(ddof=1))) if len(known) > 1 else None,
        "low": _rounded(low) if len(known) else None,
        "high": _rounded(high) if len(known) else None,
    }


def _accuracies(answers: Mapping[int, Answers], settings: Settings) -> dict[str, Any]:
    """Mean accuracy over repeats on all items, without the repeated, without the leaked."""
    kept = {
        "raw": {repeat: np.ones(len(mine.item), bool) for repeat, mine in answers.items()},
        "deduplicated": {repeat: ~mine.repeated for repeat, mine in answers.items()},
        "leak_free": {repeat: ~mine.leaked for repeat, mine in answers.items()},
    }
    return {
        name: _accuracy([(mine, masks[repeat]) for repeat, mine in answers.items()], settings)
        for name, masks in kept.items()
    }


def _accuracy(parts: Sequence[tuple[Answers, np.ndarray]], settings: Settings) -> dict[str, Any]:
    values = [
        metrics.accuracy(mine.truth[keep], mine.predicted[keep])
        for mine, keep in parts
        if keep.any()
    ]
    rows = len(set().union(*(mine.item[keep].tolist() for mine, keep in parts)))
    if not values:
        return {"rows": 0, "accuracy": None, "low": None, "high": None}
    mean = float(np.mean(values))
    low, high = intervals.wilson(mean, rows, settings.confidence)
    return {
        "rows": rows,
        "accuracy": _rounded(mean),
        "low": _rounded(low),
        "high": _rounded(high),
    }


def _confusion(answers: Mapping[int, Answers], classes: int) -> np.ndarray:
    parts = [metrics.confusion(mine.truth, mine.predicted, classes) for mine in answers.values()]
    return np.sum(parts, axis=0)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, DIGITS)
