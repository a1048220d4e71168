"""Device, precision and memory layout: what `auto` means on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch

from fer_pipeline.errors import BadParams, OutOfMemory
from fer_pipeline.train.params import TrainParams

Precision = Literal["float32", "bf16", "fp16"]


def out_of_memory(error: RuntimeError) -> bool:
    """Whether memory did not suffice, a GPU's or the host's: of the latter only torch's words say
    so.
    """
    of_host = "DefaultCPUAllocator: can't allocate memory" in str(error)
    return of_host or isinstance(error, torch.OutOfMemoryError)


@contextmanager
def fitting(pictures: int) -> Iterator[None]:
    """Context in which so many pictures of a batch are made; raises OutOfMemory."""
    try:
        yield
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise OutOfMemory(
            f"a batch of {pictures} pictures does not fit into memory ({str(error)[:80]}); lower "
            "train.batch or train.size"
        ) from None


@dataclass(frozen=True)
class Hardware:
    """How to compute: device, precision of the forward pass, whether channels come last.

    augments: whether pictures are varied on the device, in batches, rather than on the host.
    threads: of the processor, by which the rounding of its sums differs; 0 where a GPU computes.
    """

    device: str
    precision: Precision
    channels_last: bool
    augments: bool = False
    threads: int = 0

    def autocast(self) -> torch.autocast:
        """Context in which the forward pass runs."""
        kind = torch.device(self.device).type
        half = torch.float16 if self.precision == "fp16" else torch.bfloat16
        return torch.autocast(kind, half, enabled=self.precision != "float32")

    def scaler(self) -> torch.amp.GradScaler | None:
        """Keeps small gradients of fp16 from vanishing; None where they cannot."""
        return torch.amp.GradScaler(self.device) if self.precision == "fp16" else None

    def place(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model on the device, in the layout."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return model.to(device=self.device, memory_format=layout)  # type: ignore[call-overload, no-any-return]


def choose(settings: TrainParams) -> Hardware:
    """The settings with every `auto` decided.

    bf16 where the processor computes it in hardware (AVX-512 BF16 or AMX, NVIDIA from Ampere);
    elsewhere it is emulated and slower than float32. Channels last everywhere.

    Raises: BadParams for a device that is not there.
    """
    device = settings.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise BadParams(f"train.device = {device!r} is no device; use auto, cpu or cuda") from None
    if kind not in ("cpu", "cuda"):
        raise BadParams(f"train.device = {device!r} is not supported; use auto, cpu or cuda")
    if kind == "cuda" and not torch.cuda.is_available():
        raise BadParams(f"train.device = {device!r}, but torch finds no CUDA device; use auto")
    if settings.precision == "fp16" and kind == "cpu":
        raise BadParams("train.precision = fp16 needs a GPU; use auto, bf16 or float32")
    precision: Precision = "float32"
    if settings.precision != "auto":
        precision = settings.precision
    elif torch.cuda.is_bf16_supported(False) if kind == "cuda" else cpu_has_bf16():
        precision = "bf16"
    there = settings.augment_on == "device" or (settings.augment_on == "auto" and kind == "cuda")
    threads = torch.get_num_threads() if kind == "cpu" else 0
    return Hardware(device, precision, settings.channels_last != "off", there, threads)


def cpu_has_bf16() -> bool:
    """Whether the processor computes bf16 itself: AVX-512 BF16 or AMX."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
