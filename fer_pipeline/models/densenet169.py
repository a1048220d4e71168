"""DenseNet-169 (timm) for 48 px gray faces.

A 3 x 3 convolution with stride 1 in place of 7 x 7 with stride 2: the ImageNet stem would leave a
48 px face one position at the end, at which this network is known to learn next to nothing.

Source: Huang et al., "Densely connected convolutional networks", CVPR 2017.
"""

from typing import Any, Final

from torch import nn

from fer_pipeline.images import Input
from fer_pipeline.models import _timm
from fer_pipeline.models._layers import FACES

INPUT: Final[Input] = FACES


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    dropout: float = 0.2,
    stem: _timm.Stem = "fit",
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    Raises: BadParams, MissingData when the weights cannot be had.
    """
    narrow = _timm.narrow(stem, size)

    def fit(model: Any, kept: bool) -> nn.Module:
        if narrow:
            first = model.features
            first.conv0 = _timm.refitted(first.conv0, stride=1, kernel=3, keep=kept)
        return model  # type: ignore[no-any-return]

    return _timm.build(
        "densenet169", num_classes, INPUT.channels, pretrained, fit, head, drop_rate=dropout
    )


def head(model: Any) -> nn.Module:
    """The last linear layer."""
    return model.classifier  # type: ignore[no-any-return]


def cam_layer(model: Any) -> nn.Module:
    """The last normalised map, 3 x 3."""
    return model.features.norm5  # type: ignore[no-any-return]
