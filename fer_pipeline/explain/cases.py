"""Which predictions are shown and measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from fer_pipeline import manifest
from fer_pipeline.errors import MissingData
from fer_pipeline.predictions import PREDICTIONS, PROBABILITIES
from fer_pipeline.seeds import derive


@dataclass(frozen=True, slots=True)
class Case:
    """One prediction: FACES id (or sequence of a clip), truth, predicted class, its probability."""

    id: str
    emotion: str
    predicted: str
    probability: float

    @property
    def right(self) -> bool:
        """Whether the prediction is the truth."""
        return self.emotion == self.predicted


def read(path: Path, model: str, source: str) -> list[Case]:
    """The predictions of repeat 0 on the source's own test rows, in file order.

    Raises: MissingData when there are none, BadManifest.
    """
    columns = ["model", "source", "repeat", "target", "id", "emotion", "predicted", *PROBABILITIES]
    table = manifest.read(path, PREDICTIONS, columns)
    table = table.filter(
        (pc.field("model") == model)
        & (pc.field("source") == source)
        & (pc.field("target") == source)
        & (pc.field("repeat") == 0)
    )
    if not table.num_rows:
        raise MissingData(
            f"{path} has no prediction of {model}, trained on {source}, for {source}'s own test "
            "rows in repeat 0; run the evaluate stage again"
        )
    return [
        Case(row["id"], row["emotion"], row["predicted"], row[f"p_{row['predicted']}"])
        for row in table.to_pylist()
    ]


def shown(
    cases: Sequence[Case], classes: Sequence[str], per_class: int
) -> Mapping[tuple[str, bool], list[Case]]:
    """For each true emotion and right or wrong the `per_class` most confident cases, best first.

    Equal confidence is ordered by id.
    """
    ranked = sorted(cases, key=lambda case: (-case.probability, case.id))
    return {
        (emotion, right): [
            case for case in ranked if case.emotion == emotion and case.right == right
        ][:per_class]
        for emotion in classes
        for right in (True, False)
    }


def drawn(cases: Sequence[Case], count: int, seed: int) -> list[Case]:
    """`count` cases drawn at random without replacement, or all of them; same for the same seed."""
    return sorted(cases, key=lambda case: (derive(seed, case.id), case.id))[:count]
