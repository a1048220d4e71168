"""The moving average by hand."""

import pytest
import torch
from torch import nn

from fer_pipeline.train.averaging import Average


def test_average_trails_by_hand():
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    average = Average(model, decay=0.15)
    expected = 0.0
    for step in range(5):
        nn.init.constant_(model.weight, float(step + 1))
        average.update()
        decay = min(0.15, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * (step + 1)
    assert average.model.weight.item() == pytest.approx(expected)


def test_statistics_are_averaged_and_counters_copied():
    model = nn.BatchNorm1d(2)
    average = Average(model, decay=0.9)
    model.running_mean.fill_(1.0)
    model.num_batches_tracked.fill_(7)
    average.update()
    assert average.model.running_mean.tolist() == pytest.approx([0.9, 0.9])
    assert average.model.num_batches_tracked.item() == 7


def test_average_is_apart_from_the_model():
    model = nn.Linear(2, 2)
    average = Average(model, decay=0.9)
    average.update()
    assert average.model.weight.data_ptr() != model.weight.data_ptr()
    assert not average.model.weight.requires_grad
    assert not average.model.training
    assert torch.equal(average.model.weight, model.weight)
