"""ResNet-18 (timm) for 48 px gray faces.

The ImageNet stem (7 x 7, stride 2) would leave 12 x 12 positions to the first stage; here a 3 x 3
convolution with stride 1 and the usual pooling leave 24 x 24.

Source: He et al., "Deep residual learning for image recognition", CVPR 2016.
"""

from pathlib import Path
from typing import Any, Final, cast

from torch import nn

from fer_pipeline.errors import MissingData
from fer_pipeline.images import Input

INPUT: Final = Input(size=48, channels=1, mean=(0.508,), std=(0.255,))
"""Mean and standard deviation of FER2013's training pixels."""


def build(num_classes: int, pretrained: bool | str = False) -> nn.Module:
    """The network, (N, 1, 48, 48) float32 -> (N, num_classes).

    `pretrained` True starts from the hub's ImageNet weights, a path from a timm weights file.

    Raises: MissingData when the weights cannot be had.
    """
    import timm

    options: dict[str, Any] = {"in_chans": INPUT.channels, "num_classes": num_classes}
    # Zero-initialised last norms (timm's default) keep the residual branches silent for hundreds of
    # steps, which is most of a training on a small set.
    options["zero_init_last"] = False
    if isinstance(pretrained, str):
        if not Path(pretrained).is_file():
            raise MissingData(f"no weights at {pretrained}; set train.pretrained: false or a file")
        options["pretrained_cfg_overlay"] = {"file": pretrained}
    try:
        model = timm.create_model("resnet18", pretrained=bool(pretrained), **options)
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise
        raise MissingData(
            f"the weights of resnet18 cannot be loaded ({error}); connect to the network or set "
            "pretrained to a local file"
        ) from None
    stem = nn.Conv2d(INPUT.channels, 64, 3, stride=1, padding=1, bias=False)
    if pretrained:
        # The middle of the 7 x 7 filters carries most of their weight.
        stem.weight.data.copy_(cast(nn.Conv2d, model.conv1).weight.data[:, :, 2:5, 2:5])
    else:
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
    model.conv1 = stem
    return model


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Module, model.fc)


def cam_layer(model: nn.Module) -> nn.Module:
    """The last residual block, 3 x 3."""
    return cast(nn.Sequential, model.layer4)[-1]
