"""Every model of params/full.yaml, from the sample's faces to its Grad-CAM."""

import json
from pathlib import Path

import pytest
import yaml
from PIL import Image

from fer_pipeline import manifest, registry
from fer_pipeline.detect.__main__ import main as detect
from fer_pipeline.evaluate.__main__ import main as evaluate
from fer_pipeline.explain.__main__ import main as explain
from fer_pipeline.ingest.__main__ import main as ingest
from fer_pipeline.predictions import PREDICTIONS
from fer_pipeline.sample.__main__ import main as sample
from fer_pipeline.train.__main__ import main as train
from fer_pipeline.validate.__main__ import main as validate

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("full")]

ROOT = Path(__file__).resolve().parents[1]
FULL = yaml.safe_load((ROOT / "params/full.yaml").read_text("utf-8"))
STILLS, CLIPS = list(FULL["models"]), list(FULL["clip_models"])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with the faces of two small sets, and params.yaml of one epoch."""
    root = tmp_path_factory.mktemp("full")
    few = FULL | {"sample": {"seed": 7, "scale": 0.15}}
    few["datasets"] = {
        name: {"origin": "sample", "detector": "precropped"} for name in ("fer2013", "ckplus")
    }
    few["models"] = {name: line | {"epochs": 1} for name, line in FULL["models"].items()}
    few["train"] = FULL["train"] | {"epochs": 1, "device": "cpu"}
    few["explain"] = {"method": "gradcam", "images": 4, "per_class": 1}
    params = root / "params.yaml"
    params.write_text(yaml.safe_dump(few))
    for name in ("fer2013", "ckplus"):
        raw, at = str(root / "raw" / name), ["--params", str(params)]
        sample(["--dataset", name, "--out", raw, "--metrics", str(root / "m" / "s.json"),
                "--sheet", str(root / "sheet.png"), *at])  # fmt: skip
        samples, faces = root / "samples" / f"{name}.parquet", root / "faces" / f"{name}.parquet"
        ingest(["--dataset", name, "--raw", raw, "--out", str(samples),
                "--metrics", str(root / "m" / "i.json"), *at])  # fmt: skip
        detect(["--dataset", name, "--raw", raw, "--samples", str(samples), "--out", str(faces),
                "--metrics", str(root / "m" / "d.json"), "--runs", str(root / "runs"),
                *at])  # fmt: skip
        leaks = root / "leaks" / f"{name}.parquet"
        validate(["--dataset", name, "--samples", str(samples), "--faces", str(faces),
                  "--out", str(leaks), "--metrics", str(root / "m" / "v.json"),
                  "--docs", str(root / "docs" / name), *at])  # fmt: skip
    return root


def test_the_profile_names_every_model():
    assert sorted([*STILLS, *CLIPS]) == registry.names("models")


LARGE = {"vgg16", "resnet50", "resnet50v2", "inception_v3", "efficientnet_b0", "densenet169"}
LARGE |= {"vit_small", "convnext_tiny", "mobilenetv3"}
MODELS = [
    pytest.param(name, marks=pytest.mark.deep if name in LARGE else ())
    for name in (*STILLS, *CLIPS)
]


@pytest.mark.parametrize("model", MODELS)
def test_a_model_goes_all_the_way(study, model):
    source = "ckplus" if model in CLIPS else "fer2013"
    run, at = f"{model}-{source}", ["--params", str(study / "params.yaml")]
    who = ["--model", model, "--source", source]
    faces, leaks = study / "faces", study / "leaks"
    train([*who, "--faces", str(faces / f"{source}.parquet"),
           "--leaks", str(leaks / f"{source}.parquet"), "--out", str(study / "checkpoints" / run),
           "--metrics", str(study / "train" / f"{run}.json"),
           "--plots", str(study / "curves" / f"{run}.csv"),
           "--runs", str(study / "runs"), *at])  # fmt: skip
    predictions = study / "predictions" / f"{run}.parquet"
    evaluate([*who, "--checkpoints", str(study / "checkpoints" / run), "--faces", str(faces),
              "--leaks", str(leaks), "--out", str(predictions),
              "--metrics", str(study / "evaluate" / f"{run}.json"),
              "--scores", str(study / "scores" / f"{run}.json"),
              "--plots", str(study / "plots" / run),
              "--ledger", str(study / "ledger" / f"{run}.jsonl"), *at])  # fmt: skip
    table = manifest.read(predictions, PREDICTIONS, ["model", "target"])
    assert set(table["model"].to_pylist()) == {model}
    assert source in set(table["target"].to_pylist())
    explain([*who, "--checkpoints", str(study / "checkpoints" / run),
             "--faces", str(faces / f"{source}.parquet"), "--predictions", str(predictions),
             "--heat", str(study / "heat" / f"{run}.json"),
             "--metrics", str(study / "explain" / f"{run}.json"),
             "--plots", str(study / "explain" / f"{run}.png"), *at])  # fmt: skip
    assert json.loads((study / "explain" / f"{run}.json").read_text())
    with Image.open(study / "explain" / f"{run}.png") as grid:
        assert min(grid.size) > 100
