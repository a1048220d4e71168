"""A residual network made for small gray faces: five blocks 64-128-128-256-256, from scratch.

One pooling after the stem, so that the blocks see 24 x 24, 12 x 12 and 6 x 6 positions of a 48 px
face: a third of ResNet-18's work, and no deeper than 27,000 pictures can teach. Skips that halve
the picture average before their 1 x 1 convolution, which reads every position.

Source: He et al., "Deep residual learning for image recognition", CVPR 2016; the averaging skip:
He et al., "Bag of tricks for image classification with convolutional neural networks", CVPR 2019.
"""

from typing import Final, cast

import torch
from torch import nn

from fer_pipeline.errors import BadParams
from fer_pipeline.images import Input

INPUT: Final = Input(size=48, channels=1, mean=(0.508,), std=(0.255,))
"""Mean and standard deviation of FER2013's training pixels."""

STAGES: Final = ((64, 1), (128, 2), (256, 2))
"""Width and number of blocks of each stage; from the second on, each halves the picture."""


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a skip: (N, inputs, H, W) -> (N, outputs, H/stride, W/stride).

    Odd sides are rounded up, as the strided convolution rounds them.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip = _skip(inputs, outputs, stride)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The activated sum of branch and skip."""
        return self.activation(self.branch(x) + self.skip(x))  # type: ignore[no-any-return]


def _skip(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    layers: list[nn.Module] = []
    if stride > 1:
        layers.append(nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False))
    return nn.Sequential(
        *layers, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
    )


def build(num_classes: int, pretrained: bool | str = False) -> nn.Module:
    """The network, (N, 1, S, S) float32 -> (N, num_classes), for S of 44 to 64.

    Raises: BadParams, for there are no weights to start from.
    """
    if pretrained:
        raise BadParams("resnet_cnn has no pretrained weights; set pretrained: false")
    width = STAGES[0][0]
    layers: list[nn.Module] = [
        nn.Conv2d(INPUT.channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        # The activation rises, so it may follow the pooling: the same from a quarter of the work.
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
    ]
    for stage, (outputs, blocks) in enumerate(STAGES):
        for block in range(blocks):
            layers.append(Residual(width, outputs, stride=2 if stage and not block else 1))
            width = outputs
    model = nn.Sequential(
        nn.Sequential(*layers),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(width, num_classes),
    )
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return model


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Sequential, model)[-1]


def cam_layer(model: nn.Module) -> nn.Module:
    """The last residual block, 6 x 6."""
    return cast(nn.Sequential, cast(nn.Sequential, model)[0])[-1]
