"""Intervals against statsmodels, scipy and what theory says."""

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from fer_pipeline import intervals


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10), (2512, 3589)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_wilson_is_that_of_statsmodels(hits, n, confidence):
    theirs = proportion_confint(hits, n, alpha=1 - confidence, method="wilson")
    assert intervals.wilson(hits / n, n, confidence) == pytest.approx(theirs, abs=1e-12)


def test_wilson_of_fer2013_is_known():
    low, high = intervals.wilson(0.73, 3589)
    assert (high - low) / 2 == pytest.approx(0.0145, abs=1e-4)


def test_wilson_needs_rows():
    with pytest.raises(ValueError, match="0 rows"):
        intervals.wilson(0.5, 0)


def test_quantile_is_the_normal_one():
    assert intervals.quantile(0.95) == pytest.approx(norm.ppf(0.975))


def test_every_resample_keeps_the_strata_sizes():
    strata = [np.array([0, 2, 4]), np.array([1]), np.array([3, 5, 6, 7])]
    weights = np.concatenate(list(intervals.bootstrap_weights(strata, 50, seed=3)))
    assert weights.shape == (50, 8)
    for members in strata:
        assert (weights[:, members].sum(axis=1) == len(members)).all()
    assert len(np.unique(weights, axis=0)) > 40


def test_chunks_bound_memory(monkeypatch):
    strata = [np.arange(100)]
    monkeypatch.setattr(intervals, "CHUNK", 1000)
    chunks = list(intervals.bootstrap_weights(strata, 25, seed=0))
    assert [len(chunk) for chunk in chunks] == [10, 10, 5]


def test_weights_depend_on_the_seed_alone():
    strata = [np.arange(20)]
    first, again, other = (
        np.concatenate(list(intervals.bootstrap_weights(strata, 5, seed))) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_bootstrapped_mean_has_the_error_that_theory_says():
    values = np.random.default_rng(0).normal(size=400)
    weights = np.concatenate(list(intervals.bootstrap_weights([np.arange(400)], 4000, 0)))
    low, high = intervals.percentile(weights @ values / 400)
    reach = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - reach, abs=0.01)
    assert high == pytest.approx(values.mean() + reach, abs=0.01)


def test_percentile_leaves_nan_out():
    values = np.append(np.arange(101.0), np.nan)
    assert intervals.percentile(values, 0.9) == pytest.approx((5, 95))
    assert np.isnan(intervals.percentile(np.array([np.nan]))).all()


def test_groups_are_in_order_of_appearance():
    found = intervals.groups(["b", "a", "b"])
    assert [part.tolist() for part in found] == [[0, 2], [1]]
