"""A plain convolutional network for small gray faces: three convolutions and one hidden layer.

The classic first network of FER2013 tutorials (conv 32-64-128, each with pooling, then a hidden
layer of 512), with batch normalisation before each activation; up to five convolutions by option.
"""

import itertools
from typing import Final, cast

from torch import nn

from fer_pipeline.errors import BadParams
from fer_pipeline.models import _weights
from fer_pipeline.models._layers import FACES, conv_block

INPUT: Final = FACES

WIDTHS: Final = (32, 64, 128, 256, 256)


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    convs: int = 3,
    dropout: float = 0.5,
    norm: bool = True,
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    convs: 3 to 5, the first three with pooling, a fourth and fifth without; norm: batch
    normalisation.

    Raises: BadParams, MissingData.
    """
    if not 3 <= convs <= len(WIDTHS):
        raise BadParams(f"options.convs = {convs}; simple_cnn has 3 to {len(WIDTHS)} convolutions")
    widths = (INPUT.channels, *WIDTHS[:convs])
    blocks = [
        conv_block(inputs, outputs, pool=place < 3, norm=norm)
        for place, (inputs, outputs) in enumerate(itertools.pairwise(widths))
    ]
    side = size // 8
    model = nn.Sequential(
        nn.Sequential(*blocks),
        nn.Flatten(),
        nn.Linear(widths[-1] * side * side, 512, bias=not norm),
        nn.BatchNorm1d(512) if norm else nn.Identity(),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(512, num_classes),
    )
    return _weights.start(model, "simple_cnn", head(model), pretrained)


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Sequential, model)[-1]


def cam_layer(model: nn.Module) -> nn.Module:
    """The last convolution, a quarter of the picture's side."""
    blocks = cast(nn.Sequential, cast(nn.Sequential, model)[0])
    return [layer for layer in blocks.modules() if isinstance(layer, nn.Conv2d)][-1]
