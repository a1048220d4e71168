"""The trained runs under test: every repeat of one model on one source."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_pipeline import checkpoints
from fer_pipeline.checkpoints import Card
from fer_pipeline.errors import BadManifest, BadParams, MissingData
from fer_pipeline.outputs import digest


@dataclass(frozen=True)
class Run:
    """One repeat: its torch module in evaluation mode, its card, the digest of its weights."""

    repeat: int
    model: Any
    card: Card
    weights: str


def resolve(device: str) -> str:
    """The torch device that `auto` stands for: a GPU where there is one, else the CPU.

    Raises: BadParams for a device that is not there.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise BadParams(
            f"evaluate.device = {device!r} is no device; use auto, cpu or cuda"
        ) from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise BadParams(f"evaluate.device = {device!r}, but torch finds no CUDA device; use auto")
    return device


def load(folder: Path, model: str, source: str, device: str) -> list[Run]:
    """All repeats below `folder`, in order.

    Raises: MissingData without a checkpoint, BadManifest when the repeats contradict each other.
    """
    import torch

    numbers = sorted(int(part.name) for part in folder.glob("*") if part.name.isdigit())
    if not numbers:
        raise MissingData(f"no checkpoint below {folder}; the train stage makes them")
    runs = []
    for repeat in numbers:
        place = folder / str(repeat)
        module, card = checkpoints.load(place, device)
        if (card.name, card.source, card.repeat) != (model, source, repeat):
            raise BadManifest(
                f"{place} holds {card.name} on {card.source}, repeat {card.repeat}, not {model} "
                f"on {source}, repeat {repeat}; delete {folder} and train again"
            )
        # Pictures come with their channels last; weights that lie alike are a quarter faster.
        module.to(memory_format=torch.channels_last)
        runs.append(Run(repeat, module, card, digest(place / checkpoints.WEIGHTS)))
    first = runs[0].card
    for run in runs[1:]:
        if (run.card.classes, run.card.input) != (first.classes, first.input):
            raise BadManifest(
                f"{folder}: repeats {first.repeat} and {run.repeat} differ in classes or input; "
                "delete the folder and train again"
            )
    return runs
