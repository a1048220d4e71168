"""The critical-difference diagram: mean ranks of models, and which of them are not told apart."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_pipeline.compare.many import FEW_BLOCKS

MODELS: Final = 3
"""Friedman's test, which Nemenyi's follows, needs so many."""


def possible(blocks: int, models: int) -> dict[str, Any]:
    """Whether the diagram is `drawn`, or `why` not."""
    if blocks >= FEW_BLOCKS and models >= MODELS:
        return {"drawn": True}
    return {
        "drawn": False,
        "why": f"a critical-difference diagram needs {MODELS} models and {FEW_BLOCKS} own test "
        f"sets, and there are {models} and {blocks}",
    }


def write(path: Path, entries: Sequence[Mapping[str, Any]], confidence: float) -> bool:
    """One diagram per entry of `many` that allows one, below each other; False without any.

    Source: Demsar 2006, "Statistical comparisons of classifiers over multiple data sets", fig. 1.
    """
    drawn = [
        entry
        for entry in entries
        if entry.get("diagram", {}).get("drawn") and "pairs" in entry["nemenyi"]
    ]
    if not drawn:
        return False
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    heights = [1.2 + 0.3 * len(entry["models"]) for entry in drawn]
    figure = Figure(figsize=(8.4, sum(heights)), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(drawn), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, entry in zip(axes, drawn, strict=True):
        _draw(axis, entry, confidence)
    figure.savefig(path, metadata={"Software": None})
    return True


def _draw(axis: Any, entry: Mapping[str, Any], confidence: float) -> None:
    import pandas as pd
    import scikit_posthocs

    models = list(entry["models"])
    p = np.eye(len(models))
    for pair in entry["nemenyi"]["pairs"]:
        i, j = models.index(pair["a"]), models.index(pair["b"])
        p[i, j] = p[j, i] = pair["p"]
    scikit_posthocs.critical_difference_diagram(
        pd.Series({name: entry["ranks"][name] for name in models}),
        pd.DataFrame(p, index=models, columns=models),
        alpha=1 - confidence,
        ax=axis,
        label_fmt_left="{label} ({rank:.2f}) ",
        label_fmt_right=" ({rank:.2f}) {label}",
        label_props={"fontsize": 10},
        elbow_props={"color": "#374151", "linewidth": 1.1},
        marker_props={"color": "#2563a8", "s": 26, "zorder": 3},
        crossbar_props={"color": "#c2571a", "linewidth": 3.2, "solid_capstyle": "butt"},
    )
    axis.set_title(
        f"mean rank over {entry['blocks']} own test sets, 1 is best; a bar joins models that "
        "Nemenyi's test does not tell apart",
        loc="left", fontsize=10, pad=40,
    )  # fmt: skip
    axis.set_xticks(range(1, len(models) + 1))
    axis.set_xlim(0.95, len(models) + 0.05)
    _ruler(axis, entry["nemenyi"]["critical_difference"])


def _ruler(axis: Any, length: float) -> None:
    """The critical difference as a line above the ranks' own labels."""
    from matplotlib.transforms import ScaledTranslation

    above = ScaledTranslation(0, 28 / 72, axis.figure.dpi_scale_trans)
    place = axis.get_xaxis_transform() + above
    axis.plot([1, 1 + length], [1, 1], "|-", color="#1f2933", transform=place, clip_on=False)
    text = f"  critical difference {length:.2f}"
    axis.text(1 + length, 1, text, transform=place, va="center", fontsize=9)
