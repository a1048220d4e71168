"""Vision Transformer, small or tiny by option (timm), for 48 px gray faces.

Patches of 8 x 8 make 36 tokens of a 48 px face, as many as 16 x 16 make of 96 px; pretrained patch
filters and places are resampled to fit.

Source: Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021.
"""

from typing import Any, Final, Literal

import torch
from torch import nn

from fer_pipeline.errors import BadParams
from fer_pipeline.images import Input
from fer_pipeline.models import _timm

INPUT: Final[Input] = _timm.HALVES

Variant = Literal["small", "tiny", "base"]


class Places(nn.Module):
    """Tokens as a map, (N, tokens, C) -> (N, C, side, side) and back; the class token is set aside.

    It changes nothing: Grad-CAM finds the map here.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self._side = side
        self.map = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same tokens."""
        token, places = x[:, :1], x[:, 1:]
        shown = self.map(places.transpose(1, 2).unflatten(2, (self._side, self._side)))
        return torch.cat([token, shown.flatten(2).transpose(1, 2)], dim=1)


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    variant: Variant = "small",
    patch: int = 8,
    dropout: float = 0.0,
    depth_drop: float = 0.1,
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    patch: side of a patch, pixels, a divisor of size; depth_drop: probability, of the last block,
    that a picture skips it while training.

    Raises: BadParams, MissingData when the weights cannot be had.
    """
    if patch < 1 or size % patch:
        raise BadParams(f"options.patch = {patch}; it must divide the picture's side, {size}")

    def fit(model: Any, kept: bool) -> nn.Module:
        # The last block's answer for a place reaches the classes only through attention in it.
        last = model.blocks[-1]
        last.norm1 = nn.Sequential(Places(size // patch), last.norm1)
        return model  # type: ignore[no-any-return]

    options: dict[str, Any] = {"img_size": size, "patch_size": patch}
    options |= {"drop_rate": dropout, "drop_path_rate": depth_drop}
    name = f"vit_{variant}_patch16_224"
    return _timm.build(name, num_classes, INPUT.channels, pretrained, fit, head, **options)


def head(model: Any) -> nn.Module:
    """The last linear layer."""
    return model.head  # type: ignore[no-any-return]


def cam_layer(model: Any) -> nn.Module:
    """What enters the last block, by position, 6 x 6."""
    return model.blocks[-1].norm1[0].map  # type: ignore[no-any-return]
