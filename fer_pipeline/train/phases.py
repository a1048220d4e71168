"""Which layers learn in which epoch, and how fast: the modes of training."""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from fer_pipeline.train.params import TrainParams


@dataclass(frozen=True)
class Layer:
    """A leaf module with parameters of its own.

    depth   0 for the first layer with a weight matrix, 1 for the head, evenly between; layers
            without one (norms) share the depth of the one before
    """

    module: nn.Module
    depth: float


def layers(model: nn.Module, head: nn.Module) -> list[Layer]:
    """The layers in the order in which the model's file defines them."""
    last = {id(module) for module in head.modules()}
    found, position = [], -1
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if not own:
            continue
        if id(module) not in last and any(value.ndim > 1 for value in own):
            position += 1
        found.append((module, None if id(module) in last else max(position, 0)))
    count = max(position + 1, 1)
    return [Layer(module, 1.0 if place is None else place / count) for module, place in found]


def head_alone(settings: TrainParams, epoch: int) -> bool:
    """Whether only the head learns in `epoch`, from 1."""
    if settings.mode == "two_phase":
        return epoch <= _first_phase(settings)
    return settings.mode == "feature_extraction"


def since(settings: TrainParams, epoch: int) -> int:
    """First epoch of the phase that `epoch` belongs to, from 1."""
    later = settings.mode == "two_phase" and epoch > _first_phase(settings)
    return _first_phase(settings) + 1 if later else 1


def may_end(settings: TrainParams, epoch: int) -> bool:
    """Whether patience may end the training before `epoch`: not while a phase is to follow."""
    return settings.mode != "two_phase" or epoch > _first_phase(settings)


def _first_phase(settings: TrainParams) -> int:
    """Epochs of two_phase in which the head learns alone."""
    return max(1, round(settings.head_share * settings.epochs))


def factor(settings: TrainParams, epoch: int) -> float:
    """What the learning rate of `epoch` is multiplied by."""
    later = settings.mode == "two_phase" and not head_alone(settings, epoch)
    return settings.later_lr if later else 1.0


def scale(settings: TrainParams, layer: Layer) -> float:
    """A layer's share of the learning rate: geometric from `layer_decay` at the first to 1."""
    return float(settings.layer_decay ** (1 - layer.depth))


def freeze(settings: TrainParams, found: Iterable[Layer], epoch: int) -> list[nn.Module]:
    """Lets the layers that learn in `epoch` learn, and no others; returns these others.

    Those that normalise must do it as in evaluation: their statistics are frozen, too.
    """
    alone = head_alone(settings, epoch)
    still = []
    for layer in found:
        learns = layer.depth == 1 if alone else layer.depth >= 1 - settings.top
        for value in layer.module.parameters(recurse=False):
            value.requires_grad_(learns)
        if not learns:
            still.append(layer.module)
    return still


def settle(model: nn.Module) -> None:
    """Puts every block in which nothing learns into evaluation mode, its dropout with it.

    Of a model in training mode, after `freeze`. What lies between a frozen block and the head, such
    as dropout before it, goes on training.
    """
    for block in model.modules():
        values = list(block.parameters())
        if values and not any(value.requires_grad for value in values):
            block.eval()
