"""Two models on the same items, against statsmodels and closed forms."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest, chi2

from fer_pipeline.compare import pairs
from fer_pipeline.compare.answers import Answers, persons


def answers(right, ids=None, truth=None, subjects=None) -> Answers:
    right = np.array(right, bool)
    ids = np.array([f"i{n:04d}" for n in range(len(right))]) if ids is None else np.array(ids)
    truth = np.zeros(len(right), int) if truth is None else np.array(truth)
    return Answers(ids, truth, right, 100, persons(subjects or [None] * len(ids), ids.tolist()))


def table(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Right answers of two models with these counts."""
    a = [1] * (both + only_a) + [0] * (only_b + neither)
    b = [1] * both + [0] * only_a + [1] * only_b + [0] * neither
    return np.array(a, bool), np.array(b, bool)


def test_few_discordant_items_are_tested_exactly():
    found = pairs.mcnemar([0], *table(50, 15, 9, 20), 0.95, 0.8)
    assert found["exact"]
    assert (found["only_a"], found["only_b"]) == (15, 9)
    assert found["p"] == pytest.approx(binomtest(9, 24).pvalue)


def test_many_discordant_items_are_tested_by_chi_squared():
    found = pairs.mcnemar([0], *table(794, 86, 150, 570), 0.95, 0.8)
    assert not found["exact"]
    assert found["p"] == pytest.approx(chi2.sf((150 - 86 - 1) ** 2 / 236, 1))


def test_the_switch_is_at_25():
    assert pairs.mcnemar([0], *table(0, 24, 0, 0), 0.95, 0.8)["exact"]
    assert not pairs.mcnemar([0], *table(0, 25, 0, 0), 0.95, 0.8)["exact"]


def test_equal_answers_have_no_p():
    found = pairs.mcnemar([0], *table(5, 0, 0, 5), 0.95, 0.8)
    assert "p" not in found
    assert found["why"].startswith("not possible")


def test_fer2013_needs_about_a_point_at_12_percent_discordant():
    found = pairs.reach(431, 3589, 0.95, 0.8)
    assert found["smallest_significant"] == pytest.approx(0.0113, abs=4e-4)
    assert found["detectable"] == pytest.approx(0.0113 * (1.96 + 0.8416) / 1.96, abs=5e-4)


