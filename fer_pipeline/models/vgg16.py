"""VGG-16 with batch normalisation (timm), all positions pooled before one linear layer.

Its first layer has stride 1 and suits small faces as it is. The three hidden layers of 4,096, nine
tenths of the original's parameters, are left out: they expect 7 x 7 positions of a 224 px picture.

Source: Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition",
ICLR 2015.
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
    dropout: float = 0.3,
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    Raises: MissingData when the weights cannot be had.
    """

    def fit(model: Any, kept: bool) -> nn.Module:
        model.pre_logits = nn.Identity()
        model.head.fc = nn.Linear(512, num_classes)
        return model  # type: ignore[no-any-return]

    # Hidden layers that are left out anyway need not be drawn at full width first.
    options: dict[str, Any] = {} if pretrained else {"mlp_ratio": 0.01}
    options["drop_rate"] = dropout
    return _timm.build("vgg16_bn", num_classes, INPUT.channels, pretrained, fit, head, **options)


def head(model: Any) -> nn.Module:
    """The last linear layer."""
    return model.head.fc  # type: ignore[no-any-return]


def cam_layer(model: Any) -> nn.Module:
    """The last activation before the last pooling, a sixteenth of the picture's side."""
    return model.features[-2]  # type: ignore[no-any-return]
