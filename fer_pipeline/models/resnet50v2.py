"""ResNet-50 with pre-activation (timm's resnetv2_50) and a hidden layer before the classes.

The head of the field's Keras projects: dropout 0.25, batch normalisation, the whole feature map
flattened, a hidden layer of 64 with ReLU, batch normalisation, dropout 0.5, one logit per class.
First layers fitted to small faces: 3 x 3 with stride 1.

Source: He et al., "Identity mappings in deep residual networks", ECCV 2016.
"""

from typing import Any, Final

from torch import nn

from fer_pipeline.images import Input
from fer_pipeline.models import _timm

INPUT: Final[Input] = _timm.HALVES

WIDTH: Final = 2048
HIDDEN: Final = 64


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    dropout: float = 0.5,
    stem: _timm.Stem = "fit",
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    dropout: before the classes; half of it before the hidden layer.

    Raises: BadParams, MissingData when the weights cannot be had.
    """
    narrow = _timm.narrow(stem, size)
    side = -(-size // (16 if narrow else 32))

    def fit(model: Any, kept: bool) -> nn.Module:
        if narrow:
            model.stem.conv = _timm.refitted(model.stem.conv, stride=1, kernel=3, keep=kept)
        model.head = nn.Sequential(
            nn.Dropout(dropout / 2),
            nn.BatchNorm2d(WIDTH),
            nn.Flatten(),
            nn.Linear(WIDTH * side * side, HIDDEN),
            nn.ReLU(inplace=True),
            nn.BatchNorm1d(HIDDEN),
            nn.Dropout(dropout),
            nn.Linear(HIDDEN, num_classes),
        )
        return model  # type: ignore[no-any-return]

    options = {"zero_init_last": False}
    return _timm.build("resnetv2_50", num_classes, INPUT.channels, pretrained, fit, head, **options)


def head(model: Any) -> nn.Module:
    """All from the first dropout on."""
    return model.head  # type: ignore[no-any-return]


def cam_layer(model: Any) -> nn.Module:
    """The activated map before the head, 3 x 3."""
    return model.norm  # type: ignore[no-any-return]
