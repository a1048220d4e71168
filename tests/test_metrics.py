"""Scores against scikit-learn and hand-worked cases."""

import numpy as np
import pytest
from sklearn import metrics as sk

from fer_pipeline import metrics

K = 5


@pytest.fixture(params=range(4))
def answers(request) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """truth, predicted and probabilities of 200 rows; later ones lack a class on either side."""
    rng = np.random.default_rng(request.param)
    truth = rng.integers(0, K if request.param < 2 else K - 1, 200)
    logits = rng.normal(size=(200, K)).round(1)
    logits[np.arange(200), truth] += 1
    if request.param == 3:
        logits[:, 2] = -9
    shares = np.exp(logits)
    return truth, logits.argmax(axis=1), shares / shares.sum(axis=1, keepdims=True)


def test_matrix_scores_are_those_of_scikit_learn(answers):
    truth, predicted, _ = answers
    found = metrics.matrix_scores(metrics.confusion(truth, predicted, K))
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        truth, predicted, average="macro", zero_division=0
    )
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, predicted))
    assert found["macro_precision"] == pytest.approx(precision)
    assert found["macro_recall"] == pytest.approx(recall)
    assert found["macro_f1"] == pytest.approx(f1)
    assert found["kappa"] == pytest.approx(sk.cohen_kappa_score(truth, predicted))
    present = np.unique(truth)
    each = sk.recall_score(truth, predicted, labels=present, average=None, zero_division=0)
    assert found["recall"][present] == pytest.approx(each)
    assert found["mean_class_accuracy"] == pytest.approx(each.mean())


def test_named_scores_agree_with_the_matrix(answers):
    truth, predicted, _ = answers
    found = metrics.matrix_scores(metrics.confusion(truth, predicted, K))
    assert metrics.accuracy(truth, predicted) == pytest.approx(found["accuracy"])
    assert metrics.macro_f1(truth, predicted, K) == pytest.approx(found["macro_f1"])
    mean = metrics.mean_class_accuracy(truth, predicted, K)
    assert mean == pytest.approx(found["mean_class_accuracy"])
    assert metrics.recalls(truth, predicted, K) == pytest.approx(found["recall"], nan_ok=True)
    assert metrics.f1_scores(truth, predicted, K) == pytest.approx(found["f1"], nan_ok=True)


def test_scores_that_do_not_exist_are_nan():
    found = metrics.matrix_scores(np.array([[3, 1, 0], [2, 2, 0], [0, 0, 0]]))
    assert np.isnan([found[name][2] for name in metrics.PER_CLASS]).all()
    assert found["recall"][:2] == pytest.approx([0.75, 0.5])
    assert found["macro_f1"] == pytest.approx((2 * 3 / 9 + 2 * 2 / 7) / 2)
    assert np.isnan(metrics.matrix_scores(np.array([[4, 0], [0, 0]]))["kappa"])


def test_matrix_scores_keep_leading_axes():
    matrices = np.random.default_rng(0).integers(0, 9, (3, 2, K, K))
    found = metrics.matrix_scores(matrices)
    assert found["f1"].shape == (3, 2, K)
    alone = metrics.matrix_scores(matrices[1, 1])
    assert all(found[name][1, 1] == pytest.approx(alone[name]) for name in alone)


def test_auc_is_that_of_scikit_learn(answers):
    truth, _, shares = answers
    found = metrics.roc_auc(truth, shares)
    for c in range(K):
        if (truth == c).any():
            assert found[c] == pytest.approx(sk.roc_auc_score(truth == c, shares[:, c]))
        else:
            assert np.isnan(found[c])


def test_weighted_auc_is_that_of_repeated_rows(answers):
    truth, _, shares = answers
    weights = np.random.default_rng(99).integers(0, 4, (6, len(truth)))
    found = metrics.weighted_auc(truth == 0, shares[:, 0], weights)
    for weight, area in zip(weights, found, strict=True):
        again = np.repeat(np.arange(len(truth)), weight)
        assert area == pytest.approx(sk.roc_auc_score(truth[again] == 0, shares[again, 0]))


