"""A whole small study on disk: random answers, scored and compared by the stages' own code."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from fer_pipeline.compare.answers import Answers, persons
from fer_pipeline.compare.comparison import compare
from fer_pipeline.compare.params import CompareParams
from fer_pipeline.emotions import COMMON7, EMOTIONS
from fer_pipeline.evaluate.scores import Settings
from fer_pipeline.evaluate.summary import summarise
from fer_pipeline.outputs import write_json, write_text
from fer_pipeline.predictions import PREDICTIONS
from fer_pipeline.report.study import Inputs, Study
from fer_pipeline.report.study import read as study_at

MODELS = {"simple_cnn": 0.62, "resnet18": 0.75}
SETS = ("fer2013", "jaffe")
REPEATS = 2
ITEMS = 70

PARAMS = """\
datasets:
  fer2013: {origin: sample, detector: precropped}
  jaffe: {origin: raw, detector: mtcnn}
models: {simple_cnn: {}, resnet18: {}}
sources: {fer2013: {}, jaffe: {}}
clip_models: {}
clip_sources: {}
transfers: {}
studies: {simple_cnn: {source: fer2013}}
ablations: {resnet18: {source: jaffe}}
clip_studies: {}
clip_ablations: {}
report: {title: A small study}
"""


@dataclass(frozen=True)
class Small:
    """Where the study lies, and the stage's arguments without --out and --summary."""

    folder: Path
    arguments: list[str]


def predictions(model: str, source: str, target: str, rng: np.random.Generator) -> pa.Table:
    """Rows of PREDICTIONS: right with the model's share on its own set, less on the other."""
    rows = []
    share = MODELS[model] - (0 if source == target else 0.3)
    for repeat in range(REPEATS):
        for item in range(ITEMS):
            truth = COMMON7[item % 7]
            certain = rng.dirichlet(np.ones(7))
            best = int(certain.argmax())
            wanted = COMMON7.index(truth) if rng.random() < share else (item + 3) % 7
            certain[[best, wanted]] = certain[[wanted, best]]
            row: dict[str, object] = dict.fromkeys(PREDICTIONS.names)
            row |= {"model": model, "source": source, "repeat": repeat, "target": target}
            row |= {"id": f"{target}/{item}", "emotion": truth, "repeated": item == 9}
            row |= {"subject": f"W{item % 10}", "valence": 0.5} if target == "jaffe" else {}
            row |= {"predicted": COMMON7[wanted], "leak": "exact" if item < 3 else None}
            row |= {f"p_{name}": float(p) for name, p in zip(COMMON7, certain, strict=True)}
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=PREDICTIONS)


def evaluated(source: str, tables: dict[str, pa.Table]) -> dict[str, object]:
    """What evaluate writes about one run."""
    settings = Settings(0.95, 2000, 0)
    targets = {
        target: {
            "unit": "image",
            "classes": list(COMMON7),
            "absent": [],
            "coverage": {"asked": ITEMS, "evaluated": ITEMS},
            "folds": {"tested": 2, "all": 10, "again": 0} if target == source == "jaffe" else None,
            **summarise(table, COMMON7, settings),
        }
        for target, table in tables.items()
    }
    return {"confidence": 0.95, "repeats": list(range(REPEATS)), "targets": targets}


def answers(table: pa.Table) -> dict[int, Answers]:
    """The same rows as compare takes them."""
    found = {}
    for repeat in range(REPEATS):
        rows = [row for row in table.to_pylist() if row["repeat"] == repeat]
        found[repeat] = Answers(
            np.array([row["id"] for row in rows]),
            np.array([EMOTIONS.index(row["emotion"]) for row in rows]),
            np.array([row["emotion"] == row["predicted"] for row in rows]),
            500,
            persons([row["subject"] for row in rows], [row["id"] for row in rows]),
        )
    return found


