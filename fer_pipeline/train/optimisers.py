"""Optimisers by name, with weight decay on weights only."""

import torch
from torch import nn

from fer_pipeline.train.params import TrainParams


def build(settings: TrainParams, model: nn.Module) -> torch.optim.Optimizer:
    """The optimiser over all trainable parameters; biases and norms are not decayed."""
    trained = [value for value in model.parameters() if value.requires_grad]
    groups = [
        {"params": [v for v in trained if v.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [v for v in trained if v.ndim <= 1], "weight_decay": 0.0},
    ]
    if settings.optimiser == "sgd":
        nesterov = settings.momentum > 0
        return torch.optim.SGD(
            groups, settings.lr, momentum=settings.momentum, nesterov=nesterov, fused=True
        )
    kind = torch.optim.Adam if settings.optimiser == "adam" else torch.optim.AdamW
    return kind(groups, settings.lr, fused=True)
