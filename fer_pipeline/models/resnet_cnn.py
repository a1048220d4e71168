"""A residual network made for small gray faces: five blocks 64-128-128-256-256, from scratch.

One pooling after the stem, so that the blocks see 24 x 24, 12 x 12 and 6 x 6 positions of a 48 px
face: a third of ResNet-18's work, and no deeper than 27,000 pictures can teach.
"""

from typing import Final, cast

from torch import nn

from fer_pipeline.models import _weights
from fer_pipeline.models._layers import FACES, classified, initialise, residual_stages

INPUT: Final = FACES

STAGES: Final = ((64, 1), (128, 2), (256, 2))


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    dropout: float = 0.3,
    norm: bool = True,
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes), best for sizes of 44 to 64.

    norm: batch normalisation.

    Raises: BadParams, MissingData.
    """
    features = residual_stages(INPUT.channels, STAGES, norm)
    model = initialise(classified(features, STAGES[-1][0], num_classes, dropout))
    return _weights.start(model, "resnet_cnn", head(model), pretrained)


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Sequential, model)[-1]


def cam_layer(model: nn.Module) -> nn.Module:
    """The last residual block, 6 x 6."""
    return cast(nn.Sequential, cast(nn.Sequential, model)[0])[-1]
