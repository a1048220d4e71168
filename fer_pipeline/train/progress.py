"""What a training tells as it goes, and whom."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Done:
    """One step: its mean loss, rows predicted right, rows, and learning rate."""

    loss: float
    right: int
    rows: int
    lr: float


class Progress(Protocol):
    """Who is told how the training goes."""

    def step(self, epoch: int, loss: float) -> None:
        """After each step."""

    def epoch(self, history: list[dict[str, float]]) -> None:
        """After each epoch, and once when a training resumes."""
