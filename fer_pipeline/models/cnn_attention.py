"""A convolutional network with self-attention over its feature map.

Blocks 64-128-256 leave 6 x 6 positions of a 48 px face; each position then attends to all others of
its own picture, beside a skip.

Source: Vaswani et al., "Attention is all you need", NeurIPS 2017; after convolutions: Bello et al.,
"Attention augmented convolutional networks", ICCV 2019.
"""

import itertools
from typing import Final, cast

import torch
from torch import nn

from fer_pipeline.errors import BadParams
from fer_pipeline.models import _weights
from fer_pipeline.models._layers import FACES, classified, conv_block, initialise

INPUT: Final = FACES

WIDTHS: Final = (64, 128, 256)


class SelfAttention(nn.Module):
    """Multi-head attention of positions with a learnt place, pre-normalised, beside a skip.

    (N, C, side, side) of the same shape.
    """

    def __init__(self, channels: int, side: int, heads: int) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(1, side * side, channels) * 0.02)
        self.norm = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self._heads = heads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x plus what each position gathers from all."""
        _, channels, height, width = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        qkv = self.qkv(self.norm(tokens + self.place))
        split = qkv.unflatten(2, (3, self._heads, channels // self._heads)).permute(2, 0, 3, 1, 4)
        query, key, value = split.unbind(0)
        gathered = nn.functional.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.out(gathered.transpose(1, 2).flatten(2))
        return tokens.transpose(1, 2).unflatten(2, (height, width))


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    dropout: float = 0.3,
    norm: bool = True,
    attention: bool = True,
    heads: int = 4,
) -> nn.Module:
    """The network, (N, 1, size, size) float32 -> (N, num_classes).

    norm: batch normalisation; attention: the layer that it is named after, with so many heads.

    Raises: BadParams, MissingData.
    """
    last = WIDTHS[-1]
    if heads < 1 or last % heads:
        raise BadParams(f"options.heads = {heads}; it must divide {last}")
    widths = (INPUT.channels, *WIDTHS)
    blocks: list[nn.Module] = [
        conv_block(inputs, outputs, norm=norm) for inputs, outputs in itertools.pairwise(widths)
    ]
    attend = SelfAttention(last, size // 8, heads) if attention else nn.Identity()
    features = nn.Sequential(*blocks, attend)
    model = initialise(classified(features, last, num_classes, dropout))
    return _weights.start(model, "cnn_attention", head(model), pretrained)


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(nn.Sequential, model)[-1]


def cam_layer(model: nn.Module) -> nn.Module:
    """The map after attention, 6 x 6."""
    return cast(nn.Sequential, cast(nn.Sequential, model)[0])[-1]
