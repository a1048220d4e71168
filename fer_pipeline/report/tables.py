"""What the page's tables show, from what the stages found out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_pipeline.dimensions import DIMENSIONS, SIGNED
from fer_pipeline.emotions import in_order
from fer_pipeline.report.study import Run, Study

HEADLINE = (
    ("accuracy", "accuracy"),
    ("mean_class_accuracy", "mean-class"),
    ("macro_f1", "macro F1"),
    ("kappa", "kappa"),
    ("roc_auc", "ROC-AUC"),
    ("mae_probability", "MAE (prob.)"),
)
"""Score of evaluate -> heading; each is shown with its interval."""

ENDS = ("low", "high")

DIGITS = 4
"""Of shares, on the page as in the summary, so that both show the same after rounding to 0.1 %."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A score with its interval, None where the rows give none; sd is over repeats, if several."""

    value: float
    low: float | None
    high: float | None
    sd: float | None


@dataclass(frozen=True, slots=True)
class Own:
    """A run on its own test set: a row of the headline table. best: first among its source.

    persons  whose the rows are, where one has several; repeats: in words, with the folds they test
    uses     with how many different weights the test set was used
    """

    run: Run
    rows: int
    persons: int | None
    repeats: str
    uses: int
    cells: Sequence[Cell | None]
    best: bool


@dataclass(frozen=True, slots=True)
class Crossing:
    """A cell of the cross-dataset matrix; fewer: classes that the target lacks."""

    accuracy: Cell | None
    own: bool
    rows: int
    fewer: Sequence[str]


def summary(study: Study) -> dict[str, dict[str, dict[str, float | None]]]:
    """model-source -> target -> accuracy, low, high, rounded: the metric that git keeps."""
    table: dict[str, dict[str, dict[str, float | None]]] = {}
    for run in study.runs:
        table[run.name] = {}
        for target, result in run.results.items():
            accuracy = cell(result, "accuracy")
            if accuracy:
                table[run.name][target] = {
                    "accuracy": accuracy.value,
                    "low": accuracy.low,
                    "high": accuracy.high,
                }
    return table


def cell(result: Mapping[str, Any], name: str) -> Cell | None:
    """Score `name` of a result; None where the test set has no rows for it."""
    score = result["scores"].get(name)
    if score is None or score["value"] is None:
        return None
    low, high = (None if score[key] is None else round(score[key], DIGITS) for key in ENDS)
    return Cell(round(score["value"], DIGITS), low, high, score["sd"])


def headline(study: Study) -> list[Own]:
    """Each run on its own test set, sources in the axis's order, the best model first."""
    rows = []
    for source in dict.fromkeys(run.source for run in study.runs):
        found = [run for run in study.runs if run.source == source]
        found.sort(key=lambda run: -(_own_accuracy(run)))
        for place, run in enumerate(found):
            result = run.results[source]
            cells = [cell(result, name) for name, _ in HEADLINE]
            best = place == 0 and len(found) > 1 and cells[0] is not None
            uses = study.uses.get((run.model, source, source), 0)
            own = (result["rows"], result["persons"], repeats(result), uses)
            rows.append(Own(run, *own, cells, best))
    return rows


def repeats(result: Mapping[str, Any]) -> str:
    """How many repeats there are, or how many folds of how many they tested."""
    folds = result["folds"]
    if not folds:
        return str(len(result["repeats"]))
    again = f", {folds['again']} twice or more" if folds["again"] else ""
    return f"{folds['tested']} of {folds['all']} folds{again}"


def unfinished(study: Study) -> list[str]:
    """Sources whose folds were not each tested once, in words."""
    found = {}
    for run in study.runs:
        folds = run.results[run.source]["folds"]
        if folds and folds["tested"] < folds["all"]:
            found[run.source] = (
                f"{run.source}: {folds['tested']} of {folds['all']} folds were tested, so its "
                "numbers are of the subjects of those folds alone, not of the whole set"
            )
        elif folds and folds["again"]:
            found[run.source] = (
                f"{run.source}: all {folds['all']} folds were tested, and {folds['again']} of them "
                "again with another seed, so that their subjects count more than others"
            )
    return list(found.values())


