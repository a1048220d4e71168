"""Pictures and tables of the comparisons."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fer_pipeline.compare import diagram

COLUMNS: Final = (
    "source", "target", "a", "b", "difference", "low", "high", "p_holm", "mcnemar_on",
)  # fmt: skip
"""p_holm: of McNemar's test on the repeats `mcnemar_on`; the difference is over all repeats."""

COLOURS: Final = ("#2563a8", "#c2571a", "#2f855a", "#8b3fa0", "#b7791f", "#4a5568")
ENDS: Final = ("low", "high")
MOST: Final = len(COLOURS)
"""Pairs per target in one panel; with more, a panel shows only the source's own test set."""


def write(folder: Path, results: Mapping[str, Any]) -> None:
    """differences.csv, differences.png where there is a pair, and critical_difference.png where
    there are enough own test sets.
    """
    pairs, confidence = results["pairs"], results["confidence"]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "differences.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for pair in pairs:
            test = pair["mcnemar"][0]
            values = [pair[name] for name in COLUMNS[4:7]]
            shown = ["" if value is None else f"{value:.5f}" for value in values]
            known = f"{test['p_holm']:.4g}" if "p_holm" in test else ""
            places = [pair[name] for name in COLUMNS[:4]]
            writer.writerow([*places, *shown, known, test["on"]])
    if pairs:
        _draw(folder / "differences.png", pairs, confidence)
    diagram.write(folder / "critical_difference.png", results["many"], confidence)


def _draw(path: Path, pairs: Sequence[dict[str, Any]], confidence: float) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sources = list(dict.fromkeys(pair["source"] for pair in pairs))
    panels = [_panel([pair for pair in pairs if pair["source"] == name]) for name in sources]
    heights = [0.5 + sum(0.15 * len(group) + 0.12 for _, group in panel) for panel in panels]
    figure = Figure(figsize=(8.4, sum(heights) + 0.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights, sharex=True)[:, 0]
    for axis, source, panel in zip(axes, sources, panels, strict=True):
        _forest(axis, source, panel)
    axes[-1].set_xlabel(
        f"difference of accuracies, percentage points; {confidence:.0%} bootstrap interval, "
        "filled where it leaves out 0"
    )
    figure.savefig(path, metadata={"Software": None})


Panel = list[tuple[str, list[dict[str, Any]]]]


def _panel(pairs: Sequence[dict[str, Any]]) -> Panel:
    """Targets with their pairs, the source's own first."""
    source = pairs[0]["source"]
    targets = dict.fromkeys(pair["target"] for pair in pairs)
    order = sorted(targets, key=lambda name: name != source)
    panel = [(name, [pair for pair in pairs if pair["target"] == name]) for name in order]
    return panel[:1] if max(len(group) for _, group in panel) > MOST else panel


def _forest(axis: Any, source: str, panel: Panel) -> None:
    names = list(dict.fromkeys((pair["a"], pair["b"]) for _, group in panel for pair in group))
    y, ticks, labels, named = 0.0, [], [], set()
    for target, group in panel:
        start = y
        for pair in group:
            place = names.index((pair["a"], pair["b"]))
            ends = [pair["difference"] if pair[key] is None else pair[key] for key in ENDS]
            value, low, high = (100 * end for end in (pair["difference"], *ends))
            sure = pair["low"] is not None and (low > 0 or high < 0)
            colour = COLOURS[place % MOST]
            label = None if place in named else f"{pair['a']} − {pair['b']}"
            named.add(place)
            axis.plot([low, high], [y, y], color=colour, linewidth=1.8, solid_capstyle="butt")
            axis.plot(value, y, "o", color=colour, markersize=5.5, label=label,
                      markerfacecolor=colour if sure else "white")  # fmt: skip
            y += 0.2
        ticks.append((start + y - 0.2) / 2)
        labels.append(f"{target} (own)" if target == source else target)
        y += 0.18
    axis.axvline(0, color="#6b7280", linewidth=0.9, zorder=0)
    axis.set_yticks(ticks, labels)
    axis.set_ylim(y - 0.18, -0.2)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color="#e5e7eb", linewidth=0.7)
    axis.set_axisbelow(True)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.set_title(f"trained on {source}", loc="left", fontsize=10.5)
    axis.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
