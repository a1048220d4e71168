"""ResNet-50 (timm), bottleneck blocks, for 48 px gray faces.

Its first layers are fitted to small faces as those of resnet18 are: 3 x 3 with stride 1.

Source: He et al., "Deep residual learning for image recognition", CVPR 2016.
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
    dropout: float = 0.0,
    stem: _timm.Stem = "fit",
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    Raises: BadParams, MissingData when the weights cannot be had.
    """
    narrow = _timm.narrow(stem, size)

    def fit(model: Any, kept: bool) -> nn.Module:
        if narrow:
            model.conv1 = _timm.refitted(model.conv1, stride=1, kernel=3, keep=kept)
        return model  # type: ignore[no-any-return]

    # Zero-initialised last norms (timm's default) keep the residual branches silent for hundreds of
    # steps, which is most of a training on a small set.
    options = {"drop_rate": dropout, "zero_init_last": False}
    return _timm.build("resnet50", num_classes, INPUT.channels, pretrained, fit, head, **options)


def head(model: Any) -> nn.Module:
    """The last linear layer."""
    return model.fc  # type: ignore[no-any-return]


def cam_layer(model: Any) -> nn.Module:
    """The last residual block, 3 x 3."""
    return model.layer4[-1]  # type: ignore[no-any-return]
