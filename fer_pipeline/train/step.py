"""One step of an optimiser: forward and backward in micro-batches, sharpness, clipping, update."""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from fer_pipeline.errors import OutOfMemory
from fer_pipeline.train.hardware import out_of_memory
from fer_pipeline.train.parallel import ALONE, Ranks
from fer_pipeline.train.params import TrainParams

Passes = Callable[[np.ndarray], tuple[torch.Tensor, torch.Tensor]]
"""Of places in a batch: logits (n, K) and each row's loss (n,), with a graph to go back through."""

Moving = tuple[torch.Tensor, list[torch.Tensor] | None, list[torch.Tensor]]
"""Random states, of the host and of all GPUs once one is in use, and a model's buffers."""

SMALLEST = 2
"""Pictures of the smallest micro-batch: normalisation cannot bear one."""


@dataclass
class Stepper:
    """Turns gradients into new weights; `micro` is how many pictures fit into memory at once."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    settings: TrainParams
    scaler: torch.amp.GradScaler | None
    micro: int
    ranks: Ranks = ALONE

    def step(self, count: int, total: int, passes: Passes) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits and losses of this process's `count` rows of a batch of `total`.

        The weights were moved to lower the mean loss of the whole batch.

        Where memory does not suffice, the micro-batch is halved and the step begun again. The
        gradient stays that of all rows, but for what rows have only together: statistics of batch
        normalisation and concordance are then of a micro-batch.

        Raises: OutOfMemory when not even the smallest micro-batch fits; whatever `passes` raises.
        """
        found = self._gradients(count, total, passes)
        if self.settings.sam:
            moved = ascend(self.model.parameters(), self.settings.sam)
            with untracked(self.model):
                self._gradients(count, total, passes)
            descend(moved)
        self._update()
        return found

    def _gradients(
        self, count: int, total: int, passes: Passes
    ) -> tuple[torch.Tensor, torch.Tensor]:
        state = self._moving()
        while True:
            self.optimiser.zero_grad(set_to_none=True)
            try:
                found = self._accumulated(count, total, passes)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                self._halve(count, error)
            else:
                self.ranks.add_gradients(self.model)
                return found
            # Dropout and statistics are as if this micro-batch had been asked for at once.
            self._put_back(state)

    def _moving(self) -> Moving:
        """What a forward pass changes: random states and the model's buffers."""
        gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
        buffers = [value.clone() for value in self.model.buffers()]
        return torch.get_rng_state(), gpus, buffers

    @torch.no_grad()
    def _put_back(self, state: Moving) -> None:
        host, gpus, buffers = state
        torch.set_rng_state(host)
        if gpus is not None:
            torch.cuda.set_rng_state_all(gpus)
        for value, old in zip(self.model.buffers(), buffers, strict=True):
            value.copy_(old)

    def _accumulated(
        self, count: int, total: int, passes: Passes
    ) -> tuple[torch.Tensor, torch.Tensor]:
        # As many parts in every process: they meet in each of them.
        largest, least = math.ceil(total / self.ranks.world), total // self.ranks.world
        wanted = math.ceil(largest / max(self.micro, SMALLEST))
        parts = np.array_split(np.arange(count), max(min(wanted, least // SMALLEST), 1))
        logits, losses = [], []
        for part in parts:
            outputs, each = passes(part)
            share = each.sum() / total
            (share if self.scaler is None else self.scaler.scale(share)).backward()
            logits.append(outputs.detach())
            losses.append(each.detach())
        return torch.cat(logits), torch.cat(losses)

    def _halve(self, count: int, error: RuntimeError) -> None:
        now = min(self.micro, count)
        if self.ranks.world > 1:
            raise OutOfMemory(
                f"{now} pictures at once do not fit into this process's memory "
                f"({str(error)[:80]}); set train.micro_batch to less"
            ) from None
        if now <= SMALLEST:
            raise OutOfMemory(
                f"not even {SMALLEST} pictures fit into memory at once ({str(error)[:80]}); lower "
                "train.size, or take a smaller model or another device"
            ) from None
        self.micro = max(math.ceil(now / 2), SMALLEST)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        line = f"out of memory with {now} pictures at once; going on with {self.micro}"
        print(line, file=sys.stderr, flush=True)

    def _update(self) -> None:
        if self.settings.clip:
            if self.scaler is not None:
                self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        if self.scaler is None:
            self.optimiser.step()
            return
        self.scaler.step(self.optimiser)
        self.scaler.update()


Moved = list[tuple[torch.Tensor, torch.Tensor]]


@torch.no_grad()
def ascend(parameters: Iterable[nn.Parameter], rho: float) -> Moved:
    """Moves the weights by `rho` along their gradient; returns them with what they were.

    Source: Foret et al., "Sharpness-aware minimization", ICLR 2021, equation 2.
    """
    learning = [value for value in parameters if value.grad is not None]
    gradients = [value.grad for value in learning if value.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    moved: Moved = [(value, value.detach().clone()) for value in learning]
    shift = rho / (norm + 1e-12)
    for value, gradient in zip(learning, gradients, strict=True):
        value.add_(gradient * shift)
    return moved


@torch.no_grad()
def descend(moved: Moved) -> None:
    """Puts the weights back where they were."""
    for value, old in moved:
        value.copy_(old)


class untracked:
    """Context in which normalisation statistics stay as they are: the second pass of a step."""

    def __init__(self, model: nn.Module) -> None:
        kind = nn.modules.batchnorm._BatchNorm
        self._norms = [layer for layer in model.modules() if isinstance(layer, kind)]
        self._momenta = [layer.momentum for layer in self._norms]

    def __enter__(self) -> None:
        for layer in self._norms:
            layer.momentum = 0.0

    def __exit__(self, *error: object) -> None:
        for layer, momentum in zip(self._norms, self._momenta, strict=True):
            layer.momentum = momentum