@pytest.mark.parametrize(
    ("discordant", "gap"), [(24, 12), (25, 1.959964 * 5 + 1), (431, 1.959964 * 431**0.5 + 1)]
)
def test_the_smallest_significant_difference_is_where_the_test_turns(discordant, gap):
    found = pairs.reach(discordant, 1000, 0.95, 0.8)
    assert found["smallest_significant"] * 1000 == pytest.approx(gap, abs=1e-5)
    for only_b in range(discordant // 2 + 1):
        only_a = discordant - only_b
        test = pairs.mcnemar([0], *table(0, only_a, only_b, 0), 0.95, 0.8)
        assert (test["p"] <= 0.05) == (only_a - only_b >= gap), only_b


@pytest.mark.parametrize("discordant", [6, 24, 25, 431])
def test_the_detectable_difference_is_found_with_the_given_power(discordant):
    found = pairs.reach(discordant, 1000, 0.95, 0.8)
    wins = (1 + found["detectable"] * 1000 / discordant) / 2
    splits = np.arange(discordant + 1)
    significant = [
        pairs.mcnemar([0], *table(0, a, discordant - a, 0), 0.95, 0.8)["p"] <= 0.05
        for a in splits
    ]  # fmt: skip
    power = binom.pmf(splits, discordant, wins)[np.array(significant)].sum()
    assert power == pytest.approx(0.8, abs=1e-3)
    assert found["detectable"] < discordant / 1000


def test_too_few_discordant_items_can_show_nothing():
    found = pairs.mcnemar([0], *table(90, 5, 0, 5), 0.95, 0.8)
    assert found["p"] == pytest.approx(2 / 2**5)
    assert not {"smallest_significant", "detectable"} & set(found)
    assert found["why_none"] == "no split of 5 discordant items is significant"
    assert "smallest_significant" in pairs.reach(6, 100, 0.95, 0.8)


def test_folds_are_pooled_and_repeats_are_not():
    a, b = table(4, 3, 1, 2)
    folds = [
        (0, answers(a, [f"x{n}" for n in range(10)]), answers(b, [f"x{n}" for n in range(10)])),
        (1, answers(a, [f"y{n}" for n in range(10)]), answers(b, [f"y{n}" for n in range(10)])),
    ]
    pooled = pairs.mcnemars(folds, 0.95, 0.8)
    assert [(test["repeats"], test["only_a"]) for test in pooled] == [([0, 1], 6)]
    seeds = [(repeat, answers(a), answers(b)) for repeat in (0, 1)]
    apart = pairs.mcnemars(seeds, 0.95, 0.8)
    assert [(test["repeats"], test["only_a"]) for test in apart] == [([0], 3), ([1], 3)]


def test_the_interval_of_a_difference_has_the_width_of_theory():
    a, b = table(1500, 300, 150, 550)
    value, low, high = pairs.difference([(0, answers(a), answers(b))], 0.95, 20_000, 0)
    d = a.astype(float) - b
    reach = 1.96 * d.std() / len(d) ** 0.5
    assert value == pytest.approx(d.mean())
    assert (low, high) == pytest.approx((value - reach, value + reach), abs=4e-4)


def test_strata_are_kept_in_the_bootstrap():
    truth = [0] * 50 + [1] * 50
    a, b = np.array([1] * 50 + [0] * 50, bool), np.zeros(100, bool)
    found = pairs.difference([(0, answers(a, truth=truth), answers(b, truth=truth))], 0.95, 2000, 0)
    assert found == (0.5, None, None)
    truth = [0] * 100
    found = pairs.difference([(0, answers(a, truth=truth), answers(b, truth=truth))], 0.95, 2000, 0)
    assert found[1] < 0.5 < found[2]


def test_persons_are_drawn_where_they_have_several_items():
    # Ten alike frames of each of 40 persons are worth 40 items.
    rng = np.random.default_rng(0)
    a, b = rng.random(40) < 0.7, rng.random(40) < 0.5
    subjects = [f"s{n // 10}" for n in range(400)]
    each = answers(np.repeat(a, 10), subjects=subjects), answers(np.repeat(b, 10))
    value, low, high = pairs.difference([(0, *each)], 0.95, 20_000, 0)
    once = pairs.difference([(0, answers(a), answers(b))], 0.95, 20_000, 0)
    assert (value, low, high) == pytest.approx(once, abs=0.03)
    apart = pairs.difference([(0, *(answers(r) for r in (np.repeat(a, 10), np.repeat(b, 10))))],
                             0.95, 20_000, 0)  # fmt: skip
    assert high - low > 2.5 * (apart[2] - apart[1])


def test_folds_of_one_person_are_drawn_together():
    # Leave one subject out: each repeat tests another person, who counts as often as drawn.
    rng = np.random.default_rng(1)
    gaps = rng.integers(1, 10, 12)
    parts = []
    for person, gap in enumerate(gaps.tolist()):
        ids = [f"{person}/{n}" for n in range(10)]
        right = [1] * gap + [0] * (10 - gap)
        subjects = [f"s{person}"] * 10
        parts.append((person, answers(right, ids, subjects=subjects), answers([0] * 10, ids)))
    value, low, high = pairs.difference(parts, 0.95, 20_000, 0)
    error = gaps.std() / 10 / 12**0.5
    assert value == pytest.approx(gaps.mean() / 10)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.05)


def test_a_single_person_gives_no_interval():
    each = answers([1, 1, 0], subjects=["s"] * 3), answers([0, 1, 0], subjects=["s"] * 3)
    assert pairs.difference([(0, *each)], 0.95, 2000, 0) == (pytest.approx(1 / 3), None, None)


def test_items_are_drawn_with_all_their_repeats():
    rng = np.random.default_rng(0)
    a, b = rng.random(400) < 0.7, rng.random(400) < 0.6
    once = [(0, answers(a), answers(b))]
    thrice = [(repeat, answers(a), answers(b)) for repeat in range(3)]
    first = pairs.difference(once, 0.95, 20_000, 0)
    again = pairs.difference(thrice, 0.95, 20_000, 1)
    assert again == pytest.approx(first, abs=3e-3)


def test_unequal_folds_count_alike():
    a, b = answers([1, 1], ["p", "q"]), answers([0, 0], ["p", "q"])
    c = answers([0] * 8, [f"z{n}" for n in range(8)])
    value, _, _ = pairs.difference([(0, a, b), (1, c, c)], 0.95, 2000, 0)
    assert value == pytest.approx(0.5)
