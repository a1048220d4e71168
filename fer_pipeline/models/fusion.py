"""Two branches: the picture at the expression's height, and the clip that leads to it.

late: each branch has a classifier, and the mean of their logits counts. gated: the branches'
features are weighed by attention before one classifier. A branch that a clip cannot feed (no peak
is known; or no more than one frame) is left out, and the other one decides; while training, either
branch is now and then left out, so that both learn to.

Source: Arevalo et al., "Gated multimodal units for information fusion", ICLR workshop 2017, of
which the gates here are a softmax over the branches that are there; dropping branches: Neverova et
al., "ModDrop: adaptive multi-modal gesture recognition", TPAMI 2016.
"""

from dataclasses import replace
from typing import Final, Literal, cast

import torch
from torch import nn

from fer_pipeline.models import _clips
from fer_pipeline.models._layers import FACES

INPUT: Final = replace(FACES, frames=10)

Kind = Literal["gated", "late"]


class Fusion(nn.Module):
    """Image branch and clip branch, fused late or by gates."""

    def __init__(
        self,
        image: _clips.Encoder,
        frames: _clips.Encoder,
        kind: Kind,
        hidden: int,
        dropout: float,
        branch_drop: float,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.image, self.frames = image, frames
        self.unit = nn.GRU(frames.width, hidden, batch_first=True)
        self.image_features = nn.Linear(image.width, hidden)
        self.gate = nn.Linear(hidden, 1) if kind == "gated" else None
        self.dropout = nn.Dropout(dropout)
        branches = 1 if kind == "gated" else 2
        self.head = nn.ModuleList(nn.Linear(hidden, num_classes) for _ in range(branches))
        self._branch_drop = branch_drop

    def forward(
        self, clips: torch.Tensor, lengths: torch.Tensor, peaks: torch.Tensor
    ) -> torch.Tensor:
        """(N, frames, channels, S, S) float32, (N,) and (N,) int64 -> (N, classes)."""
        there = self._there(lengths, peaks)
        image = self.image(_clips.peak_frames(clips, lengths, peaks))
        clip = _clips.summary(self.unit, self.frames, clips, lengths)
        both = torch.stack([torch.tanh(self.image_features(image)), clip], dim=1)
        both = self.dropout(both)
        if self.gate is None:
            logits = [layer(both[:, place]) for place, layer in enumerate(self.head)]
            shares = there / there.sum(dim=1, keepdim=True)
            return (torch.stack(logits, dim=1) * shares[:, :, None]).sum(dim=1)
        scores = self.gate(both)[:, :, 0].masked_fill(there == 0, -torch.inf)
        weighed = (torch.softmax(scores.float(), dim=1)[:, :, None] * both).sum(dim=1)
        return cast(torch.Tensor, self.head[0](weighed))

    def _there(self, lengths: torch.Tensor, peaks: torch.Tensor) -> torch.Tensor:
        """(N, 2) float32: 1 where image and clip are there; never both 0."""
        image, clip = peaks >= 0, lengths > 1
        if self.training and self._branch_drop:
            draw = torch.rand(len(lengths), device=lengths.device)
            both = image & clip
            image = image & ~(both & (draw < self._branch_drop / 2))
            clip = clip & ~(both & (draw > 1 - self._branch_drop / 2))
        # A single frame without a known peak is a picture still.
        image = image | ~clip
        return torch.stack([image, clip], dim=1).float()


def build(
    num_classes: int,
    pretrained: bool | str = False,
    size: int = INPUT.size,
    *,
    fuse: Kind = "gated",
    encoder: _clips.Frames = "plain",
    hidden: int = 64,
    dropout: float = 0.3,
    branch_drop: float = 0.2,
) -> nn.Module:
    """The network, (N, 10, 1, size, size) float32, lengths, peaks (N,) int64 -> (N, num_classes).

    encoder: of both branches, each with weights of its own; branch_drop: how often one of two
    branches is left out while training.

    Raises: BadParams, MissingData.
    """
    image = _clips.encoder(encoder, INPUT.channels, size)
    frames = _clips.encoder(encoder, INPUT.channels, size)
    model = Fusion(image, frames, fuse, hidden, dropout, branch_drop, num_classes)
    return _clips.start(model, pretrained, "fusion")


def head(model: nn.Module) -> nn.Module:
    """The classifier, or the two of late fusion."""
    return cast(Fusion, model).head


def cam_layer(model: nn.Module) -> nn.Module:
    """The last convolution of the clip branch's encoder: a map of every frame."""
    return cast(Fusion, model).frames.cam
