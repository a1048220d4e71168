"""Which layers learn when."""

import pytest
import torch
from torch import nn

from fer_pipeline import registry
from fer_pipeline.train import phases
from fer_pipeline.train.params import TrainParams

START = {"pretrained": "given"}


def network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3),
        nn.BatchNorm2d(4),
        nn.Flatten(),
        nn.Linear(4, 3),
    )


def learning(model, settings, epoch):
    """Numbers of the layers that learn in `epoch`."""
    phases.freeze(settings, phases.layers(model, model[-1]), epoch)
    return [
        place
        for place, layer in enumerate(model)
        if any(value.requires_grad for value in layer.parameters())
    ]


def test_depth_goes_from_the_first_layer_to_the_head():
    model = network()
    found = {id(layer.module): layer.depth for layer in phases.layers(model, model[-1])}
    assert [found.get(id(layer)) for layer in model] == [0, 0, None, 0.5, 0.5, None, 1]


def test_every_parameter_of_a_model_is_in_one_layer():
    for name in ("cnn_attention", "fusion", "vit_small", "resnet50v2"):
        module = registry.load("models", name)
        model = module.build(7)
        found = [
            id(value)
            for layer in phases.layers(model, module.head(model))
            for value in layer.module.parameters(recurse=False)
        ]
        assert sorted(found) == sorted(id(value) for value in model.parameters()), name


@pytest.mark.parametrize(
    ("changes", "epoch", "expected"),
    [
        ({}, 1, [0, 1, 3, 4, 6]),
        ({"mode": "finetune", **START}, 1, [0, 1, 3, 4, 6]),
        ({"mode": "finetune", "top": 0.5, **START}, 1, [3, 4, 6]),
        ({"mode": "finetune", "top": 0, **START}, 1, [6]),
        ({"mode": "feature_extraction", **START}, 9, [6]),
        ({"mode": "two_phase", "head_share": 0.4, "epochs": 10, **START}, 4, [6]),
        ({"mode": "two_phase", "head_share": 0.4, "epochs": 10, **START}, 5, [0, 1, 3, 4, 6]),
    ],
)
def test_modes(changes, epoch, expected):
    assert learning(network(), TrainParams(**changes), epoch) == expected


def test_layers_that_stay_still_are_returned_and_learn_again_later():
    model, settings = network(), TrainParams(mode="two_phase", epochs=4, head_share=0.5, **START)
    layers = phases.layers(model, model[-1])
    assert phases.freeze(settings, layers, 2) == [model[0], model[1], model[3], model[4]]
    assert phases.freeze(settings, layers, 3) == []


def test_the_later_phase_is_slow():
    settings = TrainParams(mode="two_phase", epochs=4, head_share=0.5, later_lr=0.02, **START)
    assert [phases.factor(settings, epoch) for epoch in (1, 2, 3, 4)] == [1, 1, 0.02, 0.02]
    assert phases.factor(TrainParams(), 3) == 1


def test_statistics_of_a_frozen_normalisation_stay():
    model, settings = network().train(), TrainParams(mode="feature_extraction", **START)
    for layer in phases.freeze(settings, phases.layers(model, model[-1]), 1):
        layer.training = False
    model(torch.randn(8, 1, 5, 5) + 3)
    assert not model[1].running_mean.any()
    assert model[1].num_batches_tracked == 0


def test_dropout_of_a_frozen_block_is_off_and_the_heads_is_not():
    block = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Dropout(0.5), nn.Conv2d(4, 4, 3))
    model = nn.Sequential(block, nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 3))
    layers = phases.layers(model, model[-1])
    for epoch, expected in ((1, False), (4, True)):
        model.train()
        settings = TrainParams(mode="two_phase", epochs=4, head_share=0.5, **START)
        phases.freeze(settings, layers, epoch)
        phases.settle(model)
        assert block[1].training is expected
        assert model[2].training
        assert model.training


def test_a_frozen_transformer_answers_alike():
    module = registry.load("models", "vit_small")
    model = module.build(7, variant="tiny", depth_drop=0.9).train()
    settings = TrainParams(mode="feature_extraction", **START)
    phases.freeze(settings, phases.layers(model, module.head(model)), 1)
    phases.settle(model)
    pictures = torch.randn(4, 1, 48, 48)
    with torch.no_grad():
        assert torch.equal(model(pictures), model(pictures))
