"""MobileNet-V3 (timm), large or small by option, for 48 px gray faces.

The first convolution has stride 1 instead of 2, so that 3 x 3 positions are left at the end.

Source: Howard et al., "Searching for MobileNetV3", ICCV 2019.
"""

from typing import Any, Final, Literal

from torch import nn

from fer_pipeline.images import Input
from fer_pipeline.models import _timm
from fer_pipeline.models._layers import FACES

INPUT: Final[Input] = FACES

Variant = Literal["large", "small"]


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    variant: Variant = "large",
    dropout: float = 0.2,
    stem: _timm.Stem = "fit",
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    Raises: MissingData when the weights cannot be had.
    """
    narrow = _timm.narrow(stem, size)

    def fit(model: Any, kept: bool) -> nn.Module:
        if narrow:
            model.conv_stem = _timm.refitted(model.conv_stem, stride=1, keep=kept)
        return model  # type: ignore[no-any-return]

    name = f"mobilenetv3_{variant}_100"
    return _timm.build(name, num_classes, INPUT.channels, pretrained, fit, head, drop_rate=dropout)


def head(model: Any) -> nn.Module:
    """The last linear layer."""
    return model.classifier  # type: ignore[no-any-return]


def cam_layer(model: Any) -> nn.Module:
    """The last block before pooling, 3 x 3."""
    return model.blocks[-1]  # type: ignore[no-any-return]
