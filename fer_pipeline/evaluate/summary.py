"""All that is told about one run on one target: scores over repeats, per class, per repeat."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from fer_pipeline import intervals, metrics
from fer_pipeline.evaluate import shares
from fer_pipeline.evaluate.scores import PER_CLASS, Answers, Settings, Values, read, scores
from fer_pipeline.evaluate.units import Units
from fer_pipeline.seeds import derive

DIGITS = 6


def summarise(table: pa.Table, classes: Sequence[str], settings: Settings) -> dict[str, Any]:
    """Plain JSON values for the rows of one target; without rows, empty ones.

    rows        distinct items; persons: whose they are, None where persons have no two items or
                are not known; truth: how many of each class
    scores      name -> value: mean over repeats; sd over repeats, None with one; low, high
    per_class   class -> the same for precision, recall, f1, roc_auc
    accuracies  raw, deduplicated (repeated items out), leak_free (items seen in training out), each
                with its rows
    confusion   (K, K) counts over all repeats, rows are the truth
    repeats     the same for each repeat alone

    Intervals: Wilson's for shares of items (accuracies, recall, precision), see `shares`; else
    percentiles of a bootstrap of items or persons, see `units`; None where no resample differs,
    for then the rows cannot tell. They tell the chance in the choice of test items or persons; the
    sd tells the chance in training (or of the fold).
    """
    answers = read(table, classes)
    if not answers:
        return {
            "rows": 0,
            "persons": None,
            "scores": {},
            "per_class": {},
            "accuracies": {},
            "repeats": [],
        }
    units = Units.of(answers)
    point = _all(answers, units, [np.ones((1, units.items), np.float32)])
    seed = derive(settings.seed, table["target"][0].as_py())
    boot = _all(answers, units, units.weights(settings.resamples, seed))
    counts = np.bincount(units.truth, minlength=len(classes))
    return {
        "rows": units.items,
        "persons": units.persons,
        "truth": dict(zip(classes, counts.tolist(), strict=True)),
        "scores": _scores(answers, point, boot, settings),
        "per_class": _per_class(answers, point, boot, classes, settings),
        "accuracies": _accuracies(answers, settings),
        "confusion": _confusion(answers, len(classes)).tolist(),
        "repeats": [
            {
                "repeat": repeat,
                "rows": len(mine.item),
                "scores": _scores(
                    {repeat: mine}, {repeat: point[repeat]}, {repeat: boot[repeat]}, settings
                ),
                "accuracies": _accuracies({repeat: mine}, settings),
                "confusion": _confusion({repeat: mine}, len(classes)).tolist(),
            }
            for repeat, mine in answers.items()
        ],
    }


VIEWED: Final = ("accuracy", "mean_class_accuracy", "macro_f1")


def viewed(
    tables: Mapping[str, pa.Table], classes: Sequence[str], settings: Settings
) -> dict[str, dict[str, Any]]:
    """Kind of views -> the main scores of their answers, each as in `summarise`."""
    found = {name: summarise(rows, classes, settings)["scores"] for name, rows in tables.items()}
    return {
        name: {score: scores[score] for score in VIEWED} for name, scores in found.items() if scores
    }


DRAWN = "drawn"
"""Beside the scores of a repeat: what share of its persons (or items) was drawn, (B,)."""


def _all(
    answers: Mapping[int, Answers], units: Units, weights: Iterable[np.ndarray]
) -> dict[int, Values]:
    """Each repeat's scores under all weights, which come in chunks."""
    parts: dict[int, list[Values]] = {repeat: [] for repeat in answers}
    for chunk in weights:
        for repeat, mine in answers.items():
            parts[repeat].append(scores(mine, chunk) | {DRAWN: units.drawn(mine, chunk)})
    return {
        repeat: {name: np.concatenate([part[name] for part in chunks]) for name in chunks[0]}
        for repeat, chunks in parts.items()
    }


