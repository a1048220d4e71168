"""Plots of a run on its own test set: tables for DVC, a picture for people."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from fer_pipeline import metrics
from fer_pipeline.evaluate.evaluation import Tested

POINTS = 200
"""At most so many points of a ROC curve are kept; the eye sees no more."""


def write(folder: Path, tested: Tested, title: str) -> None:
    """confusion.csv, roc.csv and confusion.png from the rows of one target, all repeats pooled."""
    folder.mkdir(parents=True, exist_ok=True)
    table, classes = tested.rows, tested.classes
    place = {name: number for number, name in enumerate(classes)}
    truth = np.array([place[name] for name in table["emotion"].to_pylist()], int)
    predicted = np.array([place[name] for name in table["predicted"].to_pylist()], int)
    counts = metrics.confusion(truth, predicted, len(classes))
    total = counts.sum(axis=1, keepdims=True)
    shares = counts / np.where(total > 0, total, 1)
    _write_csv(
        folder / "confusion.csv",
        ("actual", "predicted", "share", "count"),
        [
            (actual, guess, round(float(shares[i, j]), 4), int(counts[i, j]))
            for i, actual in enumerate(classes)
            for j, guess in enumerate(classes)
        ],
    )
    _write_csv(folder / "roc.csv", ("emotion", "fpr", "tpr"), _curves(table, truth, classes))
    _draw(folder / "confusion.png", counts, shares, classes, title)


def _curves(
    table: pa.Table, truth: np.ndarray, classes: Sequence[str]
) -> list[tuple[str, float, float]]:
    rows = []
    for number, emotion in enumerate(classes):
        positive = truth == number
        if not positive.any() or positive.all():
            continue
        fpr, tpr = metrics.roc_curve(positive, table[f"p_{emotion}"].to_numpy())
        if len(fpr) > POINTS:
            kept = np.unique(np.linspace(0, len(fpr) - 1, POINTS).round().astype(int))
            fpr, tpr = fpr[kept], tpr[kept]
        points = zip(fpr.round(5).tolist(), tpr.round(5).tolist(), strict=True)
        rows += [(emotion, x, y) for x, y in points]
    return rows


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _draw(
    path: Path, counts: np.ndarray, shares: np.ndarray, classes: Sequence[str], title: str
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = len(classes)
    figure = Figure(figsize=(1.6 + 0.72 * size, 1.3 + 0.66 * size), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i in range(size):
        for j in range(size):
            colour = "white" if shares[i, j] > 0.55 else "#1f2933"
            axes.text(j, i - 0.1, f"{100 * shares[i, j]:.0f}", ha="center", va="center",
                      color=colour, fontsize=10)  # fmt: skip
            axes.text(j, i + 0.27, str(counts[i, j]), ha="center", va="center",
                      color=colour, fontsize=6.5, alpha=0.8)  # fmt: skip
    axes.set_xticks(range(size), classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(size), classes)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    axes.set_title(title, fontsize=10.5, loc="left")
    bar = figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02, format=lambda v, _: f"{v:.0%}")
    bar.outline.set_visible(False)
    bar.ax.set_ylabel("share of the actual class (%, with counts below)", fontsize=8)
    figure.savefig(path, metadata={"Software": None})
