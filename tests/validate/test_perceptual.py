"""Perceptual hashes against the cosine sum by hand; the search against all pairs."""

import math
import time

import cv2
import numpy as np
import pytest

from fer_pipeline.validate.perceptual import distances, near_any, near_pairs, phash


def brute(hashes: np.ndarray, distance: int) -> list[tuple[int, int]]:
    bits = np.unpackbits(hashes, axis=1).astype(int)
    return [
        (i, j)
        for i in range(len(bits))
        for j in range(i + 1, len(bits))
        if np.abs(bits[i] - bits[j]).sum() <= distance
    ]


def flipped(base: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    bits = np.unpackbits(base)
    bits[random.permutation(len(bits))[:count]] ^= 1
    return np.packbits(bits)


def frequencies(pixels: np.ndarray) -> np.ndarray:
    """(size, size) cosine sums of a square picture, straight from the definition."""
    size = len(pixels)
    waves = np.cos(np.outer(np.arange(size), 2 * np.arange(size) + 1) * math.pi / (2 * size))
    return waves @ pixels.astype(float) @ waves.T


def test_hash_is_the_sign_of_low_frequencies_against_their_median(make) -> None:
    pixels = make.picture(3, side=16)
    values = frequencies(pixels)[:8, :8].ravel()
    wanted = values > np.median(values[1:])
    np.testing.assert_array_equal(phash([pixels], 8)[0], np.packbits(wanted))


def test_hash_of_aligned_faces_folds_twice_as_many(make) -> None:
    pixels = make.picture(3, side=24)
    table = frequencies(pixels)
    # The 11 x 11 lowest are 121; seven of the next ring, from the top of its column, make 128.
    values = np.array([value for row in range(11) for value in table[row, : 11 + (row < 7)]])
    assert len(values) == 128
    above = values > np.median(values[1:])
    np.testing.assert_array_equal(
        phash([pixels], 8, aligned=True)[0], np.packbits(above[:64] != above[64:])
    )


@pytest.mark.parametrize("aligned", [False, True])
def test_copies_are_near_and_others_are_far(make, aligned) -> None:
    for seed in range(20):
        pixels = make.picture(seed, side=112)
        smaller = cv2.resize(pixels, (90, 90), interpolation=cv2.INTER_AREA)
        original, *copies = phash([pixels, make.brighter(pixels), smaller], 16, aligned)
        for copy in copies:
            assert distances(original[None], copy[None])[0] <= 40
    unlike = phash([make.picture(seed) for seed in range(20)], 16, aligned)
    apart = [distances(unlike[i][None], unlike[j][None])[0] for i in range(20) for j in range(i)]
    assert min(apart) > 64


def test_alignment_makes_the_hash_stricter(make) -> None:
    """A slight change costs about twice the bits."""
    plain, folded = [], []
    for seed in range(30):
        pixels = make.picture(seed, side=112)
        pair = [pixels, np.roll(pixels, 1, axis=1)]
        for aligned, found in ((False, plain), (True, folded)):
            one, other = phash(pair, 16, aligned)
            found.append(distances(one[None], other[None])[0])
    assert 1.4 < np.mean(folded) / np.mean(plain) < 4


@pytest.mark.parametrize("side", [8, 16])
def test_hash_size(make, side: int) -> None:
    hashes = phash([make.picture(0), make.picture(1)], side)
    assert hashes.shape == (2, side * side // 8)
    assert hashes.dtype == np.uint8


def test_search_finds_what_all_pairs_find() -> None:
    random = np.random.default_rng(5)
    bases = random.integers(0, 256, (120, 32), dtype=np.uint8)
    copies = [flipped(base, int(random.integers(0, 60)), random) for base in bases]
    hashes = np.concatenate([bases, copies, bases[:3]])
    found = [tuple(pair) for pair in near_pairs(hashes, 40)]
    assert found == brute(hashes, 40)
    assert found == sorted(found)


def test_search_misses_hardly_any_pair_at_the_limit() -> None:
    random = np.random.default_rng(6)
    bases = random.integers(0, 256, (3000, 32), dtype=np.uint8)
    copies = np.stack([flipped(base, 40, random) for base in bases[:1000]])
    found = near_pairs(np.concatenate([bases, copies]), 40)
    assert len(found) >= 990
    np.testing.assert_array_equal(found[:, 1] - found[:, 0], 3000)


def test_search_finds_copies_beside_a_crowd_of_equal_hashes() -> None:
    random = np.random.default_rng(7)
    crowd = random.integers(0, 256, (1, 32), dtype=np.uint8).repeat(400, axis=0)
    pair = random.integers(0, 256, (1, 32), dtype=np.uint8).repeat(2, axis=0)
    found = near_pairs(np.concatenate([crowd, pair]), 0)
    assert [400, 401] in found.tolist()
    inside = found[found[:, 1] < 400]
    assert set(inside.ravel()) == set(range(400))


def test_search_of_few() -> None:
    assert near_pairs(np.zeros((0, 32), np.uint8), 10).shape == (0, 2)
    assert near_pairs(np.zeros((1, 32), np.uint8), 10).shape == (0, 2)
    assert near_pairs(np.zeros((2, 8), np.uint8), 0).tolist() == [[0, 1]]


def test_search_time_does_not_explode() -> None:
    random = np.random.default_rng(8)
    hashes = random.integers(0, 256, (36_000, 32), dtype=np.uint8)
    start = time.process_time()
    assert len(near_pairs(hashes, 40)) == 0
    # Processor time: all pairs take 6 s on the machine where this takes 1 s.
    assert time.process_time() - start < 15


def test_near_any() -> None:
    random = np.random.default_rng(9)
    references = random.integers(0, 256, (50, 32), dtype=np.uint8)
    queries = np.stack(
        [references[7], flipped(references[8], 10, random), flipped(references[9], 100, random)]
    )
    assert near_any(queries, references, 10).tolist() == [True, True, False]
    assert near_any(queries, references, 9).tolist() == [True, False, False]
