"""Pictures of a study: its history, what mattered, and its trials in parallel coordinates.

Optuna has all three, but with titles that overlap, and grid lines over what they show.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from fer_pipeline.outputs import atomic
from fer_pipeline.tune import results
from fer_pipeline.tune.study import ended

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE: Final = "#2f6f9f"
GRAY: Final = "#9a9a9a"
COLOURS: Final = "viridis"
TICKS: Final = 5
"""Values written beside each axis of the parallel coordinates."""


def write(folder: Path, study: Study, title: str, score: str) -> None:
    """trials.csv, history.png, importance.png and parallel.png."""
    folder.mkdir(parents=True, exist_ok=True)
    results.write_trials(folder / "trials.csv", study)
    label = f"validation {score.replace('_', ' ')}"
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    _picture(folder / "history.png", (8, 4.5), f"{title}: {_counted(len(ended(study)))}",
             lambda axes: _history(axes, study, label))  # fmt: skip
    _picture(folder / "importance.png", (8, 4), f"{title}: what sets the best apart",
             lambda axes: _importance(axes, results.importance(study)))  # fmt: skip
    _picture(folder / "parallel.png", (11, 5), f"{title}: {_counted(len(complete))} to the end",
             lambda axes: _parallel(axes, complete, label))  # fmt: skip


def _picture(path: Path, size: tuple[float, float], title: str, draw: Any) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=size, layout="constrained")
    draw(axes)
    axes.set_title(title, loc="left", fontsize=12)
    with atomic(path) as part:
        figure.savefig(part, dpi=110)
    plt.close(figure)


def _counted(trials: int) -> str:
    return f"{trials} trial" if trials == 1 else f"{trials} trials"


def _plain(axes: "Axes") -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _history(axes: "Axes", study: Study, label: str) -> None:
    """A dot for each trial with a score, a cross where one was ended early, the best so far."""
    from matplotlib.ticker import MaxNLocator

    # Optuna gives a pruned trial its last score as its value.
    full = [one for one in ended(study) if one.state == TrialState.COMPLETE]
    short = [one for one in ended(study) if one.state == TrialState.PRUNED]
    short = [one for one in short if one.intermediate_values]
    numbers = [one.number for one in full]
    best, top = [], -math.inf
    for one in full:
        top = max(top, one.value or 0.0)
        best.append(top)
    last = [one.intermediate_values[max(one.intermediate_values)] for one in short]
    axes.step(numbers, best, where="post", color=BLUE, linewidth=1.5, label="best so far")
    axes.scatter(numbers, [one.value for one in full], s=22, color=BLUE, label="to the end")  # type: ignore[arg-type]
    if short:
        places = [one.number for one in short]
        axes.scatter(places, last, s=22, marker="x", color=GRAY, label="ended early, last score")
    axes.set_xlabel("trial")
    axes.set_xlim(-0.5, max(one.number for one in ended(study)) + 0.5)
    axes.set_ylabel(label)
    axes.grid(axis="y", color="#e6e6e6")
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="lower right")
    _plain(axes)


def _importance(axes: "Axes", shares: dict[str, float]) -> None:
    """A bar for each key, the largest on top."""
    names = list(reversed(shares))
    bars = axes.barh(names, [shares[name] for name in names], color=BLUE, height=0.65)
    axes.bar_label(bars, [f"{shares[name]:.0%}" for name in names], padding=4)
    if not names:
        text = "too few different scores to tell"
        axes.text(0.5, 0.5, text, ha="center", color=GRAY, transform=axes.transAxes)
        axes.set_yticks([])
    axes.set_xlabel("share of importance (PED-ANOVA)")
    axes.set_xlim(0, max([*shares.values(), 0.1]) * 1.15)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    _plain(axes)


def _parallel(axes: "Axes", trials: Sequence[FrozenTrial], label: str) -> None:
    """A line for each trial through its values, coloured by its score, the best ones on top."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    keys = sorted(trials[0].params)
    scores = [one.value or 0.0 for one in trials]
    scale = Normalize(min(scores), max(scores))
    for one in sorted(trials, key=lambda one: one.value or 0.0):
        heights = [_height(one.distributions[key], one.params[key]) for key in keys]
        heights.append(float(scale(one.value or 0.0)) if scale.vmin != scale.vmax else 0.5)
        colour = colormaps[COLOURS](scale(one.value or 0.0))
        axes.plot(range(len(heights)), heights, color=colour, linewidth=1.3, alpha=0.85)
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
    for place, key in enumerate(keys):
        axes.axvline(place, color="#444444", linewidth=0.8)
        for value, height in _marks(trials[0].distributions[key]):
            axes.text(place - 0.04, height, value, ha="right", va="center", fontsize=8, bbox=behind)
    axes.axvline(len(keys), color="#444444", linewidth=0.8)
    axes.set_xticks(range(len(keys) + 1), [*keys, label], rotation=18, ha="right")
    axes.set_xlim(-0.5, len(keys) + 0.05)
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    axes.figure.colorbar(ScalarMappable(scale, COLOURS), ax=axes, label=label, pad=0.02)


def _height(found: Any, value: Any) -> float:
    """Where on its axis a value lies, from 0 to 1."""
    if isinstance(found, CategoricalDistribution):
        return found.choices.index(value) / max(len(found.choices) - 1, 1)
    assert isinstance(found, IntDistribution | FloatDistribution)
    if found.log:
        return math.log(value / found.low) / math.log(found.high / found.low)
    return float((value - found.low) / (found.high - found.low))


def _marks(found: Any) -> list[tuple[str, float]]:
    """Values written beside an axis, and where."""
    if isinstance(found, CategoricalDistribution):
        return [(str(value), _height(found, value)) for value in found.choices]
    shares = [place / (TICKS - 1) for place in range(TICKS)]
    if found.log:
        values = [found.low * (found.high / found.low) ** share for share in shares]
    else:
        values = [found.low + (found.high - found.low) * share for share in shares]
    return [(f"{value:.2g}", share) for value, share in zip(values, shares, strict=True)]
