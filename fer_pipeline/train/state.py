"""The last state of a training on disk: one safetensors file, numbers and history in its header.

One file is replaced whole by a rename, so tensors and history can never be of two epochs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from fer_pipeline.outputs import atomic


@dataclass
class State:
    """Everything that changes while training, but random states: these follow from the epoch.

    history   one mapping of numbers per finished epoch
    best      epoch of the best score so far, from 1; 0 before the first
    weights   of that epoch, as they will be published
    seconds   that the finished epochs took, before and after each kill
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best: int = 0
    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    seconds: float = 0.0


def save(
    path: Path,
    state: State,
    modules: Mapping[str, torch.nn.Module],
    optimiser: torch.optim.Optimizer,
    numbers: Mapping[str, Any],
) -> None:
    """Writes all of it to `path`, all or nothing; `numbers` are what else JSON can hold."""
    tensors = {f"best/{name}": value for name, value in state.weights.items()}
    for prefix, module in modules.items():
        tensors |= {f"{prefix}/{name}": value for name, value in module.state_dict().items()}
    steps: dict[str, Any] = {}
    for index, values in optimiser.state_dict()["state"].items():
        for key, value in values.items():
            if isinstance(value, torch.Tensor):
                tensors[f"optimiser/{index}/{key}"] = value
            elif value is not None:
                steps[f"{index}/{key}"] = value
    # Some of timm's count their steps in the groups.
    for index, group in enumerate(optimiser.param_groups):
        for key, value in group.items():
            if isinstance(value, torch.Tensor):
                tensors[f"groups/{index}/{key}"] = value
    header = {"history": state.history, "best": state.best, "seconds": state.seconds}
    header |= {"steps": steps, **numbers}
    flat = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with atomic(path) as part:
        save_file(flat, part, metadata={"state": json.dumps(header)})


def load(
    path: Path,
    modules: Mapping[str, torch.nn.Module],
    optimiser: torch.optim.Optimizer,
) -> tuple[State, dict[str, Any]]:
    """Puts a saved state back into modules and optimiser; returns the rest and the header."""
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["state"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for prefix, module in modules.items():
        module.load_state_dict(_below(tensors, f"{prefix}/"))
    _restore(optimiser, _below(tensors, "optimiser/"), header["steps"])
    for name, value in _below(tensors, "groups/").items():
        index, key = name.split("/")
        optimiser.param_groups[int(index)][key] = value
    state = State(header["history"], header["best"], _below(tensors, "best/"), header["seconds"])
    return state, header


def _below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _restore(
    optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor], steps: Mapping[str, Any]
) -> None:
    trained = [value for group in optimiser.param_groups for value in group["params"]]
    for name, saved in tensors.items():
        index, key = name.split("/")
        parameter = trained[int(index)]
        if saved.shape == parameter.shape:
            # Fused optimisers walk raw memory: the state must lie as its parameter does.
            saved = torch.empty_like(parameter, requires_grad=False).copy_(saved)
        # They count their steps on the parameter's device, too.
        optimiser.state[parameter][key] = saved.to(parameter.device)
    for name, value in steps.items():
        index, key = name.split("/")
        optimiser.state[trained[int(index)]][key] = value
