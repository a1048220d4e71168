"""Which test pictures a run has already seen, in training or in choosing its checkpoint."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_pipeline.checkpoints import Card
from fer_pipeline.evaluate.targets import Faces, Items, rules
from fer_pipeline.train import rows

EXACT = "exact"
NEAR = "near"


def repeated(target: Faces, items: Items) -> np.ndarray:
    """(n,) bool: an earlier item has the same pixels."""
    hashes = target.column("pixel_hash")
    seen: set[tuple[object, ...]] = set()
    found = np.zeros(len(items.ids), bool)
    for number, members in enumerate(items.members):
        key = tuple(hashes[members])
        found[number] = key in seen
        seen.add(key)
    return found


@dataclass(frozen=True)
class Trained:
    """What one repeat has seen: dataset -> its row numbers (sorted), and how many examples of its
    source trained.

    The rows of training and of validation: the one fitted the weights, the other chose them; of a
    transfer also those that its start has seen.
    """

    rows: Mapping[str, np.ndarray]
    examples: int


def trained(card: Card, faces: Path, leaks: Path) -> Trained:
    """The rows that the run of this card, and what it started from, was trained and validated on.

    faces, leaks: folders with one Parquet file per dataset.

    Raises: MissingData, BadManifest.
    """
    seen: dict[str, np.ndarray] = {}
    examples = 0
    for one in reversed(card.lineage()):
        found = rows.read(
            faces / f"{one.source}.parquet",
            leaks / f"{one.source}.parquet",
            rules(one.source),
            one.repeat,
            one.classes,
            clips=one.input.frames > 1,
            soft=one.params.get("labels", "majority") != "majority",
        )
        numbers = np.array(sorted({number for frames in found.frames for number in frames}), int)
        seen[one.source] = np.union1d(seen.get(one.source, numbers), numbers)
        examples = int((found.part == "train").sum())
    return Trained(seen, examples)


def marks(
    seen: Trained, read: Callable[[str], Faces], target: Faces, items: Items, distance: int
) -> np.ndarray:
    """(n,) objects, see `_marks`, of all that was seen; exact before near.

    read: gives a dataset's faces.
    """
    found = np.empty(len(items.ids), object)
    for dataset, numbers in seen.rows.items():
        own = _marks(read(dataset), numbers, target, items, distance)
        found = np.where((own == EXACT) | (found == None), own, found)  # noqa: E711
    return found


def _marks(
    source: Faces, trained: np.ndarray, target: Faces, items: Items, distance: int
) -> np.ndarray:
    """(n,) objects: exact where a picture of the item is pixel for pixel among the trained rows,
    near where its perceptual hash is within `distance` bits of one of theirs, else None.
    """
    exact = set(source.column("pixel_hash")[trained]) - {None}
    hashes = target.column("pixel_hash")
    wanted = np.unique(np.concatenate(items.members)) if items.members else np.array([], int)
    near = _close(source.perceptual[trained], target.perceptual, wanted, distance)
    found = np.empty(len(items.ids), object)
    for number, members in enumerate(items.members):
        if any(hashes[row] in exact for row in members):
            found[number] = EXACT
        elif near[members].any():
            found[number] = NEAR
    return found


def _close(
    trained: np.ndarray, hashes: np.ndarray, wanted: np.ndarray, distance: int
) -> np.ndarray:
    """(N,) bool: wanted rows whose hash lies within `distance` bits of a trained row's."""
    near = np.zeros(len(hashes), bool)
    known = np.array([row for row in wanted if hashes[row] is not None], int)
    have = [value for value in trained if value is not None]
    if not len(known) or not have:
        return near
    theirs = np.unique(_words(have), axis=0)
    step = max(1, 8_000_000 // len(theirs))
    for start in range(0, len(known), step):
        rows = known[start : start + step]
        mine = _words(list(hashes[rows]))
        bits = np.zeros((len(rows), len(theirs)), np.uint16)
        for word in range(theirs.shape[1]):
            bits += np.bitwise_count(mine[:, word, None] ^ theirs[None, :, word])
        near[rows] = bits.min(axis=1) <= distance
    return near


def _words(hashes: Sequence[bytes]) -> np.ndarray:
    """(N, words) uint64 of hashes of one length, a multiple of 8 bytes."""
    return np.frombuffer(b"".join(hashes), "<u8").reshape(len(hashes), -1)
