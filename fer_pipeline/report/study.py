"""Everything that the other stages found out, read from their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_pipeline import params
from fer_pipeline.errors import BadParams, MissingData
from fer_pipeline.evaluate import ledger
from fer_pipeline.report.files import read_csv, read_json
from fer_pipeline.report.searches import Search, searches

CURVES = ("repeat", "epoch", "train_loss", "val_loss", "train_accuracy", "val_accuracy")
"""Columns of train's curves that the page draws."""


@dataclass(frozen=True, slots=True)
class Run:
    """One model trained on one source.

    results    target -> what evaluate says about it; the own set first, then in the axis's order
    training   what train says
    curves     rows of its epochs, text as in the CSV
    confusion, roc   rows of those plots on the own test set
    heat       all that explain measured; grid: its picture
    """

    model: str
    source: str
    results: Mapping[str, Mapping[str, Any]]
    training: Mapping[str, Any]
    curves: Sequence[Mapping[str, str]]
    confusion: Sequence[Mapping[str, str]]
    roc: Sequence[Mapping[str, str]]
    heat: Mapping[str, Any]
    grid: Path

    @property
    def name(self) -> str:
        """As files and the summary call it."""
        return f"{self.model}-{self.source}"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset: where it comes from and what ingest, detect and validate counted."""

    name: str
    origin: str
    detector: str
    ingest: Mapping[str, Any]
    detect: Mapping[str, Any]
    validate: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Study:
    """All runs and datasets that the axes of params.yaml name, and the comparison of the runs.

    across       what validate says about pictures that several datasets share
    confidence   of all intervals
    differences  compare's picture of the differences between models; None without a pair
    ranks        compare's critical-difference diagram; None where there are too few own test sets
    uses         model, source, target -> with how many different weights the test set was used
    searches     where tune and ablate put what they find
    """

    runs: Sequence[Run]
    datasets: Sequence[Dataset]
    across: Mapping[str, Any]
    comparison: Mapping[str, Any]
    confidence: float
    differences: Path | None
    ranks: Path | None
    uses: Mapping[tuple[str, str, str], int]
    searches: Sequence[Search]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where the other stages' files lie: folders, and the files of compare and of the ledger."""

    metrics: Path
    scores: Path
    heat: Path
    plots: Path
    comparison: Path
    ledger: Path


def read(found: Inputs, params_file: Path) -> Study:
    """The study that `params_file` describes; files of other runs, left from before, are ignored.

    Raises: MissingData naming the file and the stage that makes it, BadManifest, BadParams.
    """
    pairs = params.runs(params_file)
    if not pairs:
        raise BadParams(f"{params_file} names no model and source: there is nothing to report")
    axis = params.axis(params_file, "datasets")
    runs = [_run(model, source, list(axis), found) for model, source in pairs]
    datasets = [_dataset(name, line, found.metrics) for name, line in axis.items()]
    across = read_json(found.metrics / "validate" / "across.json", "validate")
    first = read_json(found.scores / f"{runs[0].name}.json", "evaluate")
    compared = read_json(found.comparison, "compare")
    if not found.ledger.is_file():
        raise MissingData(f"{found.ledger} is not there; `dvc repro evaluate` makes it")
    return Study(
        runs,
        datasets,
        across,
        compared,
        first["confidence"],
        _picture(found.plots / "compare" / "differences.png"),
        _picture(found.plots / "compare" / "critical_difference.png"),
        ledger.times(ledger.read(found.ledger)),
        searches(params_file),
    )


def _picture(path: Path) -> Path | None:
    return path if path.is_file() else None


def _run(model: str, source: str, targets: Sequence[str], found: Inputs) -> Run:
    name = f"{model}-{source}"
    evaluated = found.plots / "evaluate" / name
    results = read_json(found.scores / f"{name}.json", "evaluate")["targets"]
    order = sorted(results, key=lambda target: (target != source, targets.index(target)))
    grid = found.plots / "explain" / f"{name}.png"
    if not grid.is_file():
        raise MissingData(f"{grid} is not there; `dvc repro explain` makes it")
    return Run(
        model,
        source,
        {target: results[target] for target in order},
        read_json(found.metrics / "train" / f"{name}.json", "train"),
        read_csv(found.plots / "train" / f"{name}.csv", "train", CURVES),
        read_csv(evaluated / "confusion.csv", "evaluate", ("actual", "predicted", "share")),
        read_csv(evaluated / "roc.csv", "evaluate", ("emotion", "fpr", "tpr")),
        read_json(found.heat / f"{name}.json", "explain"),
        grid,
    )


def _dataset(name: str, line: Mapping[str, Any], metrics: Path) -> Dataset:
    told = {
        stage: read_json(metrics / stage / f"{name}.json", stage)
        for stage in ("ingest", "detect", "validate")
    }
    return Dataset(name, line["origin"], line["detector"], **told)
