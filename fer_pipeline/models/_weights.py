"""Weights that a network starts from: a file of a checkpoint's or of a library's."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from fer_pipeline.errors import BadParams, MissingData

Tensors = Mapping[str, torch.Tensor]


def start(model: nn.Module, name: str, head: nn.Module, pretrained: bool | str) -> nn.Module:
    """`model`, from the file `pretrained` where one is named; for networks that no hub keeps.

    Raises: BadParams, MissingData.
    """
    if pretrained is True:
        raise BadParams(
            f"no hub keeps weights of {name}; set pretrained: false, or a file such as another "
            "run's weights.safetensors"
        )
    if isinstance(pretrained, str):
        tensors = read(Path(pretrained))
        if not fits(model, head, tensors):
            raise BadParams(f"{pretrained} {_misfit(model, head, tensors)}, so not of this {name}")
        take(model, head, tensors)
    return model


def read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file or of a state dict that torch saved; nothing is executed.

    Raises: MissingData, BadParams when it is neither.
    """
    from pickle import UnpicklingError

    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise MissingData(f"no weights at {path}; set pretrained: false or name a file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError) as error:
        why = str(error).splitlines()[0]
        raise BadParams(f"{path} holds no weights that can be read: {why}") from None
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(torch.is_tensor(v) for v in found.values()):
        raise BadParams(f"{path} holds no mapping of names to tensors")
    return found


def fits(model: nn.Module, head: nn.Module, tensors: Tensors) -> bool:
    """Whether the tensors are of this network, up to the classifier."""
    return _misfit(model, head, tensors) is None


def take(model: nn.Module, head: nn.Module, tensors: Tensors) -> None:
    """Copies tensors that fit into the model; a classifier of other classes stays as it is."""
    own, mine = model.state_dict(), _of_head(model, head)
    same = all(name in tensors and tensors[name].shape == own[name].shape for name in mine)
    chosen = {name: tensors[name] for name in own if name not in mine or same}
    model.load_state_dict(chosen, strict=False)


def _misfit(model: nn.Module, head: nn.Module, tensors: Tensors) -> str | None:
    mine = _of_head(model, head)
    for name, value in model.state_dict().items():
        if name in mine:
            continue
        if name not in tensors:
            return f"lacks {name}"
        if tensors[name].shape != value.shape:
            return f"has {name} of shape {tuple(tensors[name].shape)}, not {tuple(value.shape)}"
    return None


def _of_head(model: nn.Module, head: nn.Module) -> set[str]:
    prefix = next(name for name, layer in model.named_modules() if layer is head)
    return {f"{prefix}.{name}" for name in head.state_dict()}
