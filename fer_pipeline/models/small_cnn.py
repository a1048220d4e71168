"""A residual network of less than a million parameters, for CPUs and browsers: 40-80-80-152-152.

The shape of resnet_cnn with narrower layers: plain 3 x 3 convolutions, which every runtime has a
fast kernel for, and 0.39 of its work.
"""

from typing import Final, cast

from torch import nn

from fer_pipeline.models import _weights
from fer_pipeline.models._layers import FACES, classified, initialise, residual_stages

INPUT: Final = FACES

STAGES: Final = ((40, 1), (80, 2), (152, 2))


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    dropout: float = 0.2,
    norm: bool = True,
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes), best for sizes of 44 to 64.

    norm: batch normalisation.

    Raises: BadParams, MissingData.
    """
    features = residual_stages(INPUT.channels, STAGES, norm)
    model = initialise(classified(features, STAGES[-1][0], num_classes, dropout))
    return _weights.start(model, "small_cnn", head(model), pretrained)


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Sequential, model)[-1]


def cam_layer(model: nn.Module) -> nn.Module:
    """The last residual block, 6 x 6."""
    return cast(nn.Sequential, cast(nn.Sequential, model)[0])[-1]
