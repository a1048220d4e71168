"""A plain convolutional network for small gray faces: three convolutions and one hidden layer.

The classic first network of FER2013 tutorials (conv 32-64-128, each with pooling, then a hidden
layer of 512), with batch normalisation before each activation.
"""

from typing import Final, cast

from torch import nn

from fer_pipeline.errors import BadParams
from fer_pipeline.images import Input

INPUT: Final = Input(size=48, channels=1, mean=(0.508,), std=(0.255,))
"""Mean and standard deviation of FER2013's training pixels."""


def build(num_classes: int, pretrained: bool | str = False) -> nn.Module:
    """The network, (N, 1, 48, 48) float32 -> (N, num_classes).

    Raises: BadParams, for there are no weights to start from.
    """
    if pretrained:
        raise BadParams("simple_cnn has no pretrained weights; set pretrained: false")
    return nn.Sequential(
        nn.Sequential(*block(1, 32), *block(32, 64), *block(64, 128)),
        nn.Flatten(),
        nn.Linear(128 * 6 * 6, 512, bias=False),
        nn.BatchNorm1d(512),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(512, num_classes),
    )


def block(inputs: int, outputs: int) -> list[nn.Module]:
    """Convolution, normalisation, activation, and pooling that halves the picture.

    The activation rises, so it may follow the pooling: the same result from a quarter of the work.
    """
    return [
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
    ]


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Sequential, model)[-1]


def cam_layer(model: nn.Module) -> nn.Module:
    """The last convolution, 12 x 12."""
    blocks = cast(nn.Sequential, cast(nn.Sequential, model)[0])
    return [layer for layer in blocks if isinstance(layer, nn.Conv2d)][-1]
