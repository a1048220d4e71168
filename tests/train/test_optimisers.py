"""Optimisers by name."""

import pytest
import torch
from torch import nn

from fer_pipeline.errors import BadParams
from fer_pipeline.train import hardware, optimisers, phases
from fer_pipeline.train.params import TrainParams


def built(model, **changes):
    return optimisers.build(TrainParams(**changes), phases.layers(model, model[-1]))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sgd", torch.optim.SGD),
        ("adam", torch.optim.Adam),
        ("adamw", torch.optim.AdamW),
        ("lion", "Lion"),
        ("muon", "Muon"),
    ],
)
def test_weights_decay_and_nothing_else(name, kind):
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 2))
    found = built(model, optimiser=name, weight_decay=0.1)
    assert kind in (type(found), type(found).__name__)
    decay = {id(v): g["weight_decay"] for g in found.param_groups for v in g["params"]}
    weights = ("0.weight", "2.weight")
    assert decay == {
        id(value): 0.1 if name in weights else 0.0 for name, value in model.named_parameters()
    }


def test_sgd_is_nesterovs():
    found = built(nn.Sequential(nn.Linear(2, 2)), momentum=0.8)
    assert all(group["nesterov"] and group["momentum"] == 0.8 for group in found.param_groups)


@pytest.mark.parametrize("has", [False, True])
def test_muon_is_computed_in_float32_where_the_processor_has_no_bf16(monkeypatch, has):
    from timm.optim.muon import _COEFFICIENTS, zeropower_via_newtonschulz

    monkeypatch.setattr(hardware, "cpu_has_bf16", lambda: True)
    gradient = torch.linspace(-1, 1, 288).reshape(12, 24).sin() + torch.eye(12, 24)
    rounded, exact = (
        zeropower_via_newtonschulz(gradient, 5, _COEFFICIENTS["quintic"], dtype=kind).float()
        for kind in (torch.bfloat16, torch.float32)
    )
    assert not torch.allclose(rounded, exact, atol=1e-3), "they differ by a percent"
    monkeypatch.setattr(hardware, "cpu_has_bf16", lambda: has)
    layer = nn.Linear(24, 12, bias=False)
    before, layer.weight.grad = layer.weight.detach().clone(), gradient.clone()
    found = built(nn.Sequential(layer), optimiser="muon", lr=0.1, momentum=0.0, weight_decay=0.0)
    found.step()
    expected = before - 0.1 * 0.2 * 24**0.5 * (rounded if has else exact)
    assert torch.allclose(layer.weight.detach(), expected, atol=1e-6)


def test_scales_fall_from_the_head_down():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
    found = built(model, layer_decay=0.1)
    scales = {id(v): g["scale"] for g in found.param_groups for v in g["params"]}
    by_layer = [scales[id(layer.weight)] for layer in model]
    assert by_layer == pytest.approx([0.1 ** (1 - depth / 3) for depth in range(4)])
    assert all(scales[id(layer.bias)] == scales[id(layer.weight)] for layer in model)


def test_an_unknown_optimiser_is_named_with_the_nearest():
    with pytest.raises(BadParams, match=r"'adamv' is known neither.*did you mean 'adam"):
        built(nn.Sequential(nn.Linear(2, 2)), optimiser="adamv")
