"""Trained models on disk: `weights.safetensors` and `checkpoint.json`, no pickle."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from fer_pipeline.errors import MissingData
from fer_pipeline.images import Input
from fer_pipeline.outputs import atomic, write_json

WEIGHTS: Final = "weights.safetensors"
CARD: Final = "checkpoint.json"


@dataclass(frozen=True)
class Card:
    """All that is needed to use the weights without guessing.

    name      of the run in tables: the model's own, or that of a transfer
    classes   emotions in the order of the network's outputs
    dimensions    what the outputs after those of the classes answer, see `dimensions.split`
    input     the input contract
    params    the resolved train section
    data      hash over the rows trained and validated on
    code      digest of the code that decided the result (the train room, the model's file, ...)
    epoch     of the weights, from 1; score: their validation score, named by params
    start     the card of the checkpoint that training started from, where it was a run's
    """

    name: str
    model: str
    source: str
    repeat: int
    classes: tuple[str, ...]
    input: Input
    params: dict[str, Any]
    data: str
    code: str
    epoch: int
    score: float
    start: "Card | None" = None
    dimensions: tuple[str, ...] = ()

    def lineage(self) -> "list[Card]":
        """This card and those that its weights come from, latest first."""
        return [self, *(self.start.lineage() if self.start else [])]


def save(folder: Path, model: Any, card: Card) -> None:
    """Writes the torch module's weights (float32, contiguous) and its card; all or nothing."""
    from safetensors.torch import save_file

    weights = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    with atomic(folder) as part:
        part.mkdir()
        save_file(weights, part / WEIGHTS)
        write_json(part / CARD, asdict(card))


def read_card(folder: Path) -> Card:
    """The card of a checkpoint folder.

    Raises: MissingData.
    """
    path = folder / CARD
    if not path.is_file():
        raise MissingData(f"no checkpoint at {folder}; the train stage makes it")
    return _card(json.loads(path.read_text(encoding="utf-8")))


def _card(values: dict[str, Any]) -> Card:
    contract = values.pop("input")
    contract["mean"], contract["std"] = tuple(contract["mean"]), tuple(contract["std"])
    start = values.pop("start")
    for name in ("classes", "dimensions"):
        values[name] = tuple(values[name])
    return Card(**values, input=Input(**contract), start=_card(start) if start else None)


def load(folder: Path, device: str = "cpu") -> tuple[Any, Card]:
    """The torch module in evaluation mode on `device`, and its card.

    Raises: MissingData, UnknownName when the model's file is gone.
    """
    from safetensors.torch import load_file

    from fer_pipeline import architectures

    card = read_card(folder)
    options = card.params.get("options", {})
    outputs = len(card.classes) + len(card.dimensions)
    model = architectures.build(card.model, outputs, card.input.size, options)
    model.load_state_dict(load_file(folder / WEIGHTS, device=device))
    return model.to(device).eval(), card
