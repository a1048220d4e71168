"""Scores of the validation rows after an epoch."""

import math
from typing import Final

import numpy as np
import torch
from torch import nn

from fer_pipeline import metrics
from fer_pipeline.errors import Diverged

BATCH: Final = 256
"""Rows of one forward pass."""


def chunks(rows: int) -> int:
    """How many forward passes the rows take."""
    return math.ceil(rows / BATCH)


def scores(logits: torch.Tensor, truth: np.ndarray, epoch: int) -> dict[str, float]:
    """Loss and scores of (N, classes) float32 logits against (N,) class indices, after `epoch`.

    Raises: Diverged when the loss is not finite.
    """
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
    }
