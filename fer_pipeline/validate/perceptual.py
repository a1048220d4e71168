"""Perceptual hashes of faces, and the search for pairs that are nearly alike."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from scipy.fft import dctn

TABLES: Final = 256
"""Hash tables of the search. On the 34,034 distinct pictures of FER2013 they find 99.9 % of all
pairs at most 40 of 256 bits apart."""

WINDOW: Final = 16
"""Entries of one bucket that each entry is compared with, so that crowds of all but equal faces
cost linear time. Every table mixes a bucket anew, so pairs of a crowd are found all the same."""


def phash(pictures: Sequence[np.ndarray], side: int, aligned: bool = False) -> np.ndarray:
    """(N, side * side / 8) uint8: packed perceptual hashes of N (H, W) uint8 pictures.

    A bit says whether one of the lowest frequencies of the picture lies above their median, so
    scale, brightness, contrast, fine noise and recompression change few bits. `aligned` takes
    twice as many frequencies and folds both halves by exclusive or, which doubles small distances:
    faces that alignment has laid on one template look alike, while copies of them no longer differ
    in how they were cut.

    How far apart copies are, at side 16, was read off pairs shown as pictures. Crops, all 579
    million pairs of FER2013: of 117 sampled pairs up to 62 bits apart all were one photograph, cut,
    scaled or stamped anew, but for two from one photo session; unlike faces begin at 64 and then
    double every two bits. Aligned, 11,531 faces of FER2013 laid on the template by YuNet's points:
    all of 59 sampled pairs up to 74 were one photograph. Aligned, the synthetic lab sets, whose
    subjects look more alike than people do: two subjects are never closer than 58, while 95 % of
    recompressed copies lie within 16 (JPEG 75) or 30 (JPEG 40). The default limit, 40, keeps its
    distance from unlike faces in all of them.

    Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010
    (DCT hash; the median leaves out the mean brightness).
    """
    folds = 2 if aligned else 1
    size = (folds + 1) * side
    small = np.stack([_resize(picture, size) for picture in pictures]).astype(np.float32)
    waves = np.arange(size)
    order = np.argsort(np.maximum(waves[:, None], waves).ravel(), kind="stable")
    lowest = np.sort(order[: folds * side * side])
    values = dctn(small, axes=(1, 2)).reshape(len(small), -1)[:, lowest]
    above = values > np.median(values[:, 1:], axis=1, keepdims=True)
    folded = np.logical_xor.reduce(above.reshape(len(above), folds, -1), axis=1)
    return np.packbits(folded, axis=1)


def _resize(picture: np.ndarray, side: int) -> np.ndarray:
    shrinks = min(picture.shape) > side
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, (side, side), interpolation=method)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) int64: in how many bits the rows of two (N, B) uint8 arrays differ."""
    return np.bitwise_count(_words(a) ^ _words(b)).sum(axis=1, dtype=np.int64)


def near_pairs(hashes: np.ndarray, distance: int, clips: np.ndarray | None = None) -> np.ndarray:
    """(M, 2) int64: sorted index pairs i < j of (N, B) uint8 hashes at most `distance` bits apart.

    `clips` (N,) int64 leaves out pairs of one clip; -1: no clip. Each of TABLES tables sorts the
    hashes by some twenty of their bits and compares those that agree in all of them
    (locality-sensitive hashing by bit sampling); a pair that no table brings together is missed.
    Deterministic.

    Source: Indyk & Motwani, "Approximate nearest neighbors", STOC 1998.
    """
    count = len(hashes)
    if count < 2:
        return np.zeros((0, 2), np.int64)
    clips = np.full(count, -1) if clips is None else clips
    words, bits = _words(hashes), np.unpackbits(hashes, axis=1).T
    width = min(int(np.ceil(np.log2(count))) + 5, 30, len(bits) // 2)
    random = np.random.default_rng(0)
    found, new = np.zeros(0, np.int64), [np.zeros(0, np.int64)]
    for _ in range(TABLES):
        key = np.zeros(count, np.uint32)
        for shift, row in enumerate(random.permutation(len(bits))[:width]):
            key |= bits[row].astype(np.uint32) << np.uint32(shift)
        # Mixed order within a bucket: what one table's window cuts off, another compares.
        mixed = random.permutation(count)
        order = mixed[np.argsort(key[mixed], kind="stable")]
        pairs = _neighbours(key[order], order, clips)
        close = np.bitwise_count(words[pairs[0]] ^ words[pairs[1]]).sum(axis=1) <= distance
        low, high = np.sort(pairs[:, close], axis=0)
        new.append(low * count + high)
        # Rarely enough not to cost time, often enough not to cost memory.
        if sum(map(len, new)) > 1_000_000 + len(found):
            found, new = np.unique(np.concatenate([found, *new])), []
    found = np.unique(np.concatenate([found, *new]))
    return np.stack([found // count, found % count], axis=1)


def _neighbours(key: np.ndarray, order: np.ndarray, clips: np.ndarray) -> np.ndarray:
    """(2, M) entries of equal keys, at most WINDOW apart, but for those of one clip.

    `key` (N,) is sorted and belongs to the entries `order` (N,).
    """
    start, found = np.arange(len(order)), [np.zeros((2, 0), np.int64)]
    for step in range(1, WINDOW + 1):
        start = start[start + step < len(order)]
        start = start[key[start] == key[start + step]]
        if not len(start):
            break
        pair = np.stack([order[start], order[start + step]])
        one_clip = (clips[pair[0]] == clips[pair[1]]) & (clips[pair[0]] >= 0)
        found.append(pair[:, ~one_clip])
    return np.concatenate(found, axis=1)


def near_any(queries: np.ndarray, references: np.ndarray, distance: int) -> np.ndarray:
    """(N,) bool: whether each (N, B) uint8 query lies within `distance` of some reference."""
    both, inverse = np.unique(np.concatenate([references, queries]), axis=0, return_inverse=True)
    reference = np.zeros(len(both), bool)
    reference[inverse[: len(references)]] = True
    near = reference.copy()
    for a, b in near_pairs(both, distance):
        near[a] |= reference[b]
        near[b] |= reference[a]
    return near[inverse[len(references) :]]


def _words(hashes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(hashes).view(np.uint64)
