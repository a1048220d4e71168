"""Learning rates against torch's schedulers; stopping by hand."""

import pytest
import torch

from fer_pipeline.train import schedules
from fer_pipeline.train.params import TrainParams


def optimiser(lr=0.1):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def rates_of(scheduler, steps):
    found = []
    for _ in range(steps):
        found.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return found


def test_one_cycle_is_torchs():
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimiser(), max_lr=0.1, total_steps=40, pct_start=0.3
    )
    settings = TrainParams(lr=0.1, epochs=4, schedule="one_cycle", warmup=0.3)
    found = [schedules.rate(settings, step, 10, []) for step in range(40)]
    assert found == pytest.approx(rates_of(reference, 40), rel=1e-6)


def test_cosine_is_torchs():
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser(), T_max=30)
    settings = TrainParams(lr=0.1, epochs=3, schedule="cosine")
    found = [schedules.rate(settings, step, 10, []) for step in range(30)]
    assert found == pytest.approx(rates_of(reference, 30), rel=1e-6)


def test_plateau_is_torchs():
    scores = [0.1, 0.3, 0.2, 0.3, 0.1, 0.4, 0.4, 0.4, 0.2, 0.1, 0.1, 0.5]
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser(), mode="max", factor=0.5, patience=1, threshold=0
    )
    settings = TrainParams(
        lr=0.1, epochs=20, schedule="plateau", plateau_factor=0.5, plateau_patience=1
    )
    for epoch in range(len(scores) + 1):
        expected = reference.optimizer.param_groups[0]["lr"]
        assert schedules.rate(settings, 7 * epoch, 7, scores[:epoch]) == pytest.approx(expected)
        if epoch < len(scores):
            reference.step(scores[epoch])


def test_constant_is_constant():
    settings = TrainParams(lr=0.1, schedule="constant")
    assert {schedules.rate(settings, step, 10, []) for step in range(50)} == {0.1}


@pytest.mark.parametrize(
    ("scores", "patience", "expected"),
    [
        ([], 2, False),
        ([0.5, 0.4], 2, False),
        ([0.5, 0.4, 0.5], 2, True),
        ([0.5, 0.4, 0.6], 2, False),
        ([0.5, 0.4, 0.6, 0.6, 0.1], 2, True),
        ([0.5] * 50, 0, False),
    ],
)
def test_patience(scores, patience, expected):
    assert schedules.exhausted(scores, patience) is expected


@pytest.mark.parametrize("schedule", ["constant", "cosine", "plateau"])
def test_a_warm_up_rises_to_the_rate_and_ends(schedule):
    settings = TrainParams(schedule=schedule, lr=1.0, epochs=10, warmup_epochs=2)
    rates = [schedules.rate(settings, step, 5, []) for step in range(12)]
    assert rates[:9] == pytest.approx([(step + 1) / 10 for step in range(9)])
    without = TrainParams(schedule=schedule, lr=1.0, epochs=10)
    assert rates[9:] == [schedules.rate(without, step, 5, []) for step in range(9, 12)]
