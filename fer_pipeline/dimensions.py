"""Dimensions of affect beside the classes, and how a network's outputs hold both."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch

DIMENSIONS: Final = ("valence", "arousal", "intensity")
"""What rows may be rated on: valence and arousal in [-1, 1], intensity of the expression in [0, 1].

Source: Russell, "A circumplex model of affect", J. Personality and Social Psychology 39(6), 1980.
"""

SIGNED: Final = ("valence", "arousal")
"""Those that have a sign."""


def split(
    outputs: "torch.Tensor", names: Sequence[str]
) -> tuple["torch.Tensor", "torch.Tensor | None"]:
    """Logits (N, K) and values (N, D) in the range of each named dimension; None without names.

    outputs: (N, K + D), the dimensions last, in the order of `names`: tanh brings one that has a
    sign into its range, the logistic function one that has none.
    """
    if not names:
        return outputs, None
    import torch

    raw = outputs[:, -len(names) :].float()
    values = [
        raw[:, place].tanh() if name in SIGNED else raw[:, place].sigmoid()
        for place, name in enumerate(names)
    ]
    return outputs[:, : -len(names)], torch.stack(values, dim=1)
