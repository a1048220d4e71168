"""Tests over repeats against scipy and hand-worked cases."""

import numpy as np
import pytest
from scipy import stats

from fer_pipeline.compare.repeats import over_repeats, wilcoxon

DIFFERENCES = (0.02, 0.035, -0.01, 0.04, 0.015, 0.03, 0.005, 0.025, 0.01, 0.045)


def test_t_is_that_of_scipy():
    found = over_repeats(DIFFERENCES, 0.125, 0.95)["t"]
    theirs = stats.ttest_1samp(DIFFERENCES, 0)
    assert (found["t"], found["p"]) == pytest.approx((theirs.statistic, theirs.pvalue))
    interval = theirs.confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))


def test_corrected_t_by_hand():
    # Mean .04 and sd .02 of 10 folds with 1/8 as many test rows: .04 / (.02 sqrt(.1 + .125)).
    values = np.array([-1, 1] * 5) * 0.02 * (9 / 10) ** 0.5 + 0.04
    found = over_repeats(values.tolist(), 0.125, 0.95)["corrected_t"]
    assert found["t"] == pytest.approx(0.04 / (0.02 * 0.225**0.5))
    assert found["df"] == 9
    assert found["p"] == pytest.approx(2 * stats.t.sf(found["t"], 9))
    assert found["smallest_significant"] == pytest.approx(stats.t.ppf(0.975, 9) * 0.02 * 0.225**0.5)


def test_the_correction_only_takes_certainty_away():
    found = over_repeats(DIFFERENCES, 0.125, 0.95)
    assert found["corrected_t"]["p"] > found["t"]["p"]
    assert over_repeats(DIFFERENCES, 0.0, 0.95)["corrected_t"] == found["t"]


def test_wilcoxon_and_shapiro_are_those_of_scipy():
    found = over_repeats(DIFFERENCES, 0.125, 0.95)
    assert found["wilcoxon"]["p"] == pytest.approx(stats.wilcoxon(DIFFERENCES).pvalue)
    assert found["shapiro"]["p"] == pytest.approx(stats.shapiro(DIFFERENCES).pvalue)


def test_wilcoxon_by_hand():
    # Ranks 1, 2, 3 all positive: W = 0, p = 2 / 2^3.
    assert wilcoxon(np.array([0.1, 0.2, 0.3])) == {"w": 0.0, "n": 3, "p": 0.25}


def test_ties_made_by_rounding_errors_are_ties():
    values = np.array([0.3 - 0.2, 0.1, 0.2 - 0.1, -0.05])
    assert wilcoxon(values)["p"] == wilcoxon(np.array([0.1, 0.1, 0.1, -0.05]))["p"]


def test_one_repeat_has_no_p():
    found = over_repeats([0.1], 0.125, 0.95)
    for name in ("t", "corrected_t", "wilcoxon", "shapiro"):
        assert found[name] == {"why": "not possible: 1 repeat, and at least 2 are needed"}


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_differences_have_no_t(value):
    found = over_repeats([value] * 4, 0.125, 0.95)
    for name in ("t", "corrected_t", "shapiro"):
        assert found[name]["why"].startswith("not possible")
    assert ("p" in found["wilcoxon"]) == (value != 0)


def test_two_repeats_have_a_t_but_no_shapiro():
    found = over_repeats([0.1, 0.2], 0.125, 0.95)
    assert "p" in found["t"]
    assert "why" in found["shapiro"]


@pytest.mark.parametrize(("n", "told"), [(3, True), (5, True), (6, False)])
def test_too_few_repeats_for_wilcoxon_are_told(n, told):
    found = over_repeats(list(DIFFERENCES[:n]), 0.125, 0.95)
    assert bool(found["notes"]) == told
    least = wilcoxon(np.arange(1, n + 1) / 100)["p"]
    assert (least > 0.05) == told
