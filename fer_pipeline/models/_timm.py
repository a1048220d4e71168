"""Networks of timm: made, given weights, and their first layers fitted to small faces."""

from pathlib import Path
from typing import Any, Final, Literal

from torch import nn

from fer_pipeline.errors import MissingData
from fer_pipeline.models import _weights

Stem = Literal["fit", "imagenet"]
"""fit: a first layer that keeps small faces whole; imagenet: the one of the original network."""

LARGE: Final = 128
"""From this side on, pixels, the original first layers leave enough positions."""


def narrow(stem: Stem, size: int) -> bool:
    """Whether the first layers are to be fitted."""
    return stem == "fit" and size < LARGE


def create(
    name: str, num_classes: int, channels: int, pretrained: bool | str, **options: Any
) -> nn.Module:
    """timm's network with its own first layers; `pretrained` as in `build`.

    A file may hold timm's weights of this network; those of our own checkpoints are taken by
    `start`, after the first layers are fitted.

    Raises: MissingData when the weights cannot be had.
    """
    import timm

    # Of whichever client the hub uses; a proxy that refuses is no OSError.
    from huggingface_hub.errors import HTTPError

    given: dict[str, Any] = {"in_chans": channels, "num_classes": num_classes, **options}
    if isinstance(pretrained, str):
        given["pretrained_cfg_overlay"] = {"file": pretrained}
    try:
        model: nn.Module = timm.create_model(name, pretrained=bool(pretrained), **given)
    except (OSError, RuntimeError, ValueError, KeyError, HTTPError) as error:
        if not pretrained:
            raise
        why = " ".join(str(error).split())[:160]
        raise MissingData(
            f"the weights of {name} cannot be loaded ({why}); connect to the network, or set "
            "pretrained to a file of weights, or false"
        ) from None
    return model


def build(
    name: str,
    num_classes: int,
    channels: int,
    pretrained: bool | str,
    fit: Any,
    head: Any,
    **options: Any,
) -> nn.Module:
    """timm's network after `fit(model, pretrained)`, from whatever `pretrained` names.

    head: the file's function of that name. A file of a checkpoint of this very network is loaded
    as it is, any other file is timm's own.

    Raises: MissingData, BadParams.
    """
    if isinstance(pretrained, str):
        tensors = _weights.read(Path(pretrained))
        model = fit(create(name, num_classes, channels, False, **options), False)
        if _weights.fits(model, head(model), tensors):
            _weights.take(model, head(model), tensors)
            return model  # type: ignore[no-any-return]
    model = create(name, num_classes, channels, pretrained, **options)
    return fit(model, bool(pretrained))  # type: ignore[no-any-return]


def refitted(conv: nn.Conv2d, stride: int, kernel: int | None = None, keep: bool = False) -> Any:
    """A copy of a square convolution with another stride and, where given, a smaller kernel.

    keep: it starts from the middle of the old filters, which carries most of their weight; else
    it is drawn anew for ReLU.
    """
    old = conv.kernel_size[0]
    side = old if kernel is None else kernel
    # Padding of one less than half, so that sides divide as before.
    padding: Any = conv.padding if kernel is None else (side - 1) // 2
    new = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        side,
        stride=stride,
        padding=padding,
        bias=conv.bias is not None,
    )
    if keep:
        first = (old - side) // 2
        new.weight.data.copy_(conv.weight.data[:, :, first : first + side, first : first + side])
        if conv.bias is not None and new.bias is not None:
            new.bias.data.copy_(conv.bias.data)
    else:
        nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
        if new.bias is not None:
            nn.init.zeros_(new.bias)
    return new
