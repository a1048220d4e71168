"""Every model of params/full.yaml, from the sample's faces to its Grad-CAM."""

import json
from pathlib import Path

import pytest
import yaml
from PIL import Image
from safetensors.torch import save_file

from fer_pipeline import architectures, manifest, registry
from fer_pipeline.ablate.__main__ import main as ablate
from fer_pipeline.detect.__main__ import main as detect
from fer_pipeline.evaluate.__main__ import main as evaluate
from fer_pipeline.explain.__main__ import main as explain
from fer_pipeline.ingest.__main__ import main as ingest
from fer_pipeline.predictions import PREDICTIONS
from fer_pipeline.sample.__main__ import main as sample
from fer_pipeline.train.__main__ import main as train
from fer_pipeline.tune.__main__ import main as tune
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


def ablated(study, root, model, source, faces=None, **line):
    """The differences that an ablation of one epoch finds, in a folder of its own."""
    values = yaml.safe_load((study / "params.yaml").read_text())
    values["datasets"] |= {source: values["datasets"][source] | {"origin": "."}}
    values |= {"ablations": {model: {"source": source, "epochs": 1} | line}, "clip_ablations": {}}
    values["train"] |= {"epochs": 1, "class_weights": "inverse"}
    (root / "params.yaml").write_text(yaml.safe_dump(values))
    ablate(["--model", model, "--source", source, "--raw", str(study / "raw"),
            "--faces", str(faces or study / "faces" / f"{source}.parquet"),
            "--leaks", str(study / "leaks" / f"{source}.parquet"),
            "--metrics", str(root / "m.json"), "--out", str(root / "all.json"),
            "--plots", str(root / "plots"), "--runs", str(root / "runs"),
            "--params", str(root / "params.yaml")])  # fmt: skip
    return json.loads((root / "all.json").read_text())["variants"]


@pytest.mark.deep
def test_every_variant_of_stills_is_trained(study, tmp_path):
    weights = tmp_path / "cnn_cbam.safetensors"
    save_file(architectures.build("cnn_cbam", 7, 48, {}).state_dict(), weights)
    values = yaml.safe_load((study / "params.yaml").read_text())
    values["models"]["cnn_cbam"] |= {"pretrained": str(weights), "mode": "finetune"}
    (tmp_path / "study").mkdir()
    for name in ("raw", "faces", "leaks"):
        (tmp_path / "study" / name).symlink_to(study / name)
    (tmp_path / "study" / "params.yaml").write_text(yaml.safe_dump(values))
    wanted = ["no_augmentation", "no_dropout", "no_attention", "no_transfer", "no_class_weights"]
    frozen = {"frozen": {"mode": "feature_extraction"}}
    found = ablated(tmp_path / "study", tmp_path, "cnn_cbam", "fer2013", repeats=1,
                    variants=[*wanted, "no_norm", "size_48", "size_96"], own=frozen)  # fmt: skip
    for name in (*wanted, "size_96", "frozen"):
        assert found[name]["test"] == "McNemar, exact", name
    assert found["no_norm"].keys() == found["size_48"].keys() == {"why"}


@pytest.mark.deep
def test_an_ablation_of_clips_by_folds_of_persons(study, tmp_path):
    faces, at = tmp_path / "ckplus.parquet", ["--params", str(tmp_path / "haar.yaml")]
    values = yaml.safe_load((study / "params.yaml").read_text())
    values["datasets"]["ckplus"] = {"origin": "sample", "detector": "haar"}
    (tmp_path / "haar.yaml").write_text(yaml.safe_dump(values))
    detect(["--dataset", "ckplus", "--raw", str(study / "raw" / "ckplus"),
            "--samples", str(study / "samples" / "ckplus.parquet"), "--out", str(faces),
            "--metrics", str(tmp_path / "d.json"), "--runs", str(tmp_path / "detected"),
            *at])  # fmt: skip
    wanted = FULL["clip_ablations"]["cnn_gru"]["variants"]
    found = ablated(study, tmp_path, "cnn_gru", "ckplus", faces, repeats=2, variants=wanted)
    assert {"no_temporal", "no_alignment"} <= found.keys() == set(wanted)
    for name in wanted:
        assert found[name]["test"] == "corrected t", name
        assert len(found[name]["repeats"]) == 2


@pytest.mark.deep
def test_a_study_of_clips(study, tmp_path):
    values = yaml.safe_load((study / "params.yaml").read_text())
    values |= {"clip_studies": {"cnn_gru": {"source": "ckplus", "trials": 2, "epochs": 1}}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    tune(["--model", "cnn_gru", "--source", "ckplus",
          "--faces", str(study / "faces" / "ckplus.parquet"),
          "--leaks", str(study / "leaks" / "ckplus.parquet"), "--metrics", str(tmp_path / "m.json"),
          "--plots", str(tmp_path / "plots"), "--runs", str(tmp_path / "runs"),
          "--params", str(tmp_path / "params.yaml")])  # fmt: skip
    assert json.loads((tmp_path / "m.json").read_text())["trials"] == 2
