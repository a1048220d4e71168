"""A small convolutional encoder for each frame and a recurrent unit over the clip."""

from typing import Final, cast

import torch
from torch import nn

from fer_pipeline.errors import BadParams
from fer_pipeline.images import Input

INPUT: Final = Input(size=48, channels=1, mean=(0.508,), std=(0.255,), frames=10)
"""Mean and standard deviation of FER2013's training pixels."""

FEATURES: Final = 128
HIDDEN: Final = 64


class ClipNet(nn.Module):
    """Frames -> features -> GRU -> classes; frames behind a clip's length change nothing."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*block(1, 32), *block(32, 64), *block(64, FEATURES))
        self.gru = nn.GRU(FEATURES, HIDDEN, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(HIDDEN, num_classes)

    def forward(self, clips: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """(N, frames, 1, 48, 48) float32 and (N,) int64 -> (N, classes)."""
        count, frames = clips.shape[:2]
        there = torch.arange(frames, device=clips.device)[None] < lengths[:, None]
        # Only real frames are encoded: padding would enter the normalisation statistics.
        encoded = self.encoder(clips[there]).mean(dim=(2, 3)).float()
        features = encoded.new_zeros(count, frames, encoded.shape[1])
        features[there] = encoded
        with torch.autocast(clips.device.type, enabled=False):
            packed = nn.utils.rnn.pack_padded_sequence(
                features, lengths.cpu(), batch_first=True, enforce_sorted=False
            )
            _, last = self.gru(packed)
        return cast(torch.Tensor, self.head(self.dropout(last[-1])))


def block(inputs: int, outputs: int) -> list[nn.Module]:
    """Convolution, normalisation, activation, and pooling that halves the picture."""
    return [
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    ]


def build(num_classes: int, pretrained: bool | str = False) -> nn.Module:
    """The network, (N, 10, 1, 48, 48) float32 and lengths (N,) int64 -> (N, num_classes).

    Raises: BadParams, for there are no weights to start from.
    """
    if pretrained:
        raise BadParams("cnn_gru has no pretrained weights; set pretrained: false")
    return ClipNet(num_classes)


def head(model: nn.Module) -> nn.Module:
    """The last linear layer."""
    return cast(ClipNet, model).head


def cam_layer(model: nn.Module) -> nn.Module:
    """The encoder's last convolution, 12 x 12."""
    return cast(ClipNet, model).encoder[8]
