"""Plants in a laid-out sample what real sets suffer from, in known number."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_pipeline.errors import BadParams
from fer_pipeline.sample.breaking import BREAKERS, gather
from fer_pipeline.sample.listing import AffectFiles, JaffeFiles, RafFiles, Rows, VotedRows
from fer_pipeline.sample.params import Faults
from fer_pipeline.seeds import derive

UNDOCUMENTED: Final = "99"
"""A label code that no set has."""

_SUFFERS: Final[Mapping[str, tuple[type, tuple[str, ...]]]] = {
    "fer2013": (Rows, ("duplicate", "conflict", "constant", "unknown_label")),
    "ferplus": (VotedRows, ("duplicate", "conflict", "constant")),
    "rafdb": (
        RafFiles,
        (
            "duplicate",
            "conflict",
            "unknown_label",
            "truncated",
            "empty",
            "wrong_extension",
            "rotated",
            "cmyk",
        ),
    ),
    "affectnet": (
        AffectFiles,
        (
            "duplicate",
            "conflict",
            "unknown_label",
            "truncated",
            "empty",
            "wrong_extension",
            "faceless",
            "group",
            "rotated",
            "deep",
            "cmyk",
        ),
    ),
    "jaffe": (JaffeFiles, ("deep",)),
}
"""Which faults a set's layout permits; the clip sets stay clean."""


def plant(dataset: str, raw: Path, faults: Faults, seed: int) -> dict[str, list[str]]:
    """Damages the sample below `raw`; fault -> the ids, as ingest names them, that have it.

    duplicate and conflict name pairs, source and copy one after the other. No picture gets two
    faults.

    Raises: BadParams when there are not enough pictures.
    """
    if dataset not in _SUFFERS:
        return {}
    form, kinds = _SUFFERS[dataset]
    listing = form(raw, dataset)
    picker = _Picker(listing.splits, np.random.default_rng(seed))
    census = {}
    for kind in kinds:
        count = getattr(faults, kind)
        struck = [index for _ in range(count) for index in _strike(kind, listing, picker)]
        census[kind] = struck
    listing.save()
    return {kind: [listing.ids[index] for index in struck] for kind, struck in census.items()}


class _Picker:
    """Hands out pictures that have no fault yet."""

    def __init__(self, splits: list[str], rng: np.random.Generator) -> None:
        self.rng = rng
        self._left = [int(index) for index in rng.permutation(len(splits))]
        self._splits = splits

    def take(self, split: str | None = None) -> int:
        """The next picture, of `split` if given."""
        for place, index in enumerate(self._left):
            if split is None or self._splits[index] == split:
                return self._left.pop(place)
        raise BadParams(
            f"sample.faults: more faults than the {len(self._splits)} pictures can take; "
            "raise sample.scale or lower the counts"
        )

    def other(self, index: int, labels: list[str]) -> int:
        """The next training picture with another label than that of `index`."""
        for place, other in enumerate(self._left):
            if self._splits[other] == "train" and labels[other] != labels[index]:
                return self._left.pop(place)
        raise BadParams("sample.faults.conflict: no two training pictures with different labels")


def _strike(kind: str, listing: Any, picker: _Picker) -> list[int]:
    """Plants one fault; the pictures that have it."""
    if kind == "duplicate":
        source, target = picker.take("train"), picker.take("test")
        listing.copy(source, target)
        listing.relabel(target, listing.labels[source])
        return _agreed(listing, [source, target])
    if kind == "conflict":
        source = picker.take("train")
        target = picker.other(source, listing.labels)
        listing.copy(source, target)
        return _agreed(listing, [source, target])
    index = picker.take()
    if kind == "constant":
        listing.blank(index, int(picker.rng.integers(0, 256)))
    elif kind == "unknown_label":
        listing.relabel(index, UNDOCUMENTED)
    elif kind == "group":
        # Those beside the subject come from whole pictures that no fault strikes later.
        first, second = picker.take(), picker.take()
        gather(listing.files(index)[0], (listing.files(first)[0], listing.files(second)[0]))
    else:
        for path in listing.files(index):
            BREAKERS[kind](path, picker.rng)
    return [index]


def _agreed(listing: Any, pair: list[int]) -> list[int]:
    if hasattr(listing, "agree"):
        for index in pair:
            listing.agree(index)
    return pair


def seed_of(people: str, seed: int) -> int:
    """Seed of the planting; sets of the same people (FER2013, FER+) have the same rows struck."""
    return derive(seed, people, "faults")
