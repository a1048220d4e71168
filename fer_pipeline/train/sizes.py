"""Smaller pictures in the first epochs, where a network can take them."""

import torch
from torch import nn

from fer_pipeline.errors import BadParams
from fer_pipeline.images import Input
from fer_pipeline.train.hardware import Hardware
from fer_pipeline.train.params import TrainParams


def side(settings: TrainParams, size: int, epoch: int) -> int:
    """Side of the pictures of `epoch` (from 1), pixels; `size` is that of the later ones."""
    small = epoch <= round(settings.small_share * settings.epochs)
    return min(settings.small_size, size) if small else size


def check(model: nn.Module, contract: Input, settings: TrainParams, hardware: Hardware) -> None:
    """Tries one picture of the first epochs' side; the model is left in evaluation mode.

    Raises: BadParams where a layer fits no other side than the model's own.
    """
    small = side(settings, contract.size, 1)
    if small == contract.size:
        return
    frames = () if contract.frames == 1 else (contract.frames,)
    shape = (1, *frames, contract.channels, small, small)
    inputs = [torch.zeros(shape, device=hardware.device)]
    if contract.frames > 1:
        last = torch.tensor([contract.frames], device=hardware.device)
        inputs += [last, last - 1]
    try:
        with torch.inference_mode(), hardware.autocast():
            model.eval()(*inputs)
    except (RuntimeError, AssertionError, ValueError) as error:
        why = " ".join(str(error).split())[:120]
        raise BadParams(
            f"train.small_size = {small}: the network takes {contract.size} px and cannot take "
            f"that side ({why}); set train.small_share: 0, or another side"
        ) from None
