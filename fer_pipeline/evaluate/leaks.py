"""Which test pictures a run has already seen, in training or in choosing its checkpoint."""

from collections.abc import Sequence
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
    """What one repeat has seen: row numbers of its source (sorted), and how many examples trained.

    The rows of training and of validation: the one fitted the weights, the other chose them.
    """

    rows: np.ndarray
    examples: int


def trained(card: Card, faces: Path, leaks: Path) -> Trained:
    """The rows that the run of this card was trained and validated on.

    Raises: MissingData, BadManifest.
    """
    found = rows.read(
        faces,
        leaks,
        rules(card.source),
        card.repeat,
        card.classes,
        clips=card.input.frames > 1,
        soft=card.params.get("labels", "majority") != "majority",
    )
    numbers = sorted({number for frames in found.frames for number in frames})
    return Trained(np.array(numbers, int), int((found.part == "train").sum()))


def marks(
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
