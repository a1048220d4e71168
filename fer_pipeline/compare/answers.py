"""What each run got right and wrong, read from the predictions."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from fer_pipeline import manifest
from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.errors import BadManifest
from fer_pipeline.predictions import PREDICTIONS, TRAIN_ROWS

COLUMNS: Final = ("model", "source", "repeat", "target", "id", "emotion", "predicted", "subject")


@dataclass(frozen=True)
class Answers:
    """One repeat of a run on one target, items sorted by id.

    ids      (n,) str; truth: (n,) place in EMOTIONS; right: (n,) bool
    trained  number of rows that this repeat was trained on
    person   (n,) str: who is shown; where that is not known, each item is a person of its own
    """

    ids: np.ndarray
    truth: np.ndarray
    right: np.ndarray
    trained: int
    person: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(self.right.mean())


Runs = dict[tuple[str, str], dict[str, dict[int, Answers]]]
"""(source, target) -> model -> repeat -> answers."""


def read(folder: Path, names: Sequence[tuple[str, str]]) -> Runs:
    """The predictions of the named runs (model, source); files of other runs are left alone.

    Raises: MissingData without such a file, BadManifest for a broken one.
    """
    runs: Runs = defaultdict(lambda: defaultdict(dict))
    for model, source in names:
        _read_file(folder / f"{model}-{source}.parquet", runs)
    return {place: dict(models) for place, models in runs.items()}


def _read_file(path: Path, runs: Runs) -> None:
    table = manifest.read(path, PREDICTIONS, COLUMNS)
    trained = _trained(path)
    values = {name: np.array(table[name].to_pylist()) for name in COLUMNS}
    if not table.num_rows:
        return
    place = {name: number for number, name in enumerate(EMOTIONS)}
    truth = np.array([place[name] for name in values["emotion"].tolist()])
    right = values["emotion"] == values["predicted"]
    person = persons(table["subject"].to_pylist(), table["id"].to_pylist())
    keys = list(zip(*(values[name].tolist() for name in COLUMNS[:4]), strict=True))
    members: dict[tuple[str, str, int, str], list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        members[key].append(row)
    for (model, source, repeat, target), found in members.items():
        rows = np.array(found)
        rows = rows[np.argsort(values["id"][rows], kind="stable")]
        ids = values["id"][rows]
        if (ids[1:] == ids[:-1]).any() or repeat in runs[source, target][model]:
            raise BadManifest(f"{path}: {model} on {source}, repeat {repeat} is there twice")
        if repeat not in trained:
            raise BadManifest(f"{path} does not say how many rows repeat {repeat} was trained on")
        runs[source, target][model][repeat] = Answers(
            ids, truth[rows], right[rows], trained[repeat], person[rows]
        )


def persons(subjects: Sequence[str | None], ids: Sequence[str]) -> np.ndarray:
    """(n,) str: the person of each item, of its own where the subject is not known."""
    pairs = zip(subjects, ids, strict=True)
    return np.array([f"item {name}" if who is None else f"subject {who}" for who, name in pairs])


def _trained(path: Path) -> Mapping[int, int]:
    metadata = pq.read_schema(path).metadata or {}
    if TRAIN_ROWS.encode() not in metadata:
        raise BadManifest(f"{path} has no '{TRAIN_ROWS}' in its metadata; run evaluate again")
    return {int(key): int(n) for key, n in json.loads(metadata[TRAIN_ROWS.encode()]).items()}


def in_common(
    first: Mapping[int, Answers], second: Mapping[int, Answers]
) -> list[tuple[int, Answers, Answers]]:
    """The repeats that two runs share, on the items that both answered; none without an item."""
    found = []
    for repeat in sorted(set(first) & set(second)):
        a, b = first[repeat], second[repeat]
        if not np.array_equal(a.ids, b.ids):
            _, left, right = np.intersect1d(a.ids, b.ids, return_indices=True)
            a, b = _some(a, left), _some(b, right)
        if len(a.ids):
            found.append((repeat, a, b))
    return found


def _some(answers: Answers, rows: np.ndarray) -> Answers:
    return Answers(
        answers.ids[rows],
        answers.truth[rows],
        answers.right[rows],
        answers.trained,
        answers.person[rows],
    )
