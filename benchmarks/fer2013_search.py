"""The records of the study and of the ablation on the real FER2013, metrics/fer2013_tune.json and
metrics/fer2013_ablate.json, and the README's tables of them.

Takes what `make profile P=fer2013_search && dvc repro tune ablate`, or one of the two, left in a
checkout; what it left out keeps its record.

`python -m benchmarks.fer2013_search [--checkout FOLDER]`
"""

import argparse
import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from fer_pipeline.outputs import write_json

RECORDS: Final = Path(__file__).parents[1] / "metrics"
SOURCE: Final = "fer2013"


def main(argv: list[str] | None = None) -> None:
    """Writes the records that the checkout has results for, and prints all tables."""
    program = "python -m benchmarks.fer2013_search"
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("--checkout", type=Path, default=Path(), help="where the results are")
    asked = parser.parse_args(argv)
    settings = yaml.safe_load((asked.checkout / "params.yaml").read_text("utf-8"))
    for name, (axis, take, _) in KINDS.items():
        for model in settings[axis]:
            found = take(asked.checkout, f"{model}-{SOURCE}")
            if found:
                recipe = settings["train"] | settings["models"][model]
                known = {"model": model, "train": recipe, name: settings[name]}
                write_json(RECORDS / f"fer2013_{name}.json", known | {"found": found})
    print("\n\n".join("\n".join(table(name)) for name in KINDS if record(name)))


def record(name: str) -> dict[str, Any]:
    """The record of `tune` or of `ablate`; empty where there is none yet."""
    path = RECORDS / f"fer2013_{name}.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def table(name: str) -> list[str]:
    """The rows of the README's table of `tune` or of `ablate`."""
    rows = KINDS[name][2](record(name)["found"])
    return ["| " + " | ".join(cells) + " |" for cells in rows]


def studied(checkout: Path, run: str) -> dict[str, Any] | None:
    """What a study found, each trial with it; None where it has not ended."""
    path = checkout / "metrics" / "tune" / f"{run}.json"
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    with (checkout / "plots" / "tune" / run / "trials.csv").open(encoding="utf-8") as file:
        return found | {"all": list(csv.DictReader(file))}


def ablated(checkout: Path, run: str) -> dict[str, Any] | None:
    """All differences of an ablation; None where it has not ended."""
    path = checkout / "data" / "ablations" / f"{run}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def values(found: Mapping[str, Any]) -> list[list[str]]:
    """Key, its best value, its importance by PED-ANOVA."""
    shares = found["importance"]
    return [
        [f"`{key}`", f"{best:.3g}" if isinstance(best, float) else str(best), f"{shares[key]:.0%}"]
        for key, best in sorted(found["values"].items(), key=lambda item: -shares[item[0]])
    ]


def differences(found: Mapping[str, Any]) -> list[list[str]]:
    """Variant, its accuracy, points against the base with their interval, p after Holm."""
    base = found["base"]
    rows = [["base", f"{100 * base['accuracy']:.1f} ± {100 * base['sd']:.1f}", "", ""]]
    for name, one in found["variants"].items():
        low, high = 100 * one["low"], 100 * one["high"]
        points = f"{100 * one['difference']:+.1f} ({low:+.1f} to {high:+.1f})"
        accuracy = f"{100 * one['accuracy']:.1f} ± {100 * one['sd']:.1f}"
        rows.append([f"`{name}`", accuracy, points, f"{one['p_holm']:.3f}"])
    return rows


KINDS: Final = {
    "tune": ("studies", studied, values),
    "ablate": ("ablations", ablated, differences),
}
"""Stage -> axis of its models in params.yaml, what takes its results, what makes its table."""


if __name__ == "__main__":
    main()
