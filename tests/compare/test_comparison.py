"""Which runs are compared, and over which blocks."""

import numpy as np

from fer_pipeline.compare import answers, comparison
from fer_pipeline.compare.answers import Answers
from fer_pipeline.compare.params import CompareParams


def made(ids: str, right: list[int]) -> Answers:
    return Answers(np.array(list(ids)), np.zeros(len(ids), int), np.array(right, bool), 50)


def test_only_shared_repeats_and_items_are_compared():
    first = {0: made("abc", [1, 1, 0]), 1: made("abc", [1, 1, 1]), 2: made("xy", [1, 1])}
    second = {1: made("bcd", [0, 1, 1]), 2: made("z", [1])}
    found = answers.in_common(first, second)
    assert [(repeat, a.ids.tolist(), b.right.tolist()) for repeat, a, b in found] == [
        (1, ["b", "c"], [False, True])
    ]


def test_clips_and_stills_are_no_pair_and_no_family():
    stills = {0: made("abcd", [1, 1, 0, 0])}
    runs = {("s", "t"): {"one": stills, "two": {0: made("abcd", [1, 0, 0, 0])},
                         "clips": {0: made("xy", [1, 0])}}}  # fmt: skip
    found = comparison.compare(runs, CompareParams())
    assert [(pair["a"], pair["b"]) for pair in found["pairs"]] == [("one", "two")]
    assert [entry["models"] for entry in found["many"]] == [["one", "two"], ["one", "two"]]


def test_the_share_tested_comes_from_the_rows_trained_on():
    runs = {("s", "t"): {name: {0: made("abcd", [1, 1, 0, 0])} for name in ("one", "two")}}
    pair = comparison.compare(runs, CompareParams())["pairs"][0]
    assert pair["repeats"]["test_share"] == 4 / 50
    assert pair["difference"] == 0


def test_blocks_across_are_means_over_repeats():
    high, low = made("ab", [1, 1]), made("ab", [0, 1])
    runs = {
        ("s", "s"): {"one": {0: high, 1: low}, "two": {0: low, 1: low}},
        ("s", "t"): {"one": {0: low, 1: low}, "two": {0: high, 1: low}},
    }
    across = comparison.compare(runs, CompareParams())["many"][-1]
    assert across["names"] == ["s on s", "s on t"]
    assert across["means"] == {"one": 0.625, "two": 0.625}


def test_tidy_keeps_small_p_values():
    assert comparison.tidy({"p": [1.23456789e-12, 0.123456789], "n": 3}) == {
        "p": [1.23457e-12, 0.123457],
        "n": 3,
    }
