"""The order of rows in an epoch."""

import numpy as np

from fer_pipeline.train import losses, sampling


def random():
    return np.random.default_rng(0)


def test_all_takes_each_row_once():
    order = sampling.order(losses.one_hot(np.arange(30) % 3, 3), "all", random())
    assert sorted(order) == list(range(30))


def test_balanced_draws_each_class_as_often():
    truth = np.array([0] * 900 + [1] * 90 + [2] * 10)
    order = sampling.order(losses.one_hot(truth, 3), "balanced", random())
    assert len(order) == 1000
    counts = np.bincount(truth[order], minlength=3)
    # Three standard deviations of a third of 1,000 draws.
    assert abs(counts - 1000 / 3).max() < 45


def test_balanced_counts_soft_targets_by_their_shares():
    targets = np.array([[1, 0], [1, 0], [1, 0], [0.5, 0.5]], np.float32)
    drawn = np.concatenate(
        [sampling.order(targets, "balanced", np.random.default_rng(seed)) for seed in range(2000)]
    )
    shares = np.bincount(drawn, minlength=4) / len(drawn)
    # Row 3 has 0.5 of 3.5 of the first class and all of the second: (1/7 + 1) / 2.
    np.testing.assert_allclose(shares, [1 / 7, 1 / 7, 1 / 7, 4 / 7], atol=0.02)


def test_a_row_that_is_drawn_twice_is_varied_twice():
    order = np.array([4, 0, 4, 4, 2])
    assert sampling.draws(order, "balanced").tolist() == [0, 1, 2, 3, 4]
    assert sampling.draws(order[:2], "all").tolist() == [4, 0], "its row's, whatever the order"
