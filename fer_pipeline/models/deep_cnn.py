"""A wide plain network for small gray faces: four convolutional blocks 128-256-512-512.

The first block strides, so that the costly wide blocks see 12 x 12 positions and fewer; global
average pooling replaces the usual large hidden layer and lets other picture sizes through.
"""

from typing import Final, cast

from torch import nn

from fer_pipeline.errors import BadParams
from fer_pipeline.images import Input

INPUT: Final = Input(size=48, channels=1, mean=(0.508,), std=(0.255,))
"""Mean and standard deviation of FER2013's training pixels."""

WIDTHS: Final = (128, 256, 512, 512)


def build(num_classes: int, pretrained: bool | str = False) -> nn.Module:
    """The network, (N, 1, 48, 48) float32 -> (N, num_classes).

    Raises: BadParams, for there are no weights to start from.
    """
    if pretrained:
        raise BadParams("deep_cnn has no pretrained weights; set pretrained: false")
    model = nn.Sequential(
        nn.Sequential(
            block(1, WIDTHS[0], stride=2),
            block(WIDTHS[0], WIDTHS[1]),
            block(WIDTHS[1], WIDTHS[2]),
            block(WIDTHS[2], WIDTHS[3], pool=False),
        ),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(WIDTHS[3], num_classes),
    )
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, a=0.1, nonlinearity="leaky_relu")
    return model


def block(inputs: int, outputs: int, stride: int = 1, pool: bool = True) -> nn.Sequential:
    """Convolution, normalisation, LeakyReLU, and pooling that halves the picture.

    The activation rises, so it may follow the pooling: the same result from a quarter of the work.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if pool:
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.LeakyReLU(0.1, inplace=True))


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Sequential, model)[-1]


def cam_layer(model: nn.Module) -> nn.Module:
    """The last block."""
    return cast(nn.Sequential, cast(nn.Sequential, model)[0])[-1]
