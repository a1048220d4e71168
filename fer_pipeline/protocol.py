"""How a set's rows become train, validation and test rows, the same for everyone who asks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from fer_pipeline.errors import BadManifest
from fer_pipeline.manifest import SPLITS
from fer_pipeline.seeds import derive

CARVED: Final = 0.1
"""Share of the training rows (or subjects) that becomes validation where a set has none."""


@dataclass(frozen=True)
class Protocol:
    """A set's own way of earning numbers.

    kind       official: the set's splits; folds: subject-grouped cross-validation
    folds      number of folds; 0 leaves one subject out at a time
    counts     official rows per split of the complete set, to be checked; {} when there are none
    source     paper or page that defines it
    """

    kind: Literal["official", "folds"]
    source: str
    folds: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


def partition(
    protocol: Protocol,
    ids: Sequence[str],
    splits: Sequence[str | None],
    subjects: Sequence[str | None],
    emotions: Sequence[str | None],
    repeat: int,
) -> np.ndarray:
    """ "train", "val" or "test" for each row of a set, (N,) str.

    official: as the set says; a missing validation set is carved from the training rows, by
    subject where subjects are known, else stratified by emotion; the same in every repeat.
    folds: repeat r tests on fold r, validates on fold r + 1, trains on the rest; no subject is
    ever in two of them. A row without a subject is never trained or validated on: it is "test", and
    so is every row of a set that names no subject at all.

    Raises: BadManifest when a row lacks what the protocol needs.
    """
    if protocol.kind == "folds":
        return _folds(protocol.folds, subjects, repeat)
    for row, split in zip(ids, splits, strict=True):
        if split not in SPLITS:
            what = f"split '{split}', which is none of {', '.join(SPLITS)}" if split else "no split"
            raise BadManifest(f"{row} has {what}, but its set has official ones; ingest it again")
    parts = np.array(splits, dtype="<U5")
    if not (parts == "val").any():
        _carve(parts, ids, subjects, emotions)
    return parts


def fold_of(subjects: Sequence[str], folds: int) -> dict[str, int]:
    """Fold of each subject: subjects with most rows first, each into the emptiest fold.

    With folds = 0 every subject is a fold, in sorted order.
    """
    rows: dict[str, int] = defaultdict(int)
    for subject in subjects:
        rows[subject] += 1
    if folds == 0:
        return {subject: number for number, subject in enumerate(sorted(rows))}
    filled = [0] * folds
    placed = {}
    for subject in sorted(rows, key=lambda name: (-rows[name], derive("fold", name))):
        emptiest = filled.index(min(filled))
        placed[subject] = emptiest
        filled[emptiest] += rows[subject]
    return placed


def _folds(folds: int, subjects: Sequence[str | None], repeat: int) -> np.ndarray:
    known = [subject for subject in subjects if subject is not None]
    if len(subjects) and not known:
        return np.full(len(subjects), "test")
    place = fold_of(known, folds)
    count = max(place.values(), default=-1) + 1
    if count < 3:
        raise BadManifest(f"{count} folds of subjects are too few for train, val and test")
    test, val = repeat % count, (repeat + 1) % count
    fold = np.array([test if subject is None else place[subject] for subject in subjects])
    return np.where(fold == test, "test", np.where(fold == val, "val", "train"))


def _carve(
    parts: np.ndarray,
    ids: Sequence[str],
    subjects: Sequence[str | None],
    emotions: Sequence[str | None],
) -> None:
    train = [int(i) for i in np.flatnonzero(parts == "train")]
    by_subject = all(subjects[i] is not None for i in train)
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i in train:
        stratum = "" if by_subject else str(emotions[i])
        groups[stratum][str(subjects[i]) if by_subject else ids[i]].append(i)
    for members in groups.values():
        ranked = sorted(members, key=lambda name: derive("carve", name))
        for name in ranked[: round(len(ranked) * CARVED)]:
            parts[members[name]] = "val"
