"""Networks for clips: an encoder for each frame and a recurrent unit over the frames."""

from typing import Any, Final, Literal, cast

import torch
from torch import nn

from fer_pipeline.models import _weights, resnet18, resnet_cnn, small_cnn
from fer_pipeline.models._layers import conv_block

PLAIN: Final = (32, 64, 128)
"""Widths of the plain encoder."""

Unit = Literal["gru", "lstm"]
Frames = Literal["plain", "small_cnn", "resnet_cnn", "resnet18"]
"""Names of encoders."""


class Encoder(nn.Module):
    """Features of pictures: (n, channels, S, S) -> (n, width) float32.

    `cam` is the layer that Grad-CAM explains.
    """

    def __init__(self, maps: nn.Module, width: int, cam: nn.Module) -> None:
        super().__init__()
        self.maps, self.width = maps, width
        # Not a child of its own: it is one of the maps' layers already.
        self._cam = [cam]

    @property
    def cam(self) -> nn.Module:
        """The layer that Grad-CAM explains."""
        return self._cam[0]

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Maps, averaged over positions."""
        return cast(torch.Tensor, self.maps(pictures).mean(dim=(2, 3)).float())


def encoder(name: Frames, channels: int, size: int) -> Encoder:
    """The encoder of that name, without weights: plain, or the inner part of a model for stills."""
    if name == "plain":
        blocks = [
            conv_block(inputs, outputs)
            for inputs, outputs in zip((channels, *PLAIN[:-1]), PLAIN, strict=True)
        ]
        return Encoder(nn.Sequential(*blocks), PLAIN[-1], blocks[-1][0])
    if name in ("resnet_cnn", "small_cnn"):
        module = resnet_cnn if name == "resnet_cnn" else small_cnn
        whole = cast(nn.Sequential, module.build(2, size=size))
        return Encoder(whole[0], module.STAGES[-1][0], module.cam_layer(whole))
    net: Any = resnet18.build(2, size=size)
    inner = nn.Sequential(
        *(net.conv1, net.bn1, net.act1, net.maxpool),
        *(net.layer1, net.layer2, net.layer3, net.layer4),
    )
    return Encoder(inner, 512, net.layer4[-1])


class ClipNet(nn.Module):
    """Frames -> features -> recurrent unit -> classes; frames behind a clip's length count nothing.

    temporal: False takes the features of the one frame at the expression's height instead (the
    middle one where that is not known): the network's own measure of what time adds.
    """

    def __init__(
        self,
        encoder: Encoder,
        unit: Unit,
        hidden: int,
        dropout: float,
        num_classes: int,
        temporal: bool = True,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        kind = nn.GRU if unit == "gru" else nn.LSTM
        self.unit = kind(encoder.width, hidden, batch_first=True) if temporal else None
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden if temporal else encoder.width, num_classes)

    def forward(
        self, clips: torch.Tensor, lengths: torch.Tensor, peaks: torch.Tensor
    ) -> torch.Tensor:
        """(N, frames, channels, S, S) float32, (N,) and (N,) int64 -> (N, classes)."""
        if self.unit is None:
            features = self.encoder(peak_frames(clips, lengths, peaks))
        else:
            features = summary(self.unit, self.encoder, clips, lengths)
        return cast(torch.Tensor, self.head(self.dropout(features)))


def summary(
    unit: nn.Module, encoder: nn.Module, clips: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """The unit's last state over each clip's frames, (N, hidden) float32."""
    count, frames = clips.shape[:2]
    if torch.onnx.is_in_onnx_export():
        return _exported(unit, encoder, clips, lengths)
    there = torch.arange(frames, device=clips.device)[None] < lengths[:, None]
    # Only real frames are encoded: padding would enter the normalisation statistics.
    encoded = encoder(clips[there])
    features = encoded.new_zeros(count, frames, encoded.shape[1])
    features[there] = encoded
    with torch.autocast(clips.device.type, enabled=False):
        packed = nn.utils.rnn.pack_padded_sequence(
            features, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, last = unit(packed)
    state = last[0] if isinstance(last, tuple) else last
    return cast(torch.Tensor, state[-1])


def _exported(
    unit: nn.Module, encoder: nn.Module, clips: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """The same of a trained network, in operations that ONNX has: all frames, then the last real.

    A recurrent unit's output at a clip's last frame does not depend on what follows.
    """
    features = encoder(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
    outputs, _ = unit(features)
    last = (lengths - 1)[:, None, None].expand(-1, 1, outputs.shape[2])
    return cast(torch.Tensor, outputs.gather(1, last)[:, 0])


def peak_frames(clips: torch.Tensor, lengths: torch.Tensor, peaks: torch.Tensor) -> torch.Tensor:
    """(N, channels, S, S): the frame at the expression's height, else the middle one."""
    places = torch.where(peaks >= 0, peaks, lengths // 2)
    index = places[:, None, None, None, None].expand(-1, 1, *clips.shape[2:])
    return clips.gather(1, index)[:, 0]


def start(model: nn.Module, pretrained: bool | str, name: str) -> nn.Module:
    """The model with the weights that `pretrained` names.

    Raises: BadParams, MissingData.
    """
    return _weights.start(model, name, cast(Any, model).head, pretrained)
