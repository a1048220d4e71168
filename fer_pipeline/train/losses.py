"""Targets as distributions over the classes, class weights, and the loss of a batch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fer_pipeline import votes
from fer_pipeline.emotions import EMOTIONS

if TYPE_CHECKING:
    import torch


def one_hot(truth: np.ndarray, classes: int) -> np.ndarray:
    """(N, classes) float32 of (N,) class indices; a row of zeros for -1."""
    targets = np.zeros((len(truth), classes), dtype=np.float32)
    known = np.flatnonzero(truth >= 0)
    targets[known, truth[known]] = 1
    return targets


def voted(counts: np.ndarray, classes: Sequence[str], labels: str) -> np.ndarray:
    """(N, classes) float32 from (N, 10) votes in the order of `votes.NAMES`, by the rule `labels`.

    Shares are taken over the classes in use: each row sums to 1, or to 0 where the rule finds the
    votes too scattered, or nothing is left.
    """
    rule = {"probability": votes.probability, "multi_target": votes.multi_target}[labels]
    found = (None if np.isnan(row).any() else rule(row) for row in counts)
    none = np.zeros(len(EMOTIONS), dtype=np.float32)
    shares = np.array([none if row is None else row for row in found])
    shares = shares[:, [EMOTIONS.index(emotion) for emotion in classes]]
    total = shares.sum(axis=1, keepdims=True)
    return np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)


def class_weights(targets: np.ndarray, kind: str, beta: float) -> np.ndarray:
    """(classes,) float32 loss weights whose mean over the rows of `targets` is 1.

    inverse: 1 / n_c; effective: (1 - beta) / (1 - beta ** n_c); none: all 1. A class that never
    occurs weighs nothing.

    Source: Cui et al., "Class-balanced loss based on effective number of samples", CVPR 2019.
    """
    counts = targets.sum(axis=0, dtype=np.float64)
    if kind == "none":
        return np.ones(len(counts), dtype=np.float32)
    there = counts > 0
    effective = counts if kind == "inverse" else (1 - beta**counts) / (1 - beta)
    weights = np.divide(1.0, effective, out=np.zeros_like(counts), where=there)
    weights *= counts.sum() / (weights * counts).sum()
    return weights.astype(np.float32)


def losses(
    logits: "torch.Tensor",
    targets: "torch.Tensor",
    weights: "torch.Tensor",
    smoothing: float,
    kind: str = "cross_entropy",
    gamma: float = 2.0,
) -> "torch.Tensor":
    """Loss of each row, (N,) float32, against target distributions (N, classes).

    Smoothing mixes the uniform distribution in, then each class counts by its weight. focal: each
    class's part times (1 - its probability) ** gamma. kl: the cross-entropy less what the targets'
    own entropy makes of it, so that 0 is perfect.

    Source: Lin et al., "Focal loss for dense object detection", ICCV 2017, equation 5.
    """
    import torch

    smooth = targets * (1 - smoothing) + smoothing / targets.shape[1]
    scores = torch.log_softmax(logits.float(), dim=1)
    parts = smooth * weights * scores
    if kind == "focal":
        parts = parts * (1 - scores.exp()).clamp(min=0) ** gamma
    if kind == "kl":
        parts = parts - weights * torch.xlogy(smooth, smooth)
    return -parts.sum(dim=1)


def multi_target_losses(
    logits: "torch.Tensor", targets: "torch.Tensor", weights: "torch.Tensor", smoothing: float
) -> "torch.Tensor":
    """Loss of the likeliest accepted class of each row, (N,) float32; targets > 0 are accepted.

    Source: Barsoum et al., "Training deep networks for facial expression recognition with
    crowd-sourced label distribution", ICMI 2016, section 3.2 (multi-label learning).
    """
    import torch

    scores = torch.log_softmax(logits.float(), dim=1)
    best = scores.masked_fill(targets <= 0, -torch.inf).argmax(dim=1, keepdim=True)
    chosen = torch.zeros_like(targets).scatter_(1, best, 1.0)
    return losses(logits, chosen, weights, smoothing)


def discordance(values: "torch.Tensor", ratings: "torch.Tensor") -> "torch.Tensor":
    """1 - Lin's concordance of a batch's values (N, D) with its ratings (N, D), mean over D; 0-d.

    NaN: without a rating. A dimension with fewer than two rated rows, or whose ratings and values
    are all one number, says nothing and adds 0.

    Source: Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics
    45(1), 1989; as a loss: Kossaifi et al., "SEWA DB", TPAMI 43(3), 2021.
    """
    import torch

    found = values.new_zeros(())
    for value, rated in zip(values.float().unbind(1), ratings.unbind(1), strict=True):
        known = ~torch.isnan(rated)
        x, y = value[known], rated[known]
        # Nothing differs: neither agreement nor its lack can be told.
        if len(x) < 2 or bool((torch.cat([x, y]) == x[0]).all()):
            continue
        gap = x.mean() - y.mean()
        spread = x.var(correction=0) + y.var(correction=0) + gap**2
        covariance = ((x - x.mean()) * (y - y.mean())).mean()
        found = found + 1 - 2 * covariance / spread.clamp(min=1e-8)
    return found / values.shape[1]
