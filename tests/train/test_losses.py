"""Targets, class weights and losses against worked cases and torch."""

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from fer_pipeline import metrics
from fer_pipeline.emotions import COMMON7, EMOTIONS
from fer_pipeline.train import losses


def test_one_hot():
    targets = losses.one_hot(np.array([2, -1, 0]), 3)
    assert targets.tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert targets.dtype == np.float32


def test_voted_shares_are_of_the_classes_in_use():
    counts = np.zeros((4, 10))
    counts[0, [0, 3]] = 5, 5
    counts[1, [EMOTIONS.index("contempt"), 2]] = 5, 5
    counts[2] = np.nan
    counts[3, 9] = 10
    probability = losses.voted(counts, COMMON7, "probability")
    assert probability[0].tolist() == [0.5, 0, 0, 0.5, 0, 0, 0]
    assert probability[1].tolist() == [0, 0, 1, 0, 0, 0, 0]
    assert not probability[2:].any()
    eight = losses.voted(counts, EMOTIONS, "multi_target")
    assert eight[1].tolist() == [0, 0, 0.5, 0, 0, 0, 0, 0.5]


def test_inverse_weights_are_scikit_learns_balanced_ones():
    truth = np.array([0] * 6 + [1] * 3 + [2] * 1)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=truth)
    found = losses.class_weights(losses.one_hot(truth, 3), "inverse", 0.999)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_effective_weights_by_hand():
    targets = losses.one_hot(np.array([0, 0, 0, 1]), 3)
    raw = np.array([1 / (1 + 0.5 + 0.25), 1.0, 0.0])
    expected = raw * 4 / (raw * [3, 1, 0]).sum()
    np.testing.assert_allclose(losses.class_weights(targets, "effective", 0.5), expected, rtol=1e-6)


def test_effective_weights_are_between_none_and_inverse():
    targets = losses.one_hot(np.array([0] * 5 + [1]), 2)
    flat = losses.class_weights(targets, "effective", 0.0)
    np.testing.assert_allclose(flat, losses.class_weights(targets, "none", 0.5))
    near = losses.class_weights(targets, "effective", 1 - 1e-7)
    np.testing.assert_allclose(near, losses.class_weights(targets, "inverse", 0.5), rtol=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_losses_are_torchs(smoothing):
    torch.manual_seed(0)
    logits, truth = torch.randn(9, 5), torch.randint(0, 5, (9,))
    weights = torch.rand(5)
    targets = torch.nn.functional.one_hot(truth, 5).float()
    expected = torch.nn.functional.cross_entropy(
        logits, truth, weight=weights, label_smoothing=smoothing, reduction="none"
    )
    found = losses.losses(logits, targets, weights, smoothing)
    torch.testing.assert_close(found, expected)


def test_soft_targets_by_hand():
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25]]))
    targets = torch.tensor([[0.5, 0.5, 0.0]])
    expected = 0.5 * math.log(2) + 0.5 * math.log(4)
    assert losses.losses(logits, targets, torch.ones(3), 0.0).item() == pytest.approx(expected)


def test_multi_target_counts_the_likeliest_accepted_class():
    logits = torch.log(torch.tensor([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1]]))
    targets = torch.tensor([[0.0, 0.5, 0.5], [0.5, 0.5, 0.0]])
    found = losses.multi_target_losses(logits, targets, torch.ones(3), 0.0)
    assert found.tolist() == pytest.approx([-math.log(0.3), -math.log(0.6)])


def test_focal_loss_by_hand():
    logits = torch.tensor([[0.0, 0.0], [np.log(9.0), 0.0]])
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    found = losses.losses(logits, targets, torch.ones(2), 0.0, "focal", 2.0)
    expected = [-(0.5**2) * np.log(0.5), -(0.1**2) * np.log(0.9)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)
    plain = losses.losses(logits, targets, torch.ones(2), 0.0, "focal", 0.0)
    torch.testing.assert_close(plain, losses.losses(logits, targets, torch.ones(2), 0.0))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_of_a_sure_answer_has_a_gradient(gamma):
    logits = torch.tensor([[40.0, 0.0], [0.0, 40.0]], requires_grad=True)
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    found = losses.losses(logits, targets, torch.ones(2), 0.0, "focal", gamma)
    assert found[0].item() == pytest.approx(0, abs=1e-6)
    found.sum().backward()
    assert torch.isfinite(logits.grad).all()
    assert abs(logits.grad[1]).max() > 0.1


def test_kl_is_scipys_and_nothing_when_right():
    from scipy.stats import entropy

    shares = torch.tensor([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    logits = torch.tensor([[0.3, -0.2, 1.0], [2.0, 0.0, 0.0]])
    found = losses.losses(logits, shares, torch.ones(3), 0.0, "kl")
    expected = [entropy(p, q) for p, q in zip(shares, torch.softmax(logits, 1), strict=True)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)
    right = losses.losses(shares[:1].log(), shares[:1], torch.ones(3), 0.0, "kl")
    assert abs(right.item()) < 1e-6


def test_discordance_is_one_less_lins_concordance_of_the_rated_rows():
    rng = np.random.default_rng(0)
    values, ratings = rng.uniform(-1, 1, (20, 2)), rng.uniform(-1, 1, (20, 2))
    ratings[:5, 1] = np.nan
    concordance = []
    for column in (0, 1):
        known = ~np.isnan(ratings[:, column])
        once = np.ones((1, known.sum()))
        told = metrics.agreement(values[known, column], ratings[known, column], once)
        concordance.append(told["ccc"][0])
    found = losses.discordance(torch.from_numpy(values), torch.from_numpy(ratings))
    assert found.item() == pytest.approx(1 - np.mean(concordance), abs=1e-6)


def test_discordance_of_perfect_answers_and_of_hardly_rated_rows_is_zero():
    ratings = torch.tensor([[0.5], [-0.5], [0.25]])
    assert losses.discordance(ratings.clone(), ratings).item() == pytest.approx(0, abs=1e-6)
    ratings[1:] = torch.nan
    values = torch.zeros(3, 1, requires_grad=True)
    assert losses.discordance(values, ratings).item() == 0
    flat = torch.full((3, 1), 0.5, requires_grad=True)
    assert losses.discordance(flat, torch.full((3, 1), 0.5)).item() == 0
    found = losses.discordance(flat, torch.full((3, 1), 0.25))
    assert found.item() == pytest.approx(1), "all alike, and wrong"
    found.backward()
    assert torch.isfinite(flat.grad).all()
