"""Votes, worked by hand and counted on the real file."""

import csv

import numpy as np
import pytest

from fer_pipeline import votes
from fer_pipeline.emotions import EMOTIONS


def ten(**given: int) -> list[int]:
    return [given.get(name, 0) for name in votes.NAMES]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (ten(anger=3, disgust=2, neutral=4, sadness=1), None),  # 4 of 9
        (ten(anger=5, disgust=5), None),  # a half is no majority
        (ten(anger=3, disgust=1, fear=1, neutral=1, NF=1), "anger"),  # singles put aside
        (ten(anger=1, fear=1, neutral=1), None),  # nothing left
        (ten(contempt=6, unknown=4), "contempt"),
        (ten(happiness=3, unknown=7), "unknown"),
        (ten(NF=10), "NF"),
    ],
)
def test_majority(given, expected):
    assert votes.majority(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (ten(happiness=10), {"happiness": 1}),
        (ten(neutral=5, sadness=3, anger=2), {"neutral": 5 / 8, "sadness": 3 / 8}),  # 8 of 10
        (ten(neutral=4, sadness=3, anger=3), {"neutral": 0.4, "sadness": 0.3, "anger": 0.3}),
        (ten(neutral=6, unknown=4), {"neutral": 1}),  # unknown next: left out
        (ten(neutral=5, unknown=5), None),  # ... and 5 are no more than half
        (ten(unknown=6, neutral=4), None),
        (ten(anger=2, disgust=2, fear=2, sadness=2, neutral=2), None),  # five equals
        (ten(anger=1, fear=1), None),
        (ten(fear=4, surprise=4, NF=2), {"fear": 0.5, "surprise": 0.5}),
    ],
)
def test_probability(given, expected):
    found = votes.probability(given)
    if expected is None:
        assert found is None
    else:
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, [expected.get(name, 0) for name in EMOTIONS], rtol=1e-6)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (ten(neutral=4, sadness=3, anger=3), {"neutral", "sadness", "anger"}),  # 30 % counts
        (ten(neutral=6, sadness=2, anger=2), {"neutral"}),
        (ten(neutral=4, anger=2, fear=2, sadness=2), None),  # 4 of 10 hold too little
        (ten(neutral=3, anger=3, unknown=4), None),  # most voted: unknown
        (ten(NF=10), None),
    ],
)
def test_multi_target(given, expected):
    found = votes.multi_target(given)
    if expected is None:
        assert found is None
    else:
        np.testing.assert_array_equal(found, [float(name in expected) for name in EMOTIONS])


def test_eight_numbers_are_ten_without_the_last_two():
    eight = ten(neutral=6, sadness=4)[:8]
    assert votes.majority(eight) == "neutral"
    np.testing.assert_array_equal(votes.probability(eight), votes.probability([*eight, 0, 0]))


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match="8 or 10"):
        votes.majority([1, 2, 3])


def test_from_row_adds_what_stands_in_the_attributes():
    found = votes.from_row([1, 0, 0, 0, 0, 0, 4, 0], {"votes_unknown": "3", "votes_NF": "2"})
    np.testing.assert_array_equal(found, [1, 0, 0, 0, 0, 0, 4, 0, 3, 2])
    np.testing.assert_array_equal(votes.from_row([0] * 8, {}), np.zeros(10))


@pytest.mark.realdata
def test_majority_of_the_real_file(shared_data):
    """25,060, 3,199 and 3,153 pictures have an emotion by majority."""
    path = shared_data / "fer2013new.csv"
    if not path.is_file():
        pytest.skip(f"no {path}")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    count = dict.fromkeys(("Training", "PublicTest", "PrivateTest"), 0)
    for row in rows:
        count[row["Usage"]] += votes.majority([int(row[n]) for n in votes.NAMES]) in EMOTIONS
    assert count == {"Training": 25060, "PublicTest": 3199, "PrivateTest": 3153}
