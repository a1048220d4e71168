"""Inception-v3 (timm) for 64 px gray faces.

Its first layers cut the borders off and halve the picture three times, made for 299 px; here the
first convolution has stride 1, which leaves 6 x 6 positions to most of the network.

Source: Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016.
"""

from dataclasses import replace
from typing import Any, Final

from torch import nn

from fer_pipeline.errors import BadParams
from fer_pipeline.images import Input
from fer_pipeline.models import _timm

INPUT: Final[Input] = replace(_timm.HALVES, size=64)

SMALLEST: Final = {True: 48, False: 75}
"""Side from which every layer has a position left, with the first layer fitted and without."""


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    dropout: float = 0.3,
    stem: _timm.Stem = "fit",
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    Raises: BadParams, MissingData when the weights cannot be had.
    """
    narrow = _timm.narrow(stem, size)
    if size < SMALLEST[narrow]:
        raise BadParams(
            f"size = {size}; inception_v3 with options.stem = {stem} takes {SMALLEST[narrow]} px "
            "and more"
        )

    def fit(model: Any, kept: bool) -> nn.Module:
        if narrow:
            first = model.Conv2d_1a_3x3
            first.conv = _timm.refitted(first.conv, stride=1, keep=kept)
        return model  # type: ignore[no-any-return]

    return _timm.build(
        "inception_v3", num_classes, INPUT.channels, pretrained, fit, head, drop_rate=dropout
    )


def head(model: Any) -> nn.Module:
    """The last linear layer."""
    return model.fc  # type: ignore[no-any-return]


def cam_layer(model: Any) -> nn.Module:
    """The last block before the last halving, 6 x 6."""
    return model.Mixed_6e  # type: ignore[no-any-return]
