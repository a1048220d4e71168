"""Learning rate and stopping as plain functions of the step and of the scores so far.

Nothing here keeps state, so a resumed training needs none of it back.
"""

import math
from collections.abc import Sequence
from typing import Final

from fer_pipeline.train.params import TrainParams

START: Final = 25.0
"""one_cycle starts at lr / START."""

END: Final = 1e4
"""and ends at lr / START / END. Source: both torch.optim.lr_scheduler.OneCycleLR's."""


def rate(settings: TrainParams, step: int, per_epoch: int, scores: Sequence[float]) -> float:
    """Learning rate of `step` (from 0); `scores` of the epochs before it, for plateau."""
    total = settings.epochs * per_epoch
    if settings.schedule == "one_cycle":
        return one_cycle(settings.lr, settings.warmup, step, total)
    rising = settings.warmup_epochs * per_epoch
    if step + 1 < rising:
        return settings.lr * (step + 1) / rising
    if settings.schedule == "plateau":
        return settings.lr * settings.plateau_factor ** falls(scores, settings.plateau_patience)
    if settings.schedule == "cosine":
        return settings.lr * (1 + math.cos(math.pi * step / total)) / 2
    return settings.lr


def one_cycle(lr: float, warmup: float, step: int, total: int) -> float:
    """Cosine from lr / 25 up to lr over the share `warmup` of the steps, then down to near 0.

    Source: Smith & Topin, "Super-convergence", 2017, as torch's OneCycleLR anneals it.
    """
    peak, last = max(warmup * total - 1, 0.0), total - 1
    low = lr / START
    if step < peak:
        return _between(low, lr, step / peak)
    return _between(lr, low / END, (step - peak) / max(last - peak, 1))


def falls(scores: Sequence[float], patience: int) -> int:
    """How often the rate has fallen: each time more than `patience` epochs brought no new best."""
    best, bad, count = -math.inf, 0, 0
    for score in scores:
        best, bad = (score, 0) if score > best else (best, bad + 1)
        if bad > patience:
            bad, count = 0, count + 1
    return count


def exhausted(scores: Sequence[float], patience: int) -> bool:
    """Whether the last `patience` epochs brought no new best score; never with patience 0."""
    if patience == 0 or len(scores) <= patience:
        return False
    return max(scores[-patience:]) <= max(scores[:-patience])


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
