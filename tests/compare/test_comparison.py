"""Which runs are compared, and over which blocks."""

import numpy as np
import pytest

from fer_pipeline.compare import answers, comparison
from fer_pipeline.compare.answers import Answers, persons
from fer_pipeline.compare.params import CompareParams

pytestmark = pytest.mark.xdist_group("compare")


def made(ids: str, right: list[int], subjects: str | None = None) -> Answers:
    who = persons(list(subjects or ids), list(ids))
    return Answers(np.array(list(ids)), np.zeros(len(ids), int), np.array(right, bool), 50, who)


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
    assert [entry["models"] for entry in found["many"]] == [["one", "two"]]


def over_two_sets() -> dict:
    """Two repeats of two models trained on s, tested on s (2 items) and on t (4)."""
    high, low = made("ab", [1, 1]), made("ab", [0, 1])
    good, bad = made("wxyz", [1, 1, 1, 1]), made("wxyz", [0, 1, 0, 1])
    return {
        ("s", "s"): {"one": {0: high, 1: low}, "two": {0: low, 1: high}},
        ("s", "t"): {"one": {0: good, 1: bad}, "two": {0: bad, 1: bad}},
    }


def test_the_share_tested_is_that_of_the_own_set_for_every_target():
    found = comparison.compare(over_two_sets(), CompareParams())["pairs"]
    assert [pair["repeats"]["test_share"] for pair in found] == [2 / 50, 2 / 50]


def test_without_an_own_test_set_there_is_no_corrected_t():
    runs = {place: models for place, models in over_two_sets().items() if place[0] != place[1]}
    tests = comparison.compare(runs, CompareParams())["pairs"][0]["repeats"]
    assert "p" in tests["t"]
    assert "no test rows of its own" in tests["corrected_t"]["why"]


def test_only_own_test_sets_are_blocks_and_each_is_a_mean_over_repeats():
    rng = np.random.default_rng(0)
    runs = {}
    for source in "st":
        for target in "stuvwx":
            runs[source, target] = {
                name: {0: made("abcdefgh", rng.integers(0, 2, 8).tolist())}
                for name in ("one", "two", "three")
            }
    across = [
        e for e in comparison.compare(runs, CompareParams())["many"] if e["over"] != "repeats"
    ]
    assert [(entry["names"], entry["blocks"]) for entry in across] == [(["s", "t"], 2)]
    assert "almost no power" in across[0]["notes"][0]
    assert not across[0]["enough"]
    assert "there are 3 and 2" in across[0]["diagram"]["why"]
    means = comparison.compare(over_two_sets(), CompareParams())["many"][-1]["means"]
    assert means == {"one": 0.75, "two": 0.75}


def test_tests_over_repeats_are_corrected_for_the_number_of_pairs():
    rng = np.random.default_rng(3)
    models = {
        name: {r: made("abcdefgh", rng.integers(0, 2, 8).tolist()) for r in range(5)}
        for name in ("one", "two", "three")
    }
    found = comparison.compare({("s", "s"): models}, CompareParams())["pairs"]
    for name in ("corrected_t", "wilcoxon"):
        raw = sorted(pair["repeats"][name]["p"] for pair in found)
        least = min(pair["repeats"][name]["p_holm"] for pair in found)
        assert least == pytest.approx(min(1, 3 * raw[0]), rel=1e-4)


def test_persons_are_counted_where_one_has_several_items():
    one, two = made("abcd", [1, 1, 0, 0], "ppqq"), made("abcd", [0, 1, 0, 1], "ppqq")
    runs = {("s", "s"): {"one": {0: one}, "two": {0: two}}}
    pair = comparison.compare(runs, CompareParams())["pairs"][0]
    assert (pair["items"], pair["persons"]) == (4, 2)
    apart = {
        ("s", "s"): {"one": {0: made("abcd", [1, 1, 0, 0])}, "two": {0: made("abcd", [0] * 4)}}
    }
    assert comparison.compare(apart, CompareParams())["pairs"][0]["persons"] is None


def test_tidy_keeps_small_p_values():
    assert comparison.tidy({"p": [1.23456789e-12, 0.123456789], "n": 3}) == {
        "p": [1.23457e-12, 0.123457],
        "n": 3,
    }
