"""The test items of a dataset: which are tested in which repeat, and which cannot be."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from fer_pipeline import manifest, protocol, registry
from fer_pipeline.emotions import in_order
from fer_pipeline.errors import BadManifest
from fer_pipeline.manifest import FACES, LEAKS, OK
from fer_pipeline.train.pixels import sampled
from fer_pipeline.train.rows import clip_emotion, peak

LIGHT: Final = (
    "id",
    "split",
    "subject",
    "sequence",
    "frame",
    "phase",
    "emotion",
    "votes",
    "valence",
    "arousal",
    "intensity",
    "alignment",
    "pixel_hash",
    "status",
)
"""All of FACES that a test needs before any picture is read."""

EVALUATED: Final = "evaluated"
UNLABELLED: Final = "unlabelled"
OTHER_CLASSES: Final = "other_classes"


@dataclass(frozen=True)
class Faces:
    """A dataset's faces without their pictures, and the hashes that validate made of them."""

    dataset: str
    path: Path
    rows: pa.Table
    perceptual: np.ndarray

    def column(self, name: str) -> np.ndarray:
        """A column as (N,) objects, None where null."""
        values = np.empty(self.rows.num_rows, object)
        values[:] = self.rows[name].to_pylist()
        return values

    def parts(self, repeat: int) -> np.ndarray:
        """train, val or test for each row in this repeat of the set's own protocol."""
        ids, splits, subjects, emotions = (
            self.rows[name].to_pylist() for name in ("id", "split", "subject", "emotion")
        )
        return protocol.partition(rules(self.dataset), ids, splits, subjects, emotions, repeat)


@dataclass(frozen=True)
class Items:
    """What a run is tested on: pictures, or clips of them.

    ids       (n,) of the picture, or the clip's sequence
    emotions  (n,) the truth
    rows      (n,) row of the faces that holds votes, ratings and subject
    members   per item its rows of the faces, in time; one for a picture
    peaks     (n,) int64 place of the one at the expression's height; -1: not known, a picture
    tested    (repeats, n) bool
    coverage  over all repeats, how many were asked for, evaluated, and why the others were not:
              unlabelled, other_classes (not shared with the model), or the status of the rows
    """

    ids: list[str]
    emotions: list[str]
    rows: np.ndarray
    members: list[np.ndarray]
    peaks: np.ndarray
    tested: np.ndarray
    coverage: dict[str, int]


@dataclass(frozen=True)
class _Item:
    name: str
    emotion: str
    row: int
    members: np.ndarray
    fate: str
    peak: int = -1


def load(dataset: str, faces: Path, leaks: Path) -> Faces:
    """The light columns of `faces` and the hashes of `leaks`.

    Raises: MissingData, BadManifest when the two do not hold the same rows.
    """
    rows = manifest.read(faces, FACES, LIGHT)
    found = manifest.read(leaks, LEAKS, ["id", "perceptual_hash"])
    if not rows["id"].equals(found["id"]):
        raise BadManifest(f"{leaks} does not hold the rows of {faces}; run validate again")
    hashes = np.empty(found.num_rows, object)
    hashes[:] = found["perceptual_hash"].to_pylist()
    return Faces(dataset, faces, rows, hashes)


def rules(dataset: str) -> protocol.Protocol:
    """The dataset's protocol."""
    found: protocol.Protocol = registry.load("datasets", dataset).PROTOCOL
    return found


def folds(faces: Faces) -> int:
    """How many folds of subjects the set's protocol has; 0 where it has official splits.

    Raises: BadManifest when a row lacks a subject.
    """
    found = rules(faces.dataset)
    if found.kind != "folds":
        return 0
    subjects = faces.rows["subject"].to_pylist()
    if None in subjects:
        row = faces.rows["id"][subjects.index(None)].as_py()
        raise BadManifest(f"{row} has no subject, which subject-grouped folds need")
    return 1 + max(protocol.fold_of(subjects, found.folds).values(), default=-1)


def shared_classes(dataset: str, classes: Sequence[str]) -> tuple[str, ...]:
    """The classes that a model and a dataset both have, in the order of EMOTIONS."""
    labels: Mapping[str, str | None] = registry.load("datasets", dataset).EMOTION_OF
    return in_order(set(classes) & {emotion for emotion in labels.values() if emotion})


def items(
    faces: Faces, own: bool, repeats: Sequence[int], classes: Sequence[str], frames: int
) -> Items:
    """The pictures to test (frames = 1), or the clips, in the order of the faces.

    own: the set was trained on, so that each repeat tests its own test rows. Else no row was seen:
    the official test split, or every row of a set without one.
    """
    asked = _asked(faces, own, repeats)
    wanted = np.flatnonzero(asked.any(axis=0))
    table = faces.rows.take(pa.array(wanted, pa.int64())).to_pylist()
    for row, number in zip(table, wanted.tolist(), strict=True):
        row["number"] = number
    found = _clips(table, frames) if frames > 1 else _stills(table)
    found = [_other_class(item, classes) for item in found]
    times = asked[:, [item.row for item in found]].sum(axis=0).tolist()
    coverage: Counter[str] = Counter()
    for item, count in zip(found, times, strict=True):
        coverage[item.fate] += count
    good = [item for item in found if item.fate == EVALUATED]
    rows = np.array([item.row for item in good], int)
    return Items(
        [item.name for item in good],
        [item.emotion for item in good],
        rows,
        [item.members for item in good],
        np.array([item.peak for item in good], np.int64),
        asked[:, rows],
        {"asked": sum(times), EVALUATED: 0, **dict(sorted(coverage.items()))},
    )


def _asked(faces: Faces, own: bool, repeats: Sequence[int]) -> np.ndarray:
    """(repeats, N) bool."""
    if own:
        return np.stack([faces.parts(repeat) == "test" for repeat in repeats])
    if rules(faces.dataset).kind == "folds":
        return np.ones((len(repeats), faces.rows.num_rows), bool)
    return np.tile(faces.parts(0) == "test", (len(repeats), 1))


def _stills(table: Sequence[Mapping[str, Any]]) -> list[_Item]:
    found = []
    for row in table:
        fate = EVALUATED
        if row["emotion"] is None:
            fate = UNLABELLED
        elif row["status"] != OK or row["alignment"] is None:
            fate = row["status"]
        member = np.array([row["number"]])
        found.append(_Item(row["id"], row["emotion"] or "", row["number"], member, fate))
    return found


def _clips(table: Sequence[dict[str, Any]], frames: int) -> list[_Item]:
    sequences: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table:
        if row["sequence"] is not None:
            sequences[row["sequence"]].append(row)
    found = []
    for name, rows in sequences.items():
        rows.sort(key=lambda row: row["frame"])
        seen = [row for row in rows if row["alignment"] is not None]
        emotion, fate = clip_emotion(seen), EVALUATED
        if emotion is None:
            labelled = [row["status"] for row in rows if row["emotion"] is not None]
            fate = labelled[-1] if labelled else UNLABELLED
        place = peak([row["phase"] for row in seen])
        height = seen[place]["number"] if place >= 0 else -1
        numbers = sampled(tuple(row["number"] for row in seen), frames, height)
        shown = [row["number"] for row in seen if row["emotion"] == emotion]
        row = shown[-1] if shown else rows[-1]["number"]
        top = numbers.index(height) if height >= 0 else -1
        found.append(_Item(name, emotion or "", row, np.array(numbers, int), fate, top))
    return found


def _other_class(item: _Item, classes: Sequence[str]) -> _Item:
    if item.fate != EVALUATED or item.emotion in classes:
        return item
    return replace(item, fate=OTHER_CLASSES)
