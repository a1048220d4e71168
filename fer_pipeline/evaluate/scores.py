"""Scores of one run on one target, with intervals, from its rows of the predictions table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from fer_pipeline import metrics
from fer_pipeline.dimensions import DIMENSIONS, SIGNED
from fer_pipeline.emotions import CIRCUMPLEX, EMOTIONS, POLARITY

PER_CLASS: Final = (*metrics.PER_CLASS, "roc_auc")

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Settings:
    """How intervals are made: their confidence, the bootstrap's resamples and its seed."""

    confidence: float
    resamples: int
    seed: int


@dataclass(frozen=True)
class Answers:
    """What one repeat said about its n items.

    item       (n,) number of the item among all that the repeats tested
    truth, predicted   (n,) place in the shared classes
    shares     (n, K) probabilities
    errors     name -> (n,) error of each item, NaN where it has none
    ratings    dimension -> (n,) expected and (n,) rated, NaN where it has none
    repeated, leaked   (n,) bool
    person     (n,) number of the item's person; of its own where that is not known
    """

    item: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    shares: np.ndarray
    errors: Mapping[str, np.ndarray]
    ratings: Mapping[str, tuple[np.ndarray, np.ndarray]]
    repeated: np.ndarray
    leaked: np.ndarray
    person: np.ndarray


def read(table: pa.Table, classes: Sequence[str]) -> dict[int, Answers]:
    """The answers of each repeat, by repeat, from the rows of one target."""
    repeats = table["repeat"].to_numpy()
    _, item = np.unique(table["id"].to_pylist(), return_inverse=True)
    place = {name: number for number, name in enumerate(classes)}
    truth = np.array([place[name] for name in table["emotion"].to_pylist()], int)
    predicted = np.array([place[name] for name in table["predicted"].to_pylist()], int)
    shares = np.stack([table[f"p_{name}"].to_numpy() for name in classes], axis=1)
    errors = errors_of(table, truth, predicted, shares, classes)
    ratings = ratings_of(table, shares, classes)
    repeated = np.array(table["repeated"].to_pylist(), bool)
    leaked = np.array([leak is not None for leak in table["leak"].to_pylist()], bool)
    person = _persons(table)
    answers = {}
    for repeat in sorted(set(repeats.tolist())):
        rows = np.flatnonzero(repeats == repeat)
        answers[repeat] = Answers(
            item[rows],
            truth[rows],
            predicted[rows],
            shares[rows],
            {name: values[rows] for name, values in errors.items()},
            {name: (values[rows], own[rows]) for name, (values, own) in ratings.items()},
            repeated[rows],
            leaked[rows],
            person[rows],
        )
    return answers


def _persons(table: pa.Table) -> np.ndarray:
    """(N,) number of each row's person; an item without one is a person of its own."""
    pairs = zip(table["subject"].to_pylist(), table["id"].to_pylist(), strict=True)
    labels = [
        f"item {name}" if subject is None else f"subject {subject}" for subject, name in pairs
    ]
    return np.unique(labels, return_inverse=True)[1]


def errors_of(
    table: pa.Table,
    truth: np.ndarray,
    predicted: np.ndarray,
    shares: np.ndarray,
    classes: Sequence[str],
) -> Values:
    """The error of each row in each reading that the table allows, (N,) float64, NaN without one.

    mae_probability          of the probabilities from the one-hot label
    mae_valence, mae_arousal, mae_intensity   of what is expected from the row's own rating
    mae_valence_of_label, mae_arousal_of_label   from the coordinate of the labelled emotion
    mae_polarity             of -1 negative, 0 neutral, 1 positive
    votes_mae, votes_kl, votes_brier   of the probabilities from the raters' votes
    """
    one_hot = np.eye(len(classes))[truth]
    found = {"mae_probability": metrics.row_errors(shares, one_hot)["mae"]}
    for name in SIGNED:
        coordinate = _coordinates(name, classes)
        found[f"mae_{name}_of_label"] = np.abs(shares @ coordinate - coordinate[truth])
    for name, (expected, own) in ratings_of(table, shares, classes).items():
        found[f"mae_{name}"] = np.abs(expected - own)
    polarity = np.array([POLARITY[emotion] for emotion in classes], np.float64)
    found["mae_polarity"] = np.abs(polarity[predicted] - polarity[truth])
    votes = _votes(table, classes)
    if not np.isnan(votes).all():
        for name, values in metrics.row_errors(shares, votes).items():
            found[f"votes_{name}"] = np.where(np.isnan(votes).any(1), np.nan, values)
    return found


def ratings_of(
    table: pa.Table, shares: np.ndarray, classes: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Dimension -> what is expected of it and the row's own rating, (N,) each.

    Expected: the model's own answer; of one that was not taught the dimension, the circumplex
    coordinate that its probabilities expect, which intensity has not. Only where some row has a
    rating; NaN for rows without one.
    """
    found = {}
    for name in DIMENSIONS:
        own = np.array(table[name].to_pylist(), np.float64)
        told = np.array(table[f"predicted_{name}"].to_pylist(), np.float64)
        if np.isnan(own).all():
            continue
        if not np.isnan(told).all():
            found[name] = (told, own)
        elif name in SIGNED:
            found[name] = (shares.astype(np.float64) @ _coordinates(name, classes), own)
    return found


def _coordinates(dimension: str, classes: Sequence[str]) -> np.ndarray:
    axis = SIGNED.index(dimension)
    return np.array([CIRCUMPLEX[emotion][axis] for emotion in classes])


def _votes(table: pa.Table, classes: Sequence[str]) -> np.ndarray:
    """(N, K) float64 raters' shares over the classes; NaN where a row has no vote for them."""
    nothing = [float("nan")] * len(EMOTIONS)
    votes = np.array([row or nothing for row in table["votes"].to_pylist()], np.float64)
    votes = votes.reshape(-1, len(EMOTIONS))[:, [EMOTIONS.index(name) for name in classes]]
    total = votes.sum(axis=1, keepdims=True)
    return votes / np.where(total > 0, total, np.nan)


def scores(answers: Answers, weights: np.ndarray) -> Values:
    """Every score under each set of item weights (B, items): (B,) or, per class, (B, K).

    Beside the errors' means: rmse_, pcc_, ccc_ and, of a dimension with a sign, sagr_ and the name
    of each dimension on which rows are rated.
    """
    classes = answers.shares.shape[1]
    mine = weights[:, answers.item]
    cells = np.zeros((len(answers.item), classes**2), np.float32)
    cells[np.arange(len(cells)), answers.truth * classes + answers.predicted] = 1
    matrix = (mine @ cells).reshape(-1, classes, classes)
    found = dict(metrics.matrix_scores(matrix))
    areas = [
        metrics.weighted_auc(answers.truth == c, answers.shares[:, c], mine) for c in range(classes)
    ]
    found["roc_auc_per_class"] = np.stack(areas, axis=1)
    found["roc_auc"] = metrics.mean_known(found["roc_auc_per_class"])
    for name, values in answers.errors.items():
        known = ~np.isnan(values)
        total = mine[:, known].sum(axis=1, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            found[name] = mine[:, known] @ values[known] / total
    for name, (expected, own) in answers.ratings.items():
        known = ~np.isnan(own)
        with np.errstate(invalid="ignore"):
            agreed = metrics.agreement(expected[known], own[known], mine[:, known])
        found |= {
            f"{score}_{name}": values
            for score, values in agreed.items()
            if score != "sagr" or name in SIGNED
        }
    return found
