"""Studies that cost nothing: a formula in place of a training, and a real one where it matters."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from fer_pipeline import images, manifest
from fer_pipeline.emotions import COMMON7
from fer_pipeline.errors import Diverged
from fer_pipeline.train import repeats
from fer_pipeline.train.params import TrainParams
from fer_pipeline.tune.params import Range, TuneParams

SPACE = {
    "lr": Range(low=0.001, high=0.1, log=True),
    "batch": Range(low=16, high=64, step=16),
    "optimiser": Range(choices=["sgd", "adamw"]),
}


def _score(settings: TrainParams, epoch: int) -> float:
    """Best at lr 0.02, small batches and adamw; grows with the epochs."""
    from math import log10

    distance = abs(log10(settings.lr / 0.02)) + settings.batch / 640
    return (0.9 - 0.2 * distance + 0.05 * (settings.optimiser == "adamw")) * epoch / 4


class Trainer:
    """Stands in for `repeats.train`; keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[TrainParams] = []
        self.stop_at: int | None = None
        self.diverges = False

    def __call__(self, job, repeat, watch=None):
        self.asked.append(job.settings)
        if self.diverges and job.settings.lr > 0.03:
            raise Diverged("the loss is not finite")
        history = []
        for epoch in range(1, job.settings.epochs + 1):
            if len(self.asked) == self.stop_at and epoch == 2:
                raise KeyboardInterrupt
            score = _score(job.settings, epoch) - 0.01 * repeat
            history.append({"epoch": float(epoch), "val_accuracy": score})
            if watch is not None:
                watch(list(history))
        return repeats.Finished(Path("none"), history, {}, len(history))


@pytest.fixture
def trainer(monkeypatch):
    """The stand-in, in force."""
    made = Trainer()
    monkeypatch.setattr(repeats, "train", made)
    return made


@pytest.fixture
def job(tmp_path):
    """A job with tables that exist, and nothing in them."""
    for name in ("faces.parquet", "leaks.parquet"):
        (tmp_path / name).write_bytes(name.encode())
    settings = TrainParams(epochs=4, device="cpu")
    return repeats.Job(
        "simple_cnn",
        "fer2013",
        tmp_path / "faces.parquet",
        tmp_path / "leaks.parquet",
        tmp_path / "runs",
        settings,
    )


@pytest.fixture
def section():
    """Makes a section over a small space: `section(strategy="random", ...)`."""

    def make(**changes):
        given = {"space": SPACE, "trials": 8, "startup": 3, "pruner": "none"} | changes
        return TuneParams(**given)

    return make


RANGES = {
    "lr": {"low": 0.001, "high": 0.1, "log": True},
    "options.dropout": {"choices": [0.0, 0.4]},
}


def _picture(emotion, seed):
    pixels = np.random.default_rng(seed).integers(0, 90, (48, 48), dtype=np.uint8)
    top = 4 + COMMON7.index(emotion) * 6
    pixels[top : top + 4, 8:40] += 150
    return pixels


@pytest.fixture
def command(tmp_path):
    """Writes tables and params.yaml; gives the arguments of a study that writes below `name`."""
    faces, leaks = tmp_path / "faces.parquet", tmp_path / "leaks.parquet"
    with (
        manifest.writing(faces, manifest.FACES) as crops,
        manifest.writing(leaks, manifest.LEAKS) as lost,
    ):
        for number in range(112):
            emotion = COMMON7[number % 7]
            split = "train" if number < 70 else "val" if number < 91 else "test"
            row = dict.fromkeys(manifest.FACES.names)
            row |= {"id": f"fer2013/{number:05d}", "dataset": "fer2013", "split": split}
            row |= {"label": emotion, "emotion": emotion, "attributes": {}, "status": manifest.OK}
            row |= {"alignment": "precropped"}
            crop = images.encode_png(_picture(emotion, number))
            # Test rows hold no picture: whoever looked at one would fail.
            row["crop"] = crop if split != "test" else b"no picture"
            crops.add(row)
            lost.add(dict.fromkeys(manifest.LEAKS.names) | {"id": row["id"]})

    def make(name="a", line=None, **tune):
        params = tmp_path / f"{name}.yaml"
        given = {"trials": 4, "startup": 2, "space": RANGES} | tune
        train = {"epochs": 2, "batch": 16, "precision": "float32", "device": "cpu"}
        content = {
            "models": {"simple_cnn": {}},
            "studies": {"simple_cnn": {"source": "fer2013"} | (line or {})},
            "clip_studies": {},
            "train": train,
            "tune": given,
        }
        params.write_text(yaml.safe_dump(content))
        out = tmp_path / name
        return [
            *("--model", "simple_cnn", "--source", "fer2013"),
            *("--faces", str(faces), "--leaks", str(leaks)),
            *("--metrics", str(out / "simple_cnn-fer2013.json")),
            *("--plots", str(out / "plots"), "--runs", str(out / "runs")),
            *("--params", str(params)),
        ]

    return make
