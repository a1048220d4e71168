"""Pictures that occur more than once, exactly or nearly, and which rows training must not use."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fer_pipeline.protocol import Protocol
from fer_pipeline.validate.perceptual import near_pairs
from fer_pipeline.validate.tables import parts_of

if TYPE_CHECKING:
    import pandas as pd

CONSTANT: Final = "constant picture"
SAME: Final = "same picture in {}"
NEAR: Final = "near duplicate in {}"
OTHER_SUBJECT: Final = "same picture under another subject"
NEAR_SUBJECT: Final = "near duplicate under another subject"
CONFLICT: Final = "conflicting labels"


@dataclass(frozen=True)
class Near:
    """Pairs of rows whose faces are nearly but not exactly alike.

    pairs   (M, 2) int64 rows; each stands for all rows with the same pixels, subject and home
    home    (N,) objects: what pairs must not cross: the part, or with folds the subject
    entry   (N,) int64: the row that stands for this one; -1 without a hash
    """

    pairs: np.ndarray
    home: np.ndarray
    entry: np.ndarray

    def across(self) -> np.ndarray:
        """(M,) bool: pairs with two homes."""
        return self.home[self.pairs[:, 0]] != self.home[self.pairs[:, 1]]

    def rows(self, chosen: np.ndarray) -> np.ndarray:
        """(N,) bool: rows for which some chosen pair stands."""
        hit = np.zeros(len(self.entry), bool)
        hit[self.pairs[chosen].ravel()] = True
        return hit[self.entry] & (self.entry >= 0)


def homes(faces: "pd.DataFrame", protocol: Protocol) -> np.ndarray:
    """(N,) objects: what a picture must not leave: its part, or with folds its subject.

    Subjects move together from fold to fold, so only what crosses subjects can leak.

    Raises: BadManifest when the protocol cannot be applied.
    """
    if protocol.kind == "folds":
        return faces["subject"].to_numpy(object)
    return parts_of(faces, protocol, repeat=0).astype(object)


def near(faces: "pd.DataFrame", hashes: np.ndarray, home: np.ndarray, distance: int) -> Near:
    """All pairs of distinct pictures at most `distance` bits apart, but for frames of one clip.

    `faces` has pixel_hash, subject, sequence and hashed (whether its row of `hashes` counts).
    """
    import pandas as pd

    rows = np.flatnonzero(faces["hashed"].to_numpy())
    key = faces[["pixel_hash", "subject"]].iloc[rows].assign(home=home[rows])
    groups = key.groupby(["pixel_hash", "subject", "home"], dropna=False, sort=False).ngroup()
    _, first, inverse = np.unique(groups.to_numpy(), return_index=True, return_inverse=True)
    entry = np.full(len(faces), -1)
    entry[rows] = rows[first][inverse]
    chosen = rows[first]
    clips = pd.factorize(faces["sequence"].iloc[chosen])[0]
    pairs = chosen[near_pairs(hashes[chosen], distance, clips)]
    pixels = faces["pixel_hash"].to_numpy(object)
    unlike = pixels[pairs[:, 0]] != pixels[pairs[:, 1]]
    return Near(pairs[unlike], home, entry)


def drops(faces: "pd.DataFrame", found: Near, protocol: Protocol) -> np.ndarray:
    """(N,) objects: why training and validation must not use a row, None where they may.

    Official splits: pictures that test (or for training, validation) rows show too. Folds: every
    copy of a picture that lies under several subjects, since whichever fold is tested, the copies
    would be elsewhere. Test rows are never dropped.
    """
    reason = np.full(len(faces), None, object)
    train = found.home == "train" if protocol.kind == "official" else np.ones(len(faces), bool)
    _mark(reason, train & conflicting(faces), CONFLICT)
    if protocol.kind == "folds":
        _mark(reason, found.rows(found.across()), NEAR_SUBJECT)
        _mark(reason, in_several(faces, "subject"), OTHER_SUBJECT)
    else:
        for part, below in (("val", ("train",)), ("test", ("train", "val"))):
            lower = np.isin(found.home, below)
            _mark(reason, lower & _near_to(faces, found, part), NEAR.format(part))
        for part, below in (("val", ("train",)), ("test", ("train", "val"))):
            there = faces["pixel_hash"][(found.home == part) & faces["usable"]].dropna()
            lower = np.isin(found.home, below)
            _mark(reason, lower & faces["pixel_hash"].isin(there).to_numpy(), SAME.format(part))
    _mark(reason, train & faces["constant"].to_numpy(), CONSTANT)
    return reason


def _mark(reason: np.ndarray, rows: np.ndarray, why: str) -> None:
    """Later reasons replace earlier ones: the strongest comes last."""
    reason[rows] = why


def _near_to(faces: "pd.DataFrame", found: Near, part: str) -> np.ndarray:
    """(N,) bool: rows with a near duplicate among the usable rows of the part."""
    usable = np.zeros(len(faces), bool)
    usable[found.entry[(faces["usable"] & (found.entry >= 0)).to_numpy()]] = True
    there = usable & (found.home == part)
    a, b = found.pairs.T
    hit = np.zeros(len(faces), bool)
    hit[a[there[b]]] = True
    hit[b[there[a]]] = True
    return hit[found.entry] & (found.entry >= 0)


def in_several(table: "pd.DataFrame", column: str) -> np.ndarray:
    """(N,) bool: rows whose picture (pixel_hash) occurs with several values of the column."""
    values = table[column].groupby(table["pixel_hash"]).nunique()
    return table["pixel_hash"].isin(values.index[values > 1]).to_numpy()


def conflicting(table: "pd.DataFrame") -> np.ndarray:
    """(N,) bool: rows whose picture carries several emotions."""
    return in_several(table, "emotion")
