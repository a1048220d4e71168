"""Networks of timm: made, given weights, and their first layers fitted to small faces."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import nn

from fer_pipeline.errors import BadParams, MissingData
from fer_pipeline.models import _weights
from fer_pipeline.models._layers import FACES

Stem = Literal["fit", "imagenet"]
"""fit: a first layer that keeps small faces whole; imagenet: the one of the original network."""

HALVES: Final = replace(FACES, mean=(0.5,), std=(0.5,))
"""What networks take whose weights on the hub were learnt from values between -1 and 1."""

OTHER: Final = (
    "name a file of timm's weights of this network, or of a run's, or set pretrained: false"
)

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

    Raises: MissingData when the hub's weights cannot be had, BadParams for another network's file.
    """
    import timm

    # Of whichever client the hub uses; a proxy that refuses is no OSError.
    from huggingface_hub.errors import HTTPError

    given: dict[str, Any] = {"in_chans": channels, "num_classes": num_classes, **options}
    if isinstance(pretrained, str):
        # Of some networks timm expects the original NumPy archive in a file.
        given["pretrained_cfg_overlay"] = {"file": pretrained, "custom_load": False}
    try:
        model: nn.Module = timm.create_model(name, pretrained=bool(pretrained), **given)
    except (OSError, RuntimeError, ValueError, KeyError, HTTPError) as error:
        if not pretrained:
            raise
        why = " ".join(str(error).split())[:160]
        if isinstance(pretrained, str):
            raise BadParams(f"{pretrained} holds no weights of {name} ({why}); {OTHER}") from None
        raise MissingData(
            f"the weights of {name} cannot be loaded ({why}); connect to the network, or set "
            "pretrained to a file of weights, or false"
        ) from None
    return model


def _check_filled(model: Any, name: str, path: str, tensors: _weights.Tensors) -> None:
    """Raises BadParams when a layer's weights are not the file's: timm leaves out in silence what
    a file lacks.

    By content, since timm renames and reshapes; classifier, input filters and places, which it
    leaves out or resamples, are not looked for.
    """
    told = model.pretrained_cfg
    adapted = ["pos_embed"]
    for place in (told["classifier"], told["first_conv"]):
        adapted += [place] if isinstance(place, str) else place
    given = {_content(value) for value in tensors.values()}
    for parameter, value in model.named_parameters():
        if not parameter.startswith(tuple(adapted)) and _content(value) not in given:
            raise BadParams(f"{path} holds no weights of {name}: {parameter} is missing; {OTHER}")


def _content(value: torch.Tensor) -> bytes:
    """A digest of its numbers in their order, whatever their shape and precision."""
    numbers = value.detach().float().contiguous().view(-1)
    return hashlib.blake2b(numbers.numpy().data, digest_size=16).digest()


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
        _check_filled(model, name, pretrained, tensors)
    else:
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
