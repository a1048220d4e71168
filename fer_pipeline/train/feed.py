"""Pictures on their way to the network: chosen, varied, normalised, on the device."""

import numpy as np
import torch

from fer_pipeline.images import Input
from fer_pipeline.train import augment, warps
from fer_pipeline.train.hardware import Hardware
from fer_pipeline.train.part import Part


class Feed:
    """Makes the input of a batch.

    On a device that varies pictures itself, all pixels lie there if they take no more than half of
    the memory that is free: then only numbers of rows travel to it.
    """

    def __init__(self, contract: Input, hardware: Hardware, pixels: np.ndarray) -> None:
        self._device = torch.device(hardware.device)
        self._there = hardware.augments
        self._mean = torch.tensor(contract.mean, device=self._device).view(-1, 1, 1) * 255
        self._std = torch.tensor(contract.std, device=self._device).view(-1, 1, 1) * 255
        self._pixels = pixels
        self.resident: torch.Tensor | None = None
        if self._there and pixels.nbytes <= _free(self._device) / 2:
            self.resident = torch.from_numpy(np.ascontiguousarray(pixels)).to(self._device)

    def values(
        self,
        part: Part,
        rows: np.ndarray,
        recipe: augment.Recipe | None = None,
        draws: np.ndarray | None = None,
    ) -> torch.Tensor:
        """(n, [frames,] channels, size, size) float32 of a part's rows, varied by a recipe.

        draws: (n,) which of the recipe's variations each picture gets; None: that of its row.
        """
        draws = rows if draws is None else draws
        places = part.places[rows]
        if not self._there:
            pictures = self._pixels[places]
            if recipe is not None:
                pictures = augment.apply(pictures, draws, recipe)
            return self._normalised(_channels_first(torch.from_numpy(pictures).to(self._device)))
        if self.resident is not None:
            chosen = self.resident[torch.from_numpy(places).to(self._device)]
        else:
            chosen = torch.from_numpy(self._pixels[places]).to(self._device)
        if recipe is None:
            return self._normalised(_channels_first(chosen))
        return self._normalised(warps.apply(chosen, draws, recipe))

    def _normalised(self, values: torch.Tensor) -> torch.Tensor:
        return (values - self._mean) / self._std


def _channels_first(pictures: torch.Tensor) -> torch.Tensor:
    # Pixels lie as (..., height, width, channels); moving the axis is already channels-last.
    return pictures.movedim(-1, -3).float()


def _free(device: torch.device) -> float:
    """Bytes of the device's memory that are free."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    import psutil

    return float(psutil.virtual_memory().available)