RATED = tuple(
    (f"{score}_{name}", f"{heading} {name}")
    for name in DIMENSIONS
    for score, heading in (("rmse", "RMSE"), ("ccc", "CCC"), ("pcc", "PCC"), ("sagr", "SAGR"))
    if name in SIGNED or score != "sagr"
)
"""Score of evaluate -> heading, for sets whose rows are rated."""


Rated = tuple[list[str], list[tuple[Run, str, list[Cell | None]]]]
"""Headings, and rows of run, target and a score for each heading."""


def rated(study: Study) -> Rated:
    """The scores of RATED that some run has, wherever the target's rows have ratings."""
    found = [
        (run, target, result)
        for run in by_source(study)
        for target, result in run.results.items()
        if any(name in result["scores"] for name, _ in RATED)
    ]
    shown = [one for one in RATED if any(one[0] in result["scores"] for _, _, result in found)]
    rows = [(run, target, [cell(told, name) for name, _ in shown]) for run, target, told in found]
    return [heading for _, heading in shown], rows


def matrix(study: Study) -> list[tuple[Run, list[Crossing | None]]]:
    """Each run against every dataset, in the order of the axes; None: not tested there."""
    targets = [dataset.name for dataset in study.datasets]
    return [(run, [_crossing(run, target) for target in targets]) for run in by_source(study)]


def by_source(study: Study) -> list[Run]:
    """The runs, those of one source together; sources and models in the order of the axes."""
    sources = list(dict.fromkeys(run.source for run in study.runs))
    return sorted(study.runs, key=lambda run: sources.index(run.source))


def overall(study: Study) -> dict[str, Any]:
    """Facts for the first paragraph.

    best: run and accuracy on its own set; own, foreign: mean accuracy over all runs of own and of
    other test sets, over runs that were tested on both
    """
    own, foreign, best = [], [], None
    for run in study.runs:
        mine = cell(run.results[run.source], "accuracy")
        others = [
            found
            for target, result in run.results.items()
            if target != run.source and (found := cell(result, "accuracy"))
        ]
        if mine and (best is None or mine.value > best[1].value):
            best = (run, mine)
        if mine and others:
            own.append(mine.value)
            foreign.append(sum(found.value for found in others) / len(others))
    return {
        "best": best,
        "own": sum(own) / len(own) if own else None,
        "foreign": sum(foreign) / len(foreign) if foreign else None,
        "repeats": max(len(run.results[run.source]["repeats"]) for run in study.runs),
        "models": list(dict.fromkeys(run.model for run in study.runs)),
        "sources": list(dict.fromkeys(run.source for run in study.runs)),
        "generated": [each.name for each in study.datasets if each.origin == "sample"],
    }


def test_items(study: Study) -> list[int]:
    """Distinct test items per dataset, of the run that was tested on most."""
    return [
        max(run.results.get(dataset.name, {"rows": 0})["rows"] for run in study.runs)
        for dataset in study.datasets
    ]


def cleaned(study: Study) -> list[tuple[Run, str, Mapping[str, Any]]]:
    """Run, target and accuracies (raw, deduplicated, leak_free): own test sets, and others that
    hold pictures which the run was trained on.
    """
    return [
        (run, target, result["accuracies"])
        for run in by_source(study)
        for target, result in run.results.items()
        if result["accuracies"] and (target == run.source or _leaks(result["accuracies"]))
    ]


def per_class(study: Study) -> tuple[Sequence[str], list[tuple[Run, Sequence[Cell | None]]]]:
    """The emotions, and each run's F1 of each on its own test set."""
    emotions = in_order(
        {emotion for run in study.runs for emotion in run.results[run.source]["classes"]}
    )
    rows: list[tuple[Run, Sequence[Cell | None]]] = []
    for run in by_source(study):
        scores = run.results[run.source]["per_class"]
        rows.append((run, [cell({"scores": scores.get(name, {})}, "f1") for name in emotions]))
    return emotions, rows


def _leaks(accuracies: Mapping[str, Any]) -> bool:
    return bool(accuracies["leak_free"]["rows"] < accuracies["raw"]["rows"])


def _own_accuracy(run: Run) -> float:
    found = cell(run.results[run.source], "accuracy")
    return found.value if found else -1.0


def _crossing(run: Run, target: str) -> Crossing | None:
    result = run.results.get(target)
    if result is None:
        return None
    return Crossing(
        cell(result, "accuracy"), target == run.source, result["rows"], result["absent"]
    )
