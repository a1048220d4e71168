"""One training on several processes: `torchrun -m fer_pipeline.train ...`, on GPUs or CPUs.

Each process takes its share of every batch, and gradients are summed once a step: data-parallel
training without torch's DistributedDataParallel, which takes means over processes, whatever their
shares, and cannot bear layers that begin to learn later. Normalisation statistics are those of the
whole batch.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import numpy as np
import torch
from torch import nn

from fer_pipeline.errors import BadParams

T = TypeVar("T")

VARIABLE: Final = "FER_TRAIN_PROCESSES"
"""How many processes of this machine a training is to run on; more machines need torchrun."""


@dataclass(frozen=True)
class Ranks:
    """This process among those of one training."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this one writes and speaks for all."""
        return self.rank == 0

    def share(self, rows: np.ndarray) -> np.ndarray:
        """This process's part of a batch."""
        return np.array_split(rows, self.world)[self.rank]

    def add(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, in place."""
        if self.world > 1:
            torch.distributed.all_reduce(values)
        return values

    def add_gradients(self, model: nn.Module) -> None:
        """Gives every process the sum of all gradients."""
        if self.world == 1:
            return
        found = [value.grad for value in model.parameters() if value.grad is not None]
        flat = self.add(torch.cat([gradient.flatten() for gradient in found]))
        for gradient, part in zip(found, flat.split([g.numel() for g in found]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def agreed(self, value: T) -> T:
        """The first process's value, for all; waits until every process is here."""
        if self.world == 1:
            return value
        box: list[Any] = [value]
        torch.distributed.broadcast_object_list(box)
        return cast(T, box[0])


ALONE: Final = Ranks()


@contextmanager
def ranks(device: str) -> Iterator[Ranks]:
    """The processes that torchrun started, joined while the block runs; alone without it.

    device: `train.device`; every process takes the GPU of its own local rank.

    Raises: BadParams for a single named GPU.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield ALONE
        return
    if ":" in device:
        raise BadParams(f"train.device = {device!r} names one GPU for {world} processes; use cuda")
    gpu = device != "cpu" and torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("nccl" if gpu else "gloo")
    try:
        yield Ranks(torch.distributed.get_rank(), world)
    finally:
        torch.distributed.destroy_process_group()


def spread() -> None:
    """Starts the command anew under torchrun where `VARIABLE` asks for several processes."""
    wanted = os.environ.get(VARIABLE, "")
    if not wanted or "WORLD_SIZE" in os.environ:
        return
    if not wanted.isdigit() or int(wanted) < 1:
        raise BadParams(f"{VARIABLE} = {wanted!r}; it must be a whole number from 1")
    if int(wanted) == 1:
        return
    # torchrun would give each process one thread otherwise.
    threads = max((os.cpu_count() or 1) // int(wanted), 1)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", wanted]
    words += ["-m", "fer_pipeline.train", *sys.argv[1:]]
    os.execv(sys.executable, [sys.executable, *words])


def synced(model: nn.Module, found: Ranks) -> nn.Module:
    """The model with normalisations that see the whole batch; names and weights stay."""
    if found.world == 1:
        return model
    if next(model.parameters()).is_cuda:
        from timm.layers import convert_sync_batchnorm

        # torch's own conversion loses the activations that timm's normalisations hold.
        return cast(nn.Module, convert_sync_batchnorm(model))
    for layer in model.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            # torch's synchronised one runs on GPUs alone.
            layer.forward = _Synced(layer)  # type: ignore[assignment]
    return model


@dataclass
class _Synced:
    """What a normalisation layer does instead of its own forward pass, on CPUs."""

    layer: nn.modules.batchnorm._BatchNorm

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        found = self._whole(x) if self.layer.training else self._settled(x)
        # timm's layers hold what follows the normalisation, too.
        for name in ("drop", "act"):
            following = getattr(self.layer, name, None)
            if following is not None:
                found = following(found)
        return found

    def _settled(self, x: torch.Tensor) -> torch.Tensor:
        layer = self.layer
        return nn.functional.batch_norm(
            x, layer.running_mean, layer.running_var, layer.weight, layer.bias, eps=layer.eps
        )

    def _whole(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised by mean and variance of all processes' rows."""
        layer = self.layer
        over = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1, *[1] * (x.ndim - 2)]
        values = x.float()
        count = torch.tensor([values.numel() / values.shape[1]])
        total = _summed(torch.cat([values.sum(over), (values**2).sum(over), count]))
        width, count = values.shape[1], total[-1].detach()
        mean = total[:width] / count
        # A difference of large squares may fall below 0 by rounding.
        variance = (total[width : 2 * width] / count - mean**2).clamp(min=0)
        self._track(mean.detach(), variance.detach() * count / (count - 1))
        scaled = (values - mean.view(shape)) * torch.rsqrt(variance.view(shape) + layer.eps)
        if layer.affine:
            scaled = scaled * layer.weight.view(shape) + layer.bias.view(shape)
        return scaled.to(x.dtype)

    @torch.no_grad()
    def _track(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        layer = self.layer
        if layer.running_mean is None or layer.running_var is None:
            return
        momentum = 0.1 if layer.momentum is None else layer.momentum
        layer.running_mean.lerp_(mean, momentum)
        layer.running_var.lerp_(variance, momentum)
        if layer.num_batches_tracked is not None:
            layer.num_batches_tracked += 1


class _Sum(torch.autograd.Function):
    """Sum over the processes, whose gradient is summed alike."""

    @staticmethod
    def forward(context: Any, values: torch.Tensor) -> torch.Tensor:
        total = values.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
        total = gradient.clone()
        torch.distributed.all_reduce(total)
        return total


def _summed(values: torch.Tensor) -> torch.Tensor:
    return cast(torch.Tensor, _Sum.apply(values))  # type: ignore[no-untyped-call]
