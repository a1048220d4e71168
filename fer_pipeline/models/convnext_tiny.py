"""ConvNeXt-Tiny (timm) for 48 px gray faces.

The first convolution cuts patches of 2 x 2 instead of 4 x 4, so that 3 x 3 positions are left.

Source: Liu et al., "A ConvNet for the 2020s", CVPR 2022.
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
    depth_drop: float = 0.1,
    stem: _timm.Stem = "fit",
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    depth_drop: probability, of the last block, that a picture skips it while training.

    Raises: BadParams, MissingData when the weights cannot be had.
    """
    narrow = _timm.narrow(stem, size)

    def fit(model: Any, kept: bool) -> nn.Module:
        if narrow:
            model.stem[0] = _timm.refitted(model.stem[0], stride=2, kernel=2, keep=kept)
        return model  # type: ignore[no-any-return]

    options = {"drop_rate": dropout, "drop_path_rate": depth_drop}
    name = "convnext_tiny"
    return _timm.build(name, num_classes, INPUT.channels, pretrained, fit, head, **options)


def head(model: Any) -> nn.Module:
    """The last linear layer."""
    return model.head.fc  # type: ignore[no-any-return]


def cam_layer(model: Any) -> nn.Module:
    """The last stage, 3 x 3."""
    return model.stages[-1]  # type: ignore[no-any-return]
