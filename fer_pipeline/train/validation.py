"""Answers to the validation rows after an epoch, and their scores."""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from torch import nn

from fer_pipeline import dimensions, metrics
from fer_pipeline.errors import Diverged, OutOfMemory
from fer_pipeline.train.hardware import out_of_memory
from fer_pipeline.train.parallel import ALONE, Ranks

AGREEMENT: Final = ("rmse", "ccc", "pcc", "sagr")
"""What is told of a dimension, as `metrics.agreement` names it."""

BATCH: Final = 256
"""Rows of one forward pass, at most."""


def outputs(
    forward: Callable[[np.ndarray], torch.Tensor], rows: int, ranks: Ranks = ALONE
) -> torch.Tensor:
    """(rows, K) float32 on the CPU, of `forward` of a few rows at a time, (n,) -> (n, K).

    Each process answers its share. Where memory does not suffice it goes on with half as many rows
    at once.

    Raises: OutOfMemory when not even one fits.
    """
    found: torch.Tensor | None = None
    most = BATCH
    chunks = np.array_split(np.arange(rows), math.ceil(rows / BATCH))
    for number, chunk in enumerate(chunks):
        mine = number % ranks.world == ranks.rank
        if not mine and found is not None:
            continue
        told, most = _fitting(forward, chunk, most)
        if found is None:
            found = told.new_zeros(rows, told.shape[1])
        if mine:
            found[torch.from_numpy(chunk)] = told
    assert found is not None, "whoever asks has seen to it that there is a row"
    return ranks.add(found).cpu()


def _fitting(
    forward: Callable[[np.ndarray], torch.Tensor], chunk: np.ndarray, most: int
) -> tuple[torch.Tensor, int]:
    """The chunk's outputs, and how many rows at once memory has suffered."""
    while True:
        parts = np.array_split(chunk, math.ceil(len(chunk) / most))
        try:
            return torch.cat([forward(part).float() for part in parts]), most
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            most = _halved(len(parts[0]), error)
        # Outside of the handler, whose traceback keeps what the failed pass has made.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _halved(now: int, error: RuntimeError) -> int:
    if now == 1:
        raise OutOfMemory(
            f"not even one picture fits into memory ({str(error)[:80]}); lower train.size, or take "
            "a smaller model or another device"
        ) from None
    line = f"out of memory with {now} pictures to validate; going on with {math.ceil(now / 2)}"
    print(line, file=sys.stderr, flush=True)
    return math.ceil(now / 2)


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
        found |= {f"val_{score}_{name}": float(told[score][0]) for score in AGREEMENT}
    return found
