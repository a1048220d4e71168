"""A convolutional network whose blocks weigh their channels and positions (CBAM).

Blocks 64-128-256-256 for small gray faces; each ends in the attention module.

Source: Woo et al., "CBAM: convolutional block attention module", ECCV 2018.
"""

import itertools
from typing import Final, cast

import torch
from torch import nn

from fer_pipeline.models import _weights
from fer_pipeline.models._layers import FACES, classified, conv_block, initialise

INPUT: Final = FACES

FACTORS: Final = (1, 2, 4, 4)
"""Of the first block's width."""


class Cbam(nn.Module):
    """Channel attention, then spatial attention: (N, C, H, W) of the same shape, equations 1-3."""

    def __init__(self, channels: int, reduction: int = 16, kernel: int = 7) -> None:
        super().__init__()
        hidden = max(channels // reduction, 4)
        self.channel = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, channels, 1)
        )
        self.spatial = nn.Conv2d(2, 1, kernel, padding=kernel // 2)

    def open(self) -> None:
        """Starts with every gate nearly open, whatever the features.

        Drawn at random, the eight gates in a row would let about one part in 256 through.
        """
        # The channels' gate counts twice, for the average and for the maximum.
        for gate, bias in ((cast(nn.Conv2d, self.channel[2]), 1.0), (self.spatial, 2.0)):
            nn.init.zeros_(gate.weight)
            nn.init.constant_(cast(nn.Parameter, gate.bias), bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x weighed by both; never across pictures."""
        average, largest = x.mean(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
        x = x * torch.sigmoid(self.channel(average) + self.channel(largest))
        pooled = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.spatial(pooled))


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    dropout: float = 0.3,
    width: int = 64,
    norm: bool = True,
    attention: bool = True,
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    width: channels of the first block; norm: batch normalisation; attention: the modules that it
    is named after.

    Raises: BadParams, MissingData.
    """
    widths = (INPUT.channels, *(width * factor for factor in FACTORS))
    layers: list[nn.Module] = []
    for place, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        layers.append(conv_block(inputs, outputs, pool=place < 3, norm=norm))
        layers.append(Cbam(outputs) if attention else nn.Identity())
    model = initialise(classified(nn.Sequential(*layers), widths[-1], num_classes, dropout))
    for layer in model.modules():
        if isinstance(layer, Cbam):
            layer.open()
    return _weights.start(model, "cnn_cbam", head(model), pretrained)


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Sequential, model)[-1]


def cam_layer(model: nn.Module) -> nn.Module:
    """The last block after its attention, 6 x 6."""
    return cast(nn.Sequential, cast(nn.Sequential, model)[0])[-1]
