"""Tests of many models against statsmodels, scipy, published values and hand-worked cases."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from fer_pipeline.compare import many

MODELS = ("a", "b", "c")
SCORES = np.array(
    [[2.2, 1.1, 8.2], [3.1, 2.5, 4.5], [4.3, 4.1, 3.4], [4.1, 5.2, 6.2], [7.2, 6.4, 7.2]]
)


@pytest.fixture
def scores() -> np.ndarray:
    rng = np.random.default_rng(4)
    return rng.normal(size=(8, 1)) + rng.normal(size=(8, 3)) * 0.4 + [0, 0.3, 0.9]


def test_anova_is_that_of_scipy(scores):
    found = many.many(MODELS, scores, 0.95)["anova"]
    theirs = stats.f_oneway(*scores.T)
    assert (found["f"], found["p"]) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_repeated_measures_are_a_two_way_layout_without_interaction(scores):
    found = many.many(MODELS, scores, 0.95)["rm_anova"]
    block, model = np.indices(scores.shape)
    table = pd.DataFrame({"y": scores.ravel(), "block": block.ravel(), "model": model.ravel()})
    row = anova_lm(ols("y ~ C(block) + C(model)", table).fit()).loc["C(model)"]
    assert (found["f"], found["p"]) == pytest.approx((row["F"], row["PR(>F)"]))
    assert found["df"] == [2, 14]
    assert found["p_corrected"] >= found["p"]


def test_sphericity_as_in_the_example_of_pingouin():
    found = many.sphericity(SCORES)
    assert found["epsilon"] == pytest.approx(0.5588, abs=1e-4)
    assert found["w"] == pytest.approx(0.2104, abs=1e-4)
    assert found["p"] == pytest.approx(0.0965, abs=1e-3)


def test_sphericity_by_its_other_formula(scores):
    # Box's epsilon from the raw covariance, without contrasts.
    s = np.cov(scores, rowvar=False)
    k = len(s)
    top = k**2 * (np.diag(s).mean() - s.mean()) ** 2
    below = (k - 1) * ((s**2).sum() - 2 * k * (s.mean(1) ** 2).sum() + k**2 * s.mean() ** 2)
    assert many.sphericity(scores)["epsilon"] == pytest.approx(top / below)


def test_mauchlys_p_is_even_where_sphericity_holds():
    rng = np.random.default_rng(0)
    found = [many.sphericity(rng.normal(size=(12, 4)))["p"] for _ in range(400)]
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_friedman_is_that_of_scipy(scores):
    found = many.many(MODELS, scores, 0.95)
    theirs = stats.friedmanchisquare(*scores.T)
    assert (found["friedman"]["chi2"], found["friedman"]["p"]) == pytest.approx(
        (theirs.statistic, theirs.pvalue)
    )


def test_ranks_start_at_the_best_and_share_ties():
    scores = np.array([[0.5, 0.7, 0.6], [0.5, 0.5, 0.1]])
    assert many.ranks(scores).tolist() == [[3, 1, 2], [1.5, 1.5, 3]]


def test_wilcoxon_of_pairs_is_corrected_by_holm(scores):
    found = many.many(MODELS, scores, 0.95)["wilcoxon"]
    raw = [stats.wilcoxon(scores[:, i], scores[:, j]).pvalue for i, j in ((0, 1), (0, 2), (1, 2))]
    assert [test["p"] for test in found] == pytest.approx(raw)
    order = np.argsort(raw)
    expected, least = np.zeros(3), 0.0
    for place, number in enumerate(order):
        least = max(least, min(1, raw[number] * (3 - place)))
        expected[number] = least
    assert [test["p_holm"] for test in found] == pytest.approx(expected.tolist())


def test_holm_counts_only_tests_that_were_possible():
    found = many.holm([{"p": 0.02}, {"why": "not possible"}, {"p": 0.04}])
    assert [test.get("p_holm") for test in found] == [0.04, None, 0.04]


def test_the_critical_difference_is_demsars():
    # Demsar 2006, section 3.2.4: 4 classifiers on 14 sets, q = 2.569, CD = 1.25.
    scores = np.random.default_rng(0).random((14, 4))
    found = many.many("abcd", scores, 0.95)["nemenyi"]
    assert found["critical_difference"] == pytest.approx(1.25, abs=0.005)
    for pair in found["pairs"]:
        ranks = many.ranks(scores).mean(axis=0)
        gap = abs(ranks["abcd".index(pair["a"])] - ranks["abcd".index(pair["b"])])
        assert (pair["p"] < 0.05) == (gap > found["critical_difference"])


def test_two_models_have_anova_but_no_friedman(scores):
    found = many.many(MODELS[:2], scores[:, :2], 0.95)
    assert "p" in found["anova"]
    paired = stats.ttest_rel(scores[:, 0], scores[:, 1])
    assert found["rm_anova"]["f"] == pytest.approx(paired.statistic**2)
    assert found["rm_anova"]["p"] == pytest.approx(paired.pvalue)
    for name in ("friedman", "nemenyi", "sphericity"):
        assert found[name]["why"].startswith("not possible")


@pytest.mark.parametrize("scores", [np.ones((1, 3)), np.ones((4, 1))])
def test_too_little_has_no_p(scores):
    found = many.many(MODELS[: scores.shape[1]], scores, 0.95)
    for name in ("anova", "rm_anova", "friedman", "nemenyi", "sphericity"):
        assert found[name]["why"].startswith("not possible")


@pytest.mark.parametrize(
    "scores", [np.ones((4, 3)), np.ones((4, 3)) * [1, 2, 3], np.ones((4, 3)) * [[1], [2], [3], [4]]]
)
def test_undefined_tests_have_no_p(scores):
    found = many.many(MODELS, scores, 0.95)
    for name in ("anova", "rm_anova", "friedman", "nemenyi", "sphericity"):
        assert np.isfinite(found[name].get("p", 0.0))
    assert "why" in found["rm_anova"]
    assert "why" in found["sphericity"]


def test_few_blocks_are_told(scores):
    assert "almost no power" in many.many(MODELS, scores[:4], 0.95)["notes"][0]
    assert not many.many(MODELS, scores[:5], 0.95)["notes"]