def write_run(folder: Path, model: str, source: str, tables: dict[str, pa.Table]) -> None:
    """All files of one trained model."""
    name = f"{model}-{source}"
    scores = evaluated(source, tables)
    write_json(folder / "scores" / f"{name}.json", scores)
    best = {"best_epoch": 4.0, "epochs": 5.0, "val_accuracy": 0.7125}
    write_json(folder / "metrics" / "train" / f"{name}.json", best)
    header = "repeat,epoch,train_loss,val_loss,train_accuracy,val_accuracy,learning_rate\n"
    epochs = [
        f"{repeat},{epoch},{2 / epoch:.3f},{2.2 / epoch:.3f},{epoch / 10:.2f},{epoch / 8:.2f},0.1"
        for repeat in range(REPEATS)
        for epoch in range(1, 6)
    ]
    write_text(folder / "plots" / "train" / f"{name}.csv", header + "\n".join(epochs) + "\n")
    counts = np.array(scores["targets"][source]["confusion"])
    rows = [
        f"{actual},{guess},{counts[i, j] / counts[i].sum():.4f},{counts[i, j]}"
        for i, actual in enumerate(COMMON7)
        for j, guess in enumerate(COMMON7)
    ]
    plots = folder / "plots" / "evaluate" / name
    write_text(plots / "confusion.csv", "actual,predicted,share,count\n" + "\n".join(rows) + "\n")
    curve = [f"{emotion},{x},{y}" for emotion in COMMON7 for x, y in ((0, 0), (0.2, 0.8), (1, 1))]
    write_text(plots / "roc.csv", "emotion,fpr,tpr\n" + "\n".join(curve) + "\n")
    even = {"eyes": 0.182, "nose": 0.049, "mouth": 0.094, "border": 0.373, "elsewhere": 0.302}
    seen = {"eyes": 0.3, "nose": 0.1, "mouth": 0.25, "border": 0.15, "elsewhere": 0.2}
    heat = {"images": 34, "right": 30, "wrong": 4, "area": even, "shares": {"all": seen}}
    write_json(folder / "heat" / f"{name}.json", heat)
    grid = folder / "plots" / "explain" / f"{name}.png"
    grid.parent.mkdir(parents=True, exist_ok=True)
    gradient = np.tile(np.arange(256, dtype=np.uint8), (128, 1))
    Image.fromarray(gradient).save(grid)


def write_dataset(folder: Path, name: str) -> None:
    """What ingest, detect and validate say about a set."""
    count = {"rows": 350} | dict.fromkeys(COMMON7, 50)
    parts = ("train", "val", "test") if name == "fer2013" else ("all",)
    ingest = {"layout": "csv", "official": "no counts", "rows": 350 * len(parts)}
    ingest |= {"status": {"ok": 348, "unreadable": 2}, "split": dict.fromkeys(parts, count)}
    write_json(folder / "metrics" / "ingest" / f"{name}.json", ingest)
    counts = {"detection_rate": 0.9876, "several_faces": 4, "status": {"ok": 347, "no_face": 3}}
    write_json(folder / "metrics" / "detect" / f"{name}.json", counts)
    facts: dict[str, object] = {"expectations": 31, "failed_hard": 0, "failed_soft": 2}
    facts |= {"subjects": 0, "repeated_rows": 17, "dropped_rows": 5}
    facts |= {"images_in_several_splits": 11, "near_pairs_across": 3, "conflicting_labels": 1}
    facts |= {"constant_images": 2}
    write_json(folder / "metrics" / "validate" / f"{name}.json", facts)


def write_study(folder: Path) -> None:
    """All inputs of the report below `folder`."""
    rng = np.random.default_rng(5)
    runs: dict[tuple[str, str], dict[str, dict[int, Answers]]] = {}
    for source in SETS:
        write_dataset(folder, source)
        for model in MODELS:
            tables = {target: predictions(model, source, target, rng) for target in SETS}
            write_run(folder, model, source, tables)
            for target, table in tables.items():
                runs.setdefault((source, target), {})[model] = answers(table)
    write_json(folder / "comparison.json", compare(runs, CompareParams()))
    write_json(
        folder / "metrics" / "validate" / "across.json", {"pictures_in_fer2013_and_jaffe": 21}
    )
    uses = [
        {"model": model, "source": source, "target": target, "weights": f"{model}{number}"}
        for source in SETS for target in SETS for model in MODELS
        for number in range(REPEATS + (model == "resnet18"))
    ]  # fmt: skip
    write_text(folder / "uses.jsonl", "".join(json.dumps(use) + "\n" for use in uses))
    write_text(folder / "params.yaml", PARAMS)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The study; tests only read it."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    arguments = []
    for option, name in {
        "metrics": "metrics",
        "scores": "scores",
        "heat": "heat",
        "ledger": "uses.jsonl",
        "comparison": "comparison.json",
        "plots": "plots",
        "params": "params.yaml",
    }.items():
        arguments += [f"--{option}", str(folder / name)]
    return Small(folder, arguments)


@pytest.fixture(scope="session")
def read() -> Callable[[Path], Study]:
    """The study below a folder, as the stage reads it."""

    def study(folder: Path) -> Study:
        names = ("metrics", "scores", "heat", "plots", "comparison.json", "uses.jsonl")
        return study_at(Inputs(*(folder / name for name in names)), folder / "params.yaml")

    return study


@pytest.fixture(scope="session")
def scores(small: Small) -> dict[str, dict[str, object]]:
    """run -> what evaluate says."""
    paths = sorted((small.folder / "scores").glob("*.json"))
    return {path.stem: json.loads(path.read_text()) for path in paths}
