"""Optimisers by name, torch's own and timm's, with weight decay on weights only."""

import functools
from collections.abc import Sequence
from typing import Any

import torch

from fer_pipeline.errors import BadParams, nearest
from fer_pipeline.train import hardware, phases
from fer_pipeline.train.params import TrainParams

OWN = ("sgd", "adam", "adamw")
"""torch's fused ones, fastest; every other name is looked up in timm's list."""


def build(settings: TrainParams, layers: Sequence[phases.Layer]) -> torch.optim.Optimizer:
    """The optimiser over the layers' parameters; biases and norms are not decayed.

    Each of its groups has a `scale`, by which the learning rate of the step is multiplied.

    Raises: BadParams for a name that neither torch nor timm knows.
    """
    groups = _groups(settings, layers)
    if settings.optimiser == "sgd":
        nesterov = settings.momentum > 0
        return torch.optim.SGD(
            groups, settings.lr, momentum=settings.momentum, nesterov=nesterov, fused=True
        )
    if settings.optimiser in OWN:
        kind = torch.optim.Adam if settings.optimiser == "adam" else torch.optim.AdamW
        return kind(groups, settings.lr, fused=True)
    return _timm(settings, groups)


def _timm(settings: TrainParams, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    from timm.optim import create_optimizer_v2, list_optimizers

    known = [*OWN, *map(str, list_optimizers(exclude_filters=["bnb*", "fused*"]))]
    if settings.optimiser not in known:
        hint = nearest(settings.optimiser, known)
        raise BadParams(
            f"train.optimiser = '{settings.optimiser}' is known neither to torch nor to timm; "
            f"{hint}known: {', '.join(known)}"
        )
    _muon_without_emulation()
    return create_optimizer_v2(
        groups,
        opt=settings.optimiser,
        lr=settings.lr,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )


@functools.cache
def _muon_without_emulation() -> None:
    """timm's Muon orthogonalises in bf16 and takes no other type. A CPU without bf16 emulates it,
    50 times slower than float32, which is used there instead.
    """
    from timm.optim import muon

    original = muon.zeropower_via_newtonschulz

    def orthogonal(gradient: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        if gradient.device.type == "cpu" and not hardware.cpu_has_bf16():
            options["dtype"] = torch.float32
        return original(gradient, *args, **options)

    muon.zeropower_via_newtonschulz = orthogonal  # type: ignore[assignment]


def _groups(settings: TrainParams, layers: Sequence[phases.Layer]) -> list[dict[str, Any]]:
    # The head stands alone: layers that begin to learn later may not share a group with those that
    # already have a momentum.
    sorted_by: dict[tuple[float, bool, bool], list[torch.nn.Parameter]] = {}
    for layer in layers:
        for value in layer.module.parameters(recurse=False):
            key = (phases.scale(settings, layer), value.ndim > 1, layer.depth == 1)
            sorted_by.setdefault(key, []).append(value)
    return [
        {
            "params": values,
            "scale": scale,
            "weight_decay": settings.weight_decay if decayed else 0.0,
        }
        for (scale, decayed, _), values in sorted_by.items()
    ]
