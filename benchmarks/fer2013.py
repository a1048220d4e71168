"""The records of the real runs on FER2013, metrics/<profile>.json, and the README's tables of them.

Takes what `make profile P=fer2013 && dvc repro` (or P=fer2013_official) left in a checkout: scores
with intervals, uses of the test sets, seconds of training; measures FLOPs and the latency of one
picture here and now. Models that the checkout has not run keep their record.

`python -m benchmarks.fer2013 [--profile NAME] [--checkout FOLDER] [--models NAME ...]`
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks import models
from fer_pipeline import architectures
from fer_pipeline.outputs import write_json

RECORDS: Final = Path(__file__).parents[1] / "metrics"
SOURCE: Final = "fer2013"
SCORES: Final = ("accuracy", "mean_class_accuracy", "macro_f1")


def main(argv: list[str] | None = None) -> None:
    """Writes the record and prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fer2013", description=__doc__)
    parser.add_argument("--profile", choices=TABLES, default="fer2013", help="what was run there")
    parser.add_argument("--checkout", type=Path, default=Path(), help="where the runs are")
    parser.add_argument("--models", nargs="*", default=[], help="to take over; none: only measure")
    parser.add_argument("--seconds", type=float, default=5.0, help="spent on each latency")
    asked = parser.parse_args(argv)
    path = RECORDS / f"{asked.profile}.json"
    record: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for model in asked.models:
        record[model] = taken(asked.checkout, model)
    for model, found in record.items():
        found |= costs(model, found, asked.seconds)
    record = dict(sorted(record.items()))
    write_json(path, record)
    print("\n\n".join("\n".join(lines) for lines in tables(asked.profile, record)))


def tables(profile: str, record: Mapping[str, Any]) -> list[list[str]]:
    """The rows of each of the README's tables of a profile."""
    return [[row(*item) for item in record.items()] for row in TABLES[profile]]


def taken(checkout: Path, model: str) -> dict[str, Any]:
    """What the checkout knows of a model's run."""
    run = f"{model}-{SOURCE}"
    trained = _json(checkout / "metrics" / "train" / f"{run}.json")
    scores = _json(checkout / "data" / "scores" / f"{run}.json")["targets"]
    card = _json(checkout / "data" / "checkpoints" / run / "0" / "checkpoint.json")
    lines = (checkout / "metrics" / "test_uses.jsonl").read_text("utf-8").splitlines()
    # The ledger that comes with a checkout holds uses of the sample's test rows, too.
    tested = {target: found["rows"] for target, found in scores.items()}
    uses = [
        use
        for use in map(json.loads, lines)
        if use["model"] == model and use["count"] == tested.get(use["target"])
    ]
    return {
        "size": card["input"]["size"],
        "options": card["params"]["options"],
        "parameters": trained["parameters"],
        "epochs": trained["epochs"],
        "train_rows": trained["train_rows"],
        "val_accuracy": trained["val_accuracy"],
        "seconds": _seconds(checkout / "data" / "runs", card),
        **{target: _target(found) for target, found in scores.items()},
        "test_uses": uses,
    }


def result(model: str, found: Mapping[str, Any]) -> str:
    """The model's row of the table of scores."""
    own, other = found["fer2013"], found["ferplus"]
    cells = [
        f"`{model}`",
        f"{100 * found['val_accuracy']:.1f}",
        *(_interval(own[score]) for score in SCORES),
        _interval(other["accuracy"]),
    ]
    return "| " + " | ".join(cells) + " |"


def cost(model: str, found: Mapping[str, Any]) -> str:
    """The model's row of the table of costs."""
    speed = found["train_rows"] * found["epochs"] / found["seconds"]
    cells = [
        f"`{model}`",
        f"{found['parameters'] / 1e6:.2f} M",
        f"{found['flops'] / 1e6:,.0f} M",
        str(found["epochs"]),
        f"{found['seconds'] / 60:.0f} min",
        f"{speed:,.0f}",
        f"{found['latency_ms']:.1f} ms",
    ]
    return "| " + " | ".join(cells) + " |"


def leaky(model: str, found: Mapping[str, Any]) -> str:
    """The model's row of the table of trainings that saw test pictures."""
    own = found["fer2013"]
    cells = [
        f"`{model}`",
        f"{100 * found['val_accuracy']:.1f}",
        _interval(own["accuracy"]),
        _interval(own["deduplicated"]),
        _interval(own["leak_free"]),
        str(found["epochs"]),
        f"{found['seconds'] / 60:.0f} min",
    ]
    return "| " + " | ".join(cells) + " |"


TABLES: Final = {"fer2013": (result, cost), "fer2013_official": (leaky,)}
"""Profile -> what makes a row of each of its tables."""


def costs(model: str, found: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """FLOPs of a forward pass and milliseconds of one picture on the CPU."""
    contract = architectures.contract(model, found["size"])
    torch.manual_seed(0)
    network = architectures.build(model, models.CLASSES, contract.size, found["options"])
    one = torch.randn(1, contract.channels, contract.size, contract.size)
    flops = models.forward_flops(network, one)
    latency = models.median(lambda: models.plain(network, one), seconds)
    return {"flops": flops, "latency_ms": round(latency * 1e3, 2)}


def _target(found: Mapping[str, Any]) -> dict[str, Any]:
    scores = {name: _score(found["scores"][name], "value") for name in SCORES}
    for kind in ("deduplicated", "leak_free"):
        part = found["accuracies"][kind]
        scores[kind] = {"rows": part["rows"], **_score(part, "accuracy")}
    return {"rows": found["rows"], **scores}


def _score(found: Mapping[str, float], key: str) -> dict[str, float]:
    values = {"value": found[key], "low": found["low"], "high": found["high"]}
    return {name: round(value, 6) for name, value in values.items()}


def _seconds(runs: Path, card: Mapping[str, Any]) -> int:
    """What the training took whose checkpoint has this card."""
    for file in runs.glob("*/time.json"):
        if _json(file.parent / "done" / "checkpoint.json") == card:
            return round(_json(file)["seconds"])
    raise SystemExit(f"{runs} keeps no training of {card['model']} as its checkpoint is now")


def _json(path: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SystemExit(f"{path} is not there; run the profile first") from None
    return value


def _interval(score: Mapping[str, float]) -> str:
    return f"{100 * score['value']:.1f} ({100 * score['low']:.1f}-{100 * score['high']:.1f})"


if __name__ == "__main__":
    main()
