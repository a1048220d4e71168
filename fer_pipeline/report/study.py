"""Everything that the other stages found out, read from their files."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_pipeline import params
from fer_pipeline.errors import BadManifest, BadParams, MissingData

CURVES = ("repeat", "epoch", "train_loss", "val_loss", "train_accuracy", "val_accuracy")
"""Columns of train's curves that the page draws."""


@dataclass(frozen=True, slots=True)
class Run:
    """One model trained on one source.

    results    target -> what evaluate says about it; the own set first, then in the axis's order
    training   what train says
    curves     rows of its epochs, text as in the CSV
    confusion, roc   rows of those plots on the own test set
    heat       what explain says; grid: its picture
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
    """One dataset: where it comes from and what ingest, detect and validate counted.

    sheet   picture of generated faces, only for a generated set
    """

    name: str
    origin: str
    detector: str
    ingest: Mapping[str, Any]
    detect: Mapping[str, Any]
    validate: Mapping[str, Any]
    sheet: Path | None


@dataclass(frozen=True, slots=True)
class Study:
    """All runs and datasets that the axes of params.yaml name, and the comparison of the runs.

    across       what validate says about pictures that several datasets share
    confidence   of all intervals
    differences  compare's picture of the differences between models; None without a pair
    """

    runs: Sequence[Run]
    datasets: Sequence[Dataset]
    across: Mapping[str, Any]
    comparison: Mapping[str, Any]
    confidence: float
    differences: Path | None


def read(metrics: Path, scores: Path, comparison: Path, plots: Path, params_file: Path) -> Study:
    """The study that `params_file` describes; files of other runs, left from before, are ignored.

    Raises: MissingData naming the file and the stage that makes it, BadManifest, BadParams.
    """
    pairs = params.runs(params_file)
    if not pairs:
        raise BadParams(f"{params_file} names no model and source: there is nothing to report")
    axis = params.axis(params_file, "datasets")
    runs = [_run(model, source, list(axis), metrics, scores, plots) for model, source in pairs]
    datasets = [_dataset(name, line, metrics, plots) for name, line in axis.items()]
    across = read_json(metrics / "validate" / "across.json", "validate")
    first = read_json(scores / f"{runs[0].name}.json", "evaluate")
    compared = read_json(comparison, "compare")
    drawn = plots / "compare" / "differences.png"
    shown = drawn if drawn.is_file() else None
    return Study(runs, datasets, across, compared, first["confidence"], shown)


def read_json(path: Path, stage: str) -> dict[str, Any]:
    """A stage's JSON file.

    Raises: MissingData, BadManifest.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingData(f"{path} is not there; `dvc repro {stage}` makes it") from None
    except json.JSONDecodeError as error:
        raise BadManifest(f"{path} is no JSON ({error}); run {stage} again") from None
    if not isinstance(value, dict):
        raise BadManifest(f"{path} holds no JSON object; run {stage} again")
    return value


def read_csv(path: Path, stage: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a stage's CSV file, which must have at least `columns`.

    Raises: MissingData, BadManifest.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise MissingData(f"{path} is not there; `dvc repro {stage}` makes it") from None
    missing = [name for name in columns if rows and name not in rows[0]]
    if missing:
        raise BadManifest(f"{path} has no column '{missing[0]}'; run {stage} again")
    return rows


def _run(
    model: str, source: str, targets: Sequence[str], metrics: Path, scores: Path, plots: Path
) -> Run:
    name = f"{model}-{source}"
    evaluated = plots / "evaluate" / name
    results = read_json(scores / f"{name}.json", "evaluate")["targets"]
    order = sorted(results, key=lambda target: (target != source, targets.index(target)))
    grid = plots / "explain" / f"{name}.png"
    if not grid.is_file():
        raise MissingData(f"{grid} is not there; `dvc repro explain` makes it")
    return Run(
        model,
        source,
        {target: results[target] for target in order},
        read_json(metrics / "train" / f"{name}.json", "train"),
        read_csv(plots / "train" / f"{name}.csv", "train", CURVES),
        read_csv(evaluated / "confusion.csv", "evaluate", ("actual", "predicted", "share")),
        read_csv(evaluated / "roc.csv", "evaluate", ("emotion", "fpr", "tpr")),
        read_json(metrics / "explain" / f"{name}.json", "explain"),
        grid,
    )


def _dataset(name: str, line: Mapping[str, Any], metrics: Path, plots: Path) -> Dataset:
    sheet = plots / "sample" / f"{name}.png"
    generated = line["origin"] == "sample"
    told = {
        stage: read_json(metrics / stage / f"{name}.json", stage)
        for stage in ("ingest", "detect", "validate")
    }
    shown = sheet if generated and sheet.is_file() else None
    return Dataset(name, line["origin"], line["detector"], sheet=shown, **told)
