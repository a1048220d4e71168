"""Pictures of a batch mixed with each other, and their targets alike."""

from typing import TYPE_CHECKING

import numpy as np

from fer_pipeline.train.params import TrainParams

if TYPE_CHECKING:
    import torch


def mixed(
    values: "torch.Tensor",
    targets: "torch.Tensor",
    settings: TrainParams,
    random: np.random.Generator,
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """(N, C, H, W) pictures and (N, K) targets, each with a share of another row's.

    mixup blends whole pictures, cutmix pastes a rectangle; where both are on, each batch gets one
    of them. The larger share is always the row's own.

    Source: Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018; Yun et al.,
    "CutMix", ICCV 2019.
    """
    import torch

    strengths = [alpha for alpha in (settings.mixup, settings.cutmix) if alpha]
    if not strengths:
        return values, targets
    paste = bool(settings.cutmix) and (not settings.mixup or random.random() < 0.5)
    alpha = settings.cutmix if paste else settings.mixup
    share = random.beta(alpha, alpha)
    share = max(share, 1 - share)
    order = torch.from_numpy(random.permutation(len(values))).to(values.device)
    if not paste:
        values = values * share + values[order] * (1 - share)
        return values, targets * share + targets[order] * (1 - share)
    top, left, bottom, right = box(values.shape[-2], values.shape[-1], share, random)
    values = values.clone()
    values[..., top:bottom, left:right] = values[order][..., top:bottom, left:right]
    area = (bottom - top) * (right - left) / (values.shape[-2] * values.shape[-1])
    return values, targets * (1 - area) + targets[order] * area


def box(
    height: int, width: int, share: float, random: np.random.Generator
) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of a rectangle, inside, of about 1 - `share` of the picture."""
    side = (1 - share) ** 0.5
    tall, wide = round(height * side), round(width * side)
    top = int(random.integers(height - tall + 1))
    left = int(random.integers(width - wide + 1))
    return top, left, top + tall, left + wide
