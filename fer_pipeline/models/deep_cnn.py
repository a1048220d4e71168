"""A wide plain network for small gray faces: four convolutional blocks 128-256-512-512.

The first block strides, so that the costly wide blocks see 12 x 12 positions and fewer; global
average pooling replaces the usual large hidden layer and lets other picture sizes through.
"""

from typing import Final, cast

from torch import nn

from fer_pipeline.models import _weights
from fer_pipeline.models._layers import FACES, classified, conv_block, initialise

INPUT: Final = FACES

WIDTHS: Final = (128, 256, 512, 512)
SLOPE: Final = 0.1


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    dropout: float = 0.3,
    norm: bool = True,
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes); norm: batch normalisation.

    Raises: BadParams, MissingData.
    """
    one, two, three, four = WIDTHS
    features = nn.Sequential(
        conv_block(INPUT.channels, one, stride=2, norm=norm, slope=SLOPE),
        conv_block(one, two, norm=norm, slope=SLOPE),
        conv_block(two, three, norm=norm, slope=SLOPE),
        conv_block(three, four, pool=False, norm=norm, slope=SLOPE),
    )
    model = initialise(classified(features, four, num_classes, dropout), SLOPE)
    return _weights.start(model, "deep_cnn", head(model), pretrained)


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Sequential, model)[-1]


def cam_layer(model: nn.Module) -> nn.Module:
    """The last block."""
    return cast(nn.Sequential, cast(nn.Sequential, model)[0])[-1]
