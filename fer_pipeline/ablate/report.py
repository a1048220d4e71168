"""The differences as a table for people, a CSV for DVC and a bar plot."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fer_pipeline.outputs import atomic

BLUE: Final = "#2f6f9f"
RED: Final = "#b8503c"


def table(model: str, source: str, found: Mapping[str, Any]) -> str:
    """A line per variant, in points of validation accuracy."""
    base, sd = found["base"]["accuracy"], found["base"]["sd"]
    spread = "" if sd is None else f" (sd {100 * sd:.1f})"
    lines = [
        f"{model} on {source}: base {100 * base:.1f} %{spread} of {found['rows']} validation rows, "
        f"{found['repeats']} repeats",
        f"{'variant':<18}{'accuracy':>9}{'points':>8}{'interval':>16}{'p (Holm)':>10}",
    ]
    for name, entry in found["variants"].items():
        if "why" in entry:
            lines.append(f"{name:<18} does not apply: {entry['why']}")
            continue
        interval = f"{100 * entry['low']:+.1f} to {100 * entry['high']:+.1f}"
        lines.append(
            f"{name:<18}{100 * entry['accuracy']:>9.1f}{100 * entry['difference']:>+8.1f}"
            f"{interval:>16}{_p(entry['p_holm']):>10}"
        )
    known = found["variants"].items()
    lines += [f"{name}: p {e['why_no_p']}" for name, e in known if "why_no_p" in e]
    return "\n".join(lines)


def metrics(found: Mapping[str, Any]) -> dict[str, Any]:
    """What `dvc metrics` shows: the base, and the differences of the variants that apply."""
    told = {
        name: {"difference": round(entry["difference"], 4), **_tested(entry)}
        for name, entry in found["variants"].items()
        if "why" not in entry
    }
    return {"base": round(found["base"]["accuracy"], 4), "repeats": found["repeats"], **told}


def _tested(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Its p, or why it has none."""
    if entry["p_holm"] is None:
        return {"why_no_p": entry["why_no_p"]}
    return {"p_holm": round(entry["p_holm"], 4)}


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def write(folder: Path, found: Mapping[str, Any], title: str) -> None:
    """differences.csv and differences.png."""
    folder.mkdir(parents=True, exist_ok=True)
    applied = {name: e for name, e in found["variants"].items() if "why" not in e}
    with (folder / "differences.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("variant", "points", "low", "high", "p_holm"))
        for name, entry in applied.items():
            points = [round(100 * entry[key], 3) for key in ("difference", "low", "high")]
            # None is an empty cell.
            writer.writerow([name, *points, entry["p_holm"]])
    _draw(folder / "differences.png", found, applied, title)


def _draw(path: Path, found: Mapping[str, Any], applied: Mapping[str, Any], title: str) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = list(applied)[::-1]
    values = [100 * applied[name]["difference"] for name in names]
    errors = [
        [100 * (applied[name]["difference"] - applied[name]["low"]) for name in names],
        [100 * (applied[name]["high"] - applied[name]["difference"]) for name in names],
    ]
    tested = [applied[name]["p_holm"] for name in names]
    sure = [p is not None and p < 1 - found["confidence"] for p in tested]
    figure, axes = plt.subplots(figsize=(8, 1.6 + 0.42 * len(names)), layout="constrained")
    colours = [RED if one else BLUE for one in sure]
    axes.barh(names, values, xerr=errors, color=colours, height=0.6, capsize=3, ecolor="#444444")
    axes.axvline(0, color="#444444", linewidth=0.9)
    axes.set_xlabel(
        f"points of validation accuracy against the base, {found['confidence']:.0%} interval"
    )
    base = 100 * found["base"]["accuracy"]
    axes.set_title(f"{title}: base {base:.1f} %", loc="left", fontsize=12)
    absent = [name for name, entry in found["variants"].items() if "why" in entry]
    notes = ["red: significant after Holm's correction"] if any(sure) else []
    notes += [f"do not apply: {', '.join(absent)}"] if absent else []
    figure.supxlabel("\n".join(notes), fontsize=8, color="#666666", x=0.01, ha="left")
    axes.grid(axis="x", color="#e6e6e6")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    with atomic(path) as part:
        figure.savefig(part, dpi=110)
    plt.close(figure)
