"""Small tables of faces whose emotion can be learnt: a bright bar at a height of its own."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml

from fer_pipeline import images, manifest
from fer_pipeline.emotions import COMMON7


class Tables(NamedTuple):
    """Where FACES and LEAKS lie."""

    faces: Path
    leaks: Path


def _picture(emotion, seed):
    pixels = np.random.default_rng(seed).integers(0, 90, (48, 48), dtype=np.uint8)
    top = 4 + COMMON7.index(emotion) * 6
    pixels[top : top + 4, 8:40] += 150
    return pixels


def _face(number, emotion, split, **values):
    row = dict.fromkeys(manifest.FACES.names)
    row |= {
        "id": f"fer2013/{number:05d}",
        "dataset": "fer2013",
        "split": split,
        "label": emotion,
        "emotion": emotion,
        "attributes": {},
        "status": manifest.OK,
        "alignment": "precropped",
        "crop": images.encode_png(_picture(emotion, number)),
    }
    return row | values


@pytest.fixture
def face():
    """Makes a row of FACES: `face(number, emotion, split, **columns)`."""
    return _face


@pytest.fixture
def stills():
    """70 training, 21 validation and 21 test rows of an official split, classes in turn."""
    splits = ["train"] * 70 + ["val"] * 21 + ["test"] * 21
    return [_face(n, COMMON7[n % 7], split) for n, split in enumerate(splits)]


@pytest.fixture
def write(tmp_path):
    """Writes both tables; `drops` maps an id to the reason not to train on it."""

    def make(rows, drops=None, name="tables"):
        tables = Tables(tmp_path / name / "faces.parquet", tmp_path / name / "leaks.parquet")
        with manifest.writing(tables.faces, manifest.FACES, group=16) as writer:
            for row in rows:
                writer.add(row)
        with manifest.writing(tables.leaks, manifest.LEAKS) as writer:
            for row in rows:
                leak = dict.fromkeys(manifest.LEAKS.names)
                writer.add(leak | {"id": row["id"], "drop": (drops or {}).get(row["id"])})
        return tables

    return make


@pytest.fixture
def params_file(tmp_path):
    """Writes a params.yaml of a short training and returns its path."""

    def make(repeats=1, models=None, **train):
        settings = {"epochs": 2, "batch": 16, "lr": 0.02, "precision": "float32", "device": "cpu"}
        path = tmp_path / "params.yaml"
        content = {"repeats": repeats, "models": models or {}, "train": settings | train}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    return make


@pytest.fixture
def command(tmp_path):
    """The stage's command line for these tables, with outputs below `name`."""

    def make(tables, params, name="a", model="simple_cnn", source="fer2013", runs=None):
        out = tmp_path / name
        return [
            *("--model", model, "--source", source),
            *("--faces", str(tables.faces), "--leaks", str(tables.leaks)),
            *("--out", str(out / "checkpoints"), "--metrics", str(out / "metrics.json")),
            *("--plots", str(out / "curves.csv"), "--runs", str(runs or out / "runs")),
            *("--params", str(params)),
        ]

    return make


@pytest.fixture
def tables(stills, write):
    """The tables of `stills`."""
    return write(stills)
