"""A LeNet for faces: convolutions 32-64-128 with pooling, one hidden layer, dropout 0.5.

Neither normalisation nor skips: the floor that every later idea is measured from.

Source: LeCun et al., "Gradient-based learning applied to document recognition", Proceedings of the
IEEE 1998, with ReLU and wider layers.
"""

from typing import Final, cast

from torch import nn

from fer_pipeline.models import _weights
from fer_pipeline.models._layers import FACES, conv_block, initialise

INPUT: Final = FACES


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    dropout: float = 0.5,
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    Raises: BadParams, MissingData.
    """
    side = size // 8
    model = nn.Sequential(
        nn.Sequential(
            conv_block(INPUT.channels, 32, kernel=5, norm=False),
            conv_block(32, 64, kernel=5, norm=False),
            conv_block(64, 128, norm=False),
        ),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(128 * side * side, 256),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(256, num_classes),
    )
    return _weights.start(initialise(model), "lenet_cnn", head(model), pretrained)


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Sequential, model)[-1]


def cam_layer(model: nn.Module) -> nn.Module:
    """The last convolution, a quarter of the picture's side."""
    block = cast(nn.Sequential, cast(nn.Sequential, model)[0])[-1]
    return cast(nn.Sequential, block)[0]
