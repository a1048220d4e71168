"""The page's figures: training curves, confusion matrices and ROC curves of runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from fer_pipeline.emotions import EMOTIONS, in_order
from fer_pipeline.report.charts import (
    SHARE,
    SQUARE,
    Axis,
    Line,
    epochs,
    fitted,
    line_chart,
    thinned,
)
from fer_pipeline.report.study import Run

POINTS = 60
"""Points kept of a ROC curve."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows are the truth: (emotion, test rows, share of each predicted class)."""

    classes: Sequence[str]
    rows: Sequence[tuple[str, int, Sequence[float]]]


def curves(run: Run) -> list[str]:
    """Charts of accuracy and loss over epochs, a line per repeat, training dashed."""
    if not run.curves:
        return []
    across = epochs(max(int(row["epoch"]) for row in run.curves))
    charts = []
    for name, percent in (("accuracy", True), ("loss", False)):
        train, val = _lines(run, f"train_{name}", "train"), _lines(run, f"val_{name}", "val")
        every = [value for line in [*train, *val] for value in line.ys]
        down = SHARE if percent else fitted(every)
        last = [line.ys[-1] for line in val]
        alt = (
            f"{name} of {run.model} on {run.source} over epochs; validation ends at "
            f"{_number(sum(last) / len(last), down)}"
        )
        charts.append(line_chart(name, alt, train + val, across, down))
    return charts


def roc(run: Run) -> str:
    """One chart of a run on its own test set, a line per emotion, colours as in `key`."""
    lines = [Line((0, 1), (0, 1), "chance")]
    for emotion in in_order(frozenset(row["emotion"] for row in run.roc)):
        rows = [row for row in run.roc if row["emotion"] == emotion]
        xs, ys = thinned([float(r["fpr"]) for r in rows], [float(r["tpr"]) for r in rows], POINTS)
        lines.append(Line(xs, ys, colour(emotion)))
    alt = f"ROC curves of {run.model} on {run.source}, one per emotion"
    return line_chart(run.model, alt, lines, SHARE, SHARE, SQUARE)


def colour(emotion: str) -> str:
    """The CSS class of an emotion's colour, the same in every chart."""
    return f"c{EMOTIONS.index(emotion)}"


def confusion(run: Run) -> Confusion:
    """The matrix of a run on its own test set, all repeats together."""
    classes = in_order(frozenset(row["actual"] for row in run.confusion))
    shares = {(row["actual"], row["predicted"]): float(row["share"]) for row in run.confusion}
    counts = {(row["actual"], row["predicted"]): int(row["count"]) for row in run.confusion}
    rows = [
        (
            actual,
            sum(counts[actual, predicted] for predicted in classes),
            [shares[actual, predicted] for predicted in classes],
        )
        for actual in classes
    ]
    return Confusion(classes, rows)


def _lines(run: Run, column: str, style: str) -> list[Line]:
    repeats = list(dict.fromkeys(row["repeat"] for row in run.curves))
    lines = []
    for repeat in repeats:
        rows = [row for row in run.curves if row["repeat"] == repeat and row[column] != ""]
        if rows:
            xs = [float(row["epoch"]) for row in rows]
            lines.append(Line(xs, [float(row[column]) for row in rows], style))
    return lines


def _number(value: float, axis: Axis) -> str:
    return f"{value:.0%}" if axis.percent else f"{value:.2f}"
