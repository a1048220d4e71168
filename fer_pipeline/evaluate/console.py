"""What the evaluate stage says on stdout and keeps in its two JSON files."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fer_pipeline.evaluate.evaluation import Tested

HEADLINE: Final = ("accuracy", "mean_class_accuracy", "macro_f1")
TOLD: Final = (*HEADLINE, "kappa", "roc_auc")


def headline(source: str, scores: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """The few numbers that `dvc metrics` shows, the same keys for every run; shares to 4 digits.

    own     on the source's own test set; others: mean accuracy over the other test sets, and how
            many there are
    """
    own: dict[str, float] = {"rows": scores[source]["rows"]}
    if scores[source]["rows"]:
        values = {name: scores[source]["scores"][name]["value"] for name in HEADLINE}
        own |= {name: round(v, 4) for name, v in values.items() if v is not None}
        for kind, told in scores[source].get("views", {}).items():
            own[f"{kind}_accuracy"] = round(told["accuracy"]["value"], 4)
    foreign = [
        entry["scores"]["accuracy"]["value"]
        for target, entry in scores.items()
        if target != source and entry["rows"]
    ]
    others: dict[str, float] = {"sets": len(foreign)}
    if foreign:
        others["accuracy"] = round(sum(foreign) / len(foreign), 4)
    return {"own": own, "others": others}


def scope(tested: Tested, unit: str) -> dict[str, Any]:
    """What was tested on a target, beside its scores."""
    return {
        "unit": unit,
        "classes": list(tested.classes),
        "absent": list(tested.absent),
        "coverage": tested.coverage,
        "folds": tested.folds,
    }


def uses(model: str, source: str, new: int, times: Mapping[tuple[str, str, str], int]) -> str:
    """The line on the ledger: new uses, and with how many weights each test set was used so far."""
    mine = [
        f"{target} {count}"
        for (name, trained, target), count in sorted(times.items())
        if (name, trained) == (model, source)
    ]
    return (
        f"ledger: {new} new uses of test sets; so far {model} trained on {source} was tested with "
        f"so many different weights: {', '.join(mine) or 'none'}"
    )


def table(source: str, scores: Mapping[str, Mapping[str, Any]], confidence: float) -> list[str]:
    """Lines with one row per target, scores in percent; the interval is of the accuracy."""
    head = f"{'tested on':<14}{'rows':>7}{'accuracy':>10}{f'{confidence:.0%} interval':>16}"
    head += f"{'sd':>6}{'leak-free':>11}{'mean-class':>12}{'macro F1':>10}{'kappa':>8}{'AUC':>7}"
    lines = [head]
    for target, entry in scores.items():
        name = f"{target} *" if target == source else target
        if not entry["rows"]:
            lines.append(f"{name:<14}{0:>7}  nothing to test: {entry['coverage']}")
            continue
        value = {key: entry["scores"][key]["value"] for key in TOLD}
        first = entry["scores"]["accuracy"]
        interval = "-"
        if first["low"] is not None:
            interval = f"{100 * first['low']:.1f}-{100 * first['high']:.1f}"
        free = entry["accuracies"]["leak_free"]["accuracy"]
        lines.append(
            f"{name:<14}{entry['rows']:>7}{_percent(value['accuracy']):>10}{interval:>16}"
            f"{_percent(first['sd']):>6}{_percent(free):>11}"
            f"{_percent(value['mean_class_accuracy']):>12}{_percent(value['macro_f1']):>10}"
            f"{_number(value['kappa']):>8}{_number(value['roc_auc']):>7}"
        )
    return [*lines, *_remarks(scores)]


def _remarks(scores: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    lines = []
    for target, entry in scores.items():
        for kind, told in entry.get("views", {}).items():
            accuracy, change = told["accuracy"], _change(told, entry)
            lines.append(f"{target}, {kind}: accuracy {_percent(accuracy['value'])} ({change})")
        asked, done = entry["coverage"]["asked"], entry["coverage"]["evaluated"]
        if entry["folds"]:
            lines.append(f"{target}: {in_words(entry['folds'])}")
        if entry["persons"]:
            lines.append(f"{target}: {entry['persons']} persons, whom the intervals are over")
        if entry["absent"]:
            lines.append(f"{target}: {len(entry['classes'])} classes, no {_join(entry['absent'])}")
        left = {key: n for key, n in entry["coverage"].items() if key not in ("asked", "evaluated")}
        if left:
            why = ", ".join(f"{n} {key}" for key, n in left.items())
            lines.append(f"{target}: {asked - done} of {asked} not evaluated ({why})")
    return lines


def _change(viewed: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """How views change the accuracy, points."""
    points = 100 * (viewed["accuracy"]["value"] - entry["scores"]["accuracy"]["value"])
    return f"{points:+.1f} by test-time augmentation"


def in_words(folds: Mapping[str, int]) -> str:
    """How many folds were tested: the others' subjects have no part in the numbers."""
    text = f"{folds['tested']} of {folds['all']} folds tested"
    if folds["again"]:
        text += f", {folds['again']} more repeats test one of them again, with another seed"
    return text


def _join(names: Sequence[str]) -> str:
    return ", ".join(names)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