def test_roc_curve_keeps_the_corners_of_scikit_learns(answers):
    truth, _, shares = answers
    fpr, tpr = metrics.roc_curve(truth == 0, shares[:, 0])
    theirs = sk.roc_curve(truth == 0, shares[:, 0], drop_intermediate=False)
    points = set(zip(theirs[0].round(9), theirs[1].round(9), strict=True))
    assert set(zip(fpr.round(9), tpr.round(9), strict=True)) <= points
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert len(fpr) < len(theirs[0])
    assert np.trapezoid(tpr, fpr) == pytest.approx(sk.roc_auc_score(truth == 0, shares[:, 0]))


def test_row_errors_by_hand():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0]])
    expected = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    found = metrics.row_errors(probabilities, expected)
    assert found["mae"] == pytest.approx([1 / 3, 1 / 3])
    assert found["brier"] == pytest.approx([0.25 + 0.09 + 0.04, 0.5])
    floor = 0.5 * np.log(0.5 / 1e-7) + 0.5 * np.log(0.5)
    assert found["kl"] == pytest.approx([np.log(2), floor])


def test_mean_known_leaves_nan_out():
    values = np.array([[1.0, np.nan, 3.0], [np.nan] * 3])
    found = metrics.mean_known(values)
    assert found[0] == 2
    assert np.isnan(found[1])


def test_agreement_by_hand():
    # Means 0.2 and 0.1, variances 0.08 and 0.135, covariance 0.09, squares 0.18 in sum.
    x = np.array([0.6, 0.2, 0.2, -0.2])
    y = np.array([0.6, -0.2, 0.3, -0.3])
    found = metrics.agreement(x, y, np.ones((1, 4)))
    mean_x, mean_y = 0.2, 0.1
    var_x = np.mean((x - mean_x) ** 2)
    var_y = np.mean((y - mean_y) ** 2)
    covariance = np.mean((x - mean_x) * (y - mean_y))
    assert (var_x, var_y, covariance) == pytest.approx((0.08, 0.135, 0.09))
    assert found["rmse"] == pytest.approx([(0.18 / 4) ** 0.5])
    assert found["ccc"] == pytest.approx([2 * 0.09 / (0.08 + 0.135 + 0.01)])
    assert found["pcc"] == pytest.approx([np.corrcoef(x, y)[0, 1]])
    assert found["sagr"] == pytest.approx([0.75])


def test_agreement_under_weights_is_that_of_repeated_rows():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-1, 1, 30), rng.uniform(-1, 1, 30)
    weights = rng.integers(0, 4, (5, 30)).astype(np.float32)
    found = metrics.agreement(x, y, weights)
    for place, times in enumerate(weights.astype(int)):
        again = metrics.agreement(x.repeat(times), y.repeat(times), np.ones((1, times.sum())))
        for name, values in again.items():
            assert found[name][place] == pytest.approx(values[0]), name


def test_agreement_that_cannot_be_told_is_nan():
    flat = metrics.agreement(np.full(3, 0.2), np.array([0.1, 0.2, 0.3]), np.ones((1, 3)))
    assert np.isnan(flat["pcc"]).all()
    assert flat["ccc"] == pytest.approx([0.0])
    nothing = metrics.agreement(np.ones(2), np.ones(2), np.zeros((1, 2)))
    assert all(np.isnan(values).all() for values in nothing.values())
    nobody = metrics.agreement(np.ones(0), np.ones(0), np.ones((2, 0)))
    assert all(np.isnan(values).all() for values in nobody.values())


def test_zero_is_a_sign_of_its_own():
    x, y = np.array([0.0, 0.0, -0.1]), np.array([0.0, 0.1, -0.2])
    found = metrics.agreement(x, y, np.ones((1, 3)))
    assert found["sagr"] == pytest.approx([2 / 3])
