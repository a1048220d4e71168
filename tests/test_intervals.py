"""Intervals against statsmodels, scipy and what theory says."""

import numpy as np
import pytest
from scipy.stats import norm, t
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


def worth(right, item, person, n=None) -> float:
    given = (np.array(right, bool), np.array(item), np.array(person))
    return intervals.independent_items(*given, len(set(item)) if n is None else n)


def test_items_of_different_persons_are_worth_themselves():
    assert worth([1, 0, 1, 1], [0, 1, 2, 3], [7, 5, 6, 4]) == 4
    assert worth([1, 0, 1, 1], [0, 1, 0, 1], [0, 1, 0, 1]) == 2


def test_frames_that_all_agree_are_worth_their_person():
    # 30 persons with 10 frames each, all alike: 30 items, less Student's share for 29 degrees.
    rng = np.random.default_rng(0)
    right = np.repeat(rng.random(30) < 0.6, 10)
    few = (norm.ppf(0.975) / t.ppf(0.975, 29)) ** 2
    effect = 10 * (30 / 29) / (300 / 299)
    found = worth(right, np.arange(300), np.repeat(np.arange(30), 10))
    assert found == pytest.approx(300 / effect * few)


def test_frames_without_likeness_lose_only_students_share():
    right = np.tile([1, 0], 150)
    found = worth(right, np.arange(300), np.repeat(np.arange(30), 10))
    assert found == pytest.approx(300 * (norm.ppf(0.975) / t.ppf(0.975, 29)) ** 2)


def test_where_all_are_right_each_person_counts_once():
    found = worth([1] * 40, np.arange(40), np.repeat(np.arange(10), 4))
    assert found == pytest.approx(10 * (norm.ppf(0.975) / t.ppf(0.975, 9)) ** 2)


def test_a_single_person_is_worth_nothing():
    assert worth([1, 0, 1], [0, 1, 2], [0, 0, 0]) == 0


def test_the_interval_over_persons_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    person, item = np.repeat(np.arange(20), 8), np.arange(160)
    hits = {"persons": 0, "items": 0}
    for _ in range(400):
        skill = np.repeat(rng.beta(4, 2, 20), 8)
        right = rng.random(160) < skill
        n = worth(right, item, person)
        for name, rows in (("persons", n), ("items", 160)):
            low, high = intervals.wilson(float(right.mean()), rows)
            hits[name] += low <= 4 / 6 <= high
    assert hits["persons"] / 400 >= 0.93
    assert hits["items"] / 400 < 0.9


def test_persons_keep_their_fold_unless_one_would_be_alone():
    folds = intervals.person_strata([np.array([0, 0, 1]), np.array([2, 3, 3])])
    assert [members.tolist() for members in folds] == [[0, 1], [2, 3]]
    single = intervals.person_strata([np.array([0, 0]), np.array([1]), np.array([2, 3])])
    assert [members.tolist() for members in single] == [[0, 1, 2, 3]]
    seeds = intervals.person_strata([np.array([0, 1]), np.array([0, 1])])
    assert [members.tolist() for members in seeds] == [[0, 1]]
