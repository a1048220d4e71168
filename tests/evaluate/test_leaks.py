"""Near duplicates of trained pictures, bit by bit."""

import numpy as np
import pytest

from fer_pipeline.evaluate import leaks


def objects(values: list[bytes | None]) -> np.ndarray:
    found = np.empty(len(values), object)
    found[:] = values
    return found


@pytest.mark.parametrize("distance", [0, 5, 100])
def test_near_is_what_counting_bits_says(distance):
    rng = np.random.default_rng(0)
    trained = [rng.bytes(32) for _ in range(20)]
    tested: list[bytes | None] = []
    for number in range(40):
        bits = np.unpackbits(np.frombuffer(trained[number % 20], np.uint8)).copy()
        bits[rng.permutation(256)[: number // 2]] ^= 1
        tested.append(np.packbits(bits).tobytes())
    tested[7] = None
    wanted = np.arange(0, 40, 3)
    found = leaks._close(objects([*trained, None]), objects(tested), wanted, distance)
    for row in range(40):
        mine = tested[row]
        if row % 3 or mine is None:
            assert not found[row]
            continue
        gaps = [(int.from_bytes(mine) ^ int.from_bytes(other)).bit_count() for other in trained]
        assert found[row] == (min(gaps) <= distance)


def test_without_hashes_nothing_is_near():
    nothing = objects([None, None])
    assert not leaks._close(nothing, objects([b"\0" * 8]), np.array([0]), 3).any()
