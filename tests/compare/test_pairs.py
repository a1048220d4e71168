"""Two models on the same items, against statsmodels and closed forms."""

import numpy as np
import pytest
from scipy.stats import binomtest, chi2

from fer_pipeline.compare import pairs
from fer_pipeline.compare.answers import Answers


def answers(right, ids=None, truth=None) -> Answers:
    right = np.array(right, bool)
    ids = np.array([f"i{n:04d}" for n in range(len(right))]) if ids is None else np.array(ids)
    truth = np.zeros(len(right), int) if truth is None else np.array(truth)
    return Answers(ids, truth, right, 100)


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
    n, discordant = 3589, round(0.12 * 3589)
    found = pairs.mcnemar([0], *table(n - discordant, discordant, 0, 0), 0.95, 0.8)
    assert found["smallest_significant"] == pytest.approx(0.0113, abs=2e-4)
    assert found["detectable"] == pytest.approx(0.0113 * (1.96 + 0.8416) / 1.96, abs=2e-4)


def test_the_smallest_significant_difference_is_where_the_test_turns():
    n, discordant = 3589, 431
    gap = pairs.mcnemar([0], *table(n - discordant, discordant, 0, 0), 0.95, 0.8)
    turn = gap["smallest_significant"] * n
    for extra, significant in ((-5, False), (5, True)):
        only_a = round((discordant + turn + extra) / 2)
        test = pairs.mcnemar([0], *table(0, only_a, discordant - only_a, 0), 0.95, 0.8)
        assert (test["p"] < 0.05) == significant


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
    assert found == pytest.approx((0.5, 0.5, 0.5))


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
