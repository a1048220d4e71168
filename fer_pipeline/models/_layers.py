"""What the networks of our own are made of."""

from typing import Final

import torch
from torch import nn

from fer_pipeline.images import Input

FACES: Final = Input(size=48, channels=1, mean=(0.508,), std=(0.255,))
"""Gray faces of 48 px; mean and standard deviation of FER2013's training pixels."""


def conv_block(
    inputs: int,
    outputs: int,
    *,
    kernel: int = 3,
    stride: int = 1,
    pool: bool = True,
    norm: bool = True,
    slope: float = 0.0,
) -> nn.Sequential:
    """Convolution, normalisation (or a bias), pooling that halves the picture, (leaky) ReLU.

    The activation rises, so it may follow the pooling: the same result from a quarter of the work.
    """
    padding = kernel // 2
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=not norm)
    ]
    if norm:
        layers.append(nn.BatchNorm2d(outputs))
    if pool:
        layers.append(nn.MaxPool2d(2))
    layers.append(nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a skip: (N, inputs, H, W) -> (N, outputs, H/stride, W/stride).

    A skip that halves the picture averages before its 1 x 1 convolution, which so reads every
    position. Odd sides are rounded up, as the strided convolution rounds them.

    Source: He et al., "Deep residual learning for image recognition", CVPR 2016; the averaging
    skip: He et al., "Bag of tricks for image classification with convolutional neural networks",
    CVPR 2019.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, norm: bool = True) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=not norm),
            _normed(outputs, norm),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=not norm),
            _normed(outputs, norm),
        )
        self.skip = _skip(inputs, outputs, stride, norm)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The activated sum of branch and skip."""
        return self.activation(self.branch(x) + self.skip(x))  # type: ignore[no-any-return]


def _skip(inputs: int, outputs: int, stride: int, norm: bool) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    layers: list[nn.Module] = []
    if stride > 1:
        layers.append(nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False))
    return nn.Sequential(
        *layers, nn.Conv2d(inputs, outputs, 1, bias=not norm), _normed(outputs, norm)
    )


def _normed(channels: int, norm: bool) -> nn.Module:
    return nn.BatchNorm2d(channels) if norm else nn.Identity()


def residual_stages(
    inputs: int, stages: tuple[tuple[int, int], ...], norm: bool = True
) -> nn.Sequential:
    """A stem, one pooling, and residual blocks: (N, inputs, S, S) -> (N, last width, S/8, S/8).

    stages: width and number of blocks of each; from the second on, each halves the picture.
    """
    width = stages[0][0]
    layers: list[nn.Module] = [conv_block(inputs, width, norm=norm)]
    for stage, (outputs, blocks) in enumerate(stages):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            layers.append(Residual(width, outputs, stride, norm))
            width = outputs
    return nn.Sequential(*layers)


def classified(features: nn.Module, width: int, num_classes: int, dropout: float) -> nn.Sequential:
    """Feature maps averaged over positions, dropout, and one linear layer, which is `[-1]`."""
    return nn.Sequential(
        features,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(width, num_classes),
    )


def initialise(model: nn.Module, slope: float = 0.0) -> nn.Module:
    """The model, its convolutions drawn for (leaky) ReLU.

    Source: He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(
                layer.weight, a=slope, mode="fan_out", nonlinearity="leaky_relu"
            )
    return model