def _scores(
    answers: Mapping[int, Answers],
    point: Mapping[int, Values],
    boot: Mapping[int, Values],
    settings: Settings,
) -> dict[str, Any]:
    first = next(iter(point.values()))
    names = [name for name, values in first.items() if values.ndim == 1 and name != DRAWN]
    drawn = np.stack([mine[DRAWN] for mine in boot.values()])
    found = {}
    for name in names:
        values = np.array([mine[name][0] for mine in point.values()])
        entry = _entry(values, np.stack([mine[name] for mine in boot.values()]), drawn, settings)
        if name == "accuracy":
            every = [(mine, np.ones(len(mine.item), bool)) for mine in answers.values()]
            entry |= shares.interval(values, every, answers, settings.confidence)
        found[name] = entry
    return found


def _per_class(
    answers: Mapping[int, Answers],
    point: Mapping[int, Values],
    boot: Mapping[int, Values],
    classes: Sequence[str],
    settings: Settings,
) -> dict[str, Any]:
    found: dict[str, Any] = {emotion: {} for emotion in classes}
    drawn = np.stack([mine[DRAWN] for mine in boot.values()])
    for name in PER_CLASS:
        key = "roc_auc_per_class" if name == "roc_auc" else name
        for place, emotion in enumerate(classes):
            values = np.array([mine[key][0, place] for mine in point.values()])
            resampled = np.stack([mine[key][:, place] for mine in boot.values()])
            entry = _entry(values, resampled, drawn, settings)
            if name in ("recall", "precision"):
                kept = shares.of_class(answers.values(), place, name)
                entry |= shares.interval(values, kept, answers, settings.confidence)
            found[emotion][name] = entry
    return found


def _entry(
    values: np.ndarray, resampled: np.ndarray, drawn: np.ndarray, settings: Settings
) -> dict[str, float | None]:
    """value, sd, low, high of values (repeats,), their resamples and shares drawn (repeats, B).

    A repeat counts in a resample as often as its persons were drawn.
    """
    known = values[~np.isnan(values)]
    there = np.where(np.isnan(resampled), 0, drawn)
    with np.errstate(invalid="ignore"):
        means = (np.nan_to_num(resampled) * there).sum(axis=0) / there.sum(axis=0)
    low, high = (_rounded(end) for end in intervals.percentile(means, settings.confidence))
    sure = len(known) > 0 and low != high
    return {
        "value": _rounded(float(known.mean())) if len(known) else None,
        "sd": _rounded(float(known.std(ddof=1))) if len(known) > 1 else None,
        "low": low if sure else None,
        "high": high if sure else None,
    }


def _accuracies(answers: Mapping[int, Answers], settings: Settings) -> dict[str, Any]:
    """Mean accuracy over repeats on all items, without the repeated, without the leaked."""
    kept = {
        "raw": {repeat: np.ones(len(mine.item), bool) for repeat, mine in answers.items()},
        "deduplicated": {repeat: ~mine.repeated for repeat, mine in answers.items()},
        "leak_free": {repeat: ~mine.leaked for repeat, mine in answers.items()},
    }
    return {
        name: _accuracy(
            [(mine, masks[repeat]) for repeat, mine in answers.items()], answers, settings
        )
        for name, masks in kept.items()
    }


def _accuracy(
    parts: Sequence[shares.Kept], answers: Mapping[int, Answers], settings: Settings
) -> dict[str, Any]:
    values = np.array(
        [
            metrics.accuracy(mine.truth[keep], mine.predicted[keep]) if keep.any() else np.nan
            for mine, keep in parts
        ]
    )
    rows = len(set().union(*(mine.item[keep].tolist() for mine, keep in parts)))
    known = values[~np.isnan(values)]
    return {
        "rows": rows,
        "accuracy": _rounded(float(known.mean())) if len(known) else None,
        **shares.interval(values, parts, answers, settings.confidence),
    }


def _confusion(answers: Mapping[int, Answers], classes: int) -> np.ndarray:
    parts = [metrics.confusion(mine.truth, mine.predicted, classes) for mine in answers.values()]
    return np.sum(parts, axis=0)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, DIGITS)
