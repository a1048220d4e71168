"""A convolutional encoder for each frame and a gated recurrent unit over the clip.

Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014.
"""

from dataclasses import replace
from typing import Final, cast

from torch import nn

from fer_pipeline.models import _clips
from fer_pipeline.models._layers import FACES

INPUT: Final = replace(FACES, frames=10)


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    encoder: _clips.Frames = "plain",
    hidden: int = 64,
    dropout: float = 0.3,
    temporal: bool = True,
) -> nn.Module:
    """The network, (N, 10, 1, size, size) float32, lengths, peaks (N,) int64 -> (N, num_classes).

    encoder: plain (32-64-128), small_cnn, resnet_cnn or resnet18; temporal: False looks at one
    frame alone.

    Raises: BadParams, MissingData.
    """
    frames = _clips.encoder(encoder, INPUT.channels, size)
    model = _clips.ClipNet(frames, "gru", hidden, dropout, num_classes, temporal)
    return _clips.start(model, pretrained, "cnn_gru")


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(_clips.ClipNet, model).head


def cam_layer(model: nn.Module) -> nn.Module:
    """The encoder's last convolution or block."""
    return cast(_clips.ClipNet, model).encoder.cam
