"""Scores of the validation rows after an epoch."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import nn

from fer_pipeline import dimensions, metrics
from fer_pipeline.errors import Diverged

BATCH: Final = 256
"""Rows of one forward pass."""


def chunks(rows: int) -> int:
    """How many forward passes the rows take."""
    return math.ceil(rows / BATCH)


def scores(
    outputs: torch.Tensor,
    truth: np.ndarray,
    epoch: int,
    names: Sequence[str] = (),
    ratings: np.ndarray | None = None,
) -> dict[str, float]:
    """Loss and scores of (N, K + D) float32 outputs against (N,) class indices, after `epoch`.

    names: the D dimensions, whose rmse, ccc and the like are told against `ratings` (N, D).

    Raises: Diverged when the loss is not finite.
    """
    logits, values = dimensions.split(outputs, names)
    predicted, classes = logits.argmax(dim=1).numpy(), logits.shape[1]
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(truth)).item()
    if not math.isfinite(loss):
        raise Diverged(
            f"the validation loss is not finite after epoch {epoch}; lower train.lr or set "
            "train.precision: float32"
        )
    return {
        "val_loss": loss,
        "val_accuracy": metrics.accuracy(truth, predicted),
        "val_macro_f1": metrics.macro_f1(truth, predicted, classes),
        "val_mean_class_accuracy": metrics.mean_class_accuracy(truth, predicted, classes),
        **_agreement(values, names, ratings),
    }


def _agreement(
    values: torch.Tensor | None, names: Sequence[str], ratings: np.ndarray | None
) -> dict[str, float]:
    found: dict[str, float] = {}
    if values is None or ratings is None:
        return found
    for name, expected, rated in zip(names, values.numpy().T, ratings.T, strict=True):
        known = ~np.isnan(rated)
        told = metrics.agreement(expected[known], rated[known], np.ones((1, int(known.sum()))))
        found |= {f"val_{score}_{name}": float(told[score][0]) for score in ("rmse", "ccc", "pcc")}
    return found
