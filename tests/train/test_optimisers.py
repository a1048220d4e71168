"""Optimisers by name."""

import pytest
import torch
from torch import nn

from fer_pipeline.train import optimisers
from fer_pipeline.train.params import TrainParams


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)],
)
def test_weights_decay_and_nothing_else(name, kind):
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    found = optimisers.build(TrainParams(optimiser=name, weight_decay=0.1), model)
    assert type(found) is kind
    decay = {id(v): g["weight_decay"] for g in found.param_groups for v in g["params"]}
    assert decay == {
        id(value): 0.1 if name == "0.weight" else 0.0 for name, value in model.named_parameters()
    }


def test_sgd_is_nesterovs():
    found = optimisers.build(TrainParams(momentum=0.8), nn.Linear(2, 2))
    assert all(group["nesterov"] and group["momentum"] == 0.8 for group in found.param_groups)


def test_frozen_parameters_stay():
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    found = optimisers.build(TrainParams(), model)
    assert sum(len(group["params"]) for group in found.param_groups) == 1
