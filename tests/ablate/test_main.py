"""The stage on small tables."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from fer_pipeline import images, manifest
from fer_pipeline.ablate.__main__ import main
from fer_pipeline.emotions import COMMON7


def picture(emotion, seed):
    pixels = np.random.default_rng(seed).integers(0, 90, (48, 48), dtype=np.uint8)
    top = 4 + COMMON7.index(emotion) * 6
    pixels[top : top + 4, 8:40] += 150
    return pixels


@pytest.fixture
def command(tmp_path):
    """Writes tables and params.yaml; gives the arguments."""
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
            # Test rows hold no picture: whoever looked at one would fail.
            row |= {"alignment": "precropped"}
            crop = images.encode_png(picture(emotion, number))
            row["crop"] = crop if split != "test" else b"no picture"
            crops.add(row)
            lost.add(dict.fromkeys(manifest.LEAKS.names) | {"id": row["id"]})

    def make(repeats=2, **ablate):
        params = tmp_path / "params.yaml"
        train = {"epochs": 3, "batch": 16, "lr": 0.02, "precision": "float32", "device": "cpu"}
        content = {
            "datasets": {"fer2013": {"origin": "sample", "detector": "precropped"}},
            "models": {"simple_cnn": {}},
            "ablations": {"simple_cnn": {"source": "fer2013"} | ablate},
            "clip_ablations": {},
            "repeats": repeats,
            "train": train,
            "ablate": {"variants": ["no_augmentation", "no_norm", "no_attention"]},
        }
        params.write_text(yaml.safe_dump(content))
        return [
            *("--model", "simple_cnn", "--source", "fer2013", "--raw", str(tmp_path / "raw")),
            *("--faces", str(faces), "--leaks", str(leaks)),
            *("--metrics", str(tmp_path / "metrics.json"), "--out", str(tmp_path / "all.json")),
            *("--plots", str(tmp_path / "plots"), "--runs", str(tmp_path / "runs")),
            *("--params", str(params)),
        ]

    return make


def test_an_ablation_writes_its_differences(command, tmp_path, capsys):
    main(command(own={"slow": {"lr": 0.00001}}))
    found = json.loads((tmp_path / "all.json").read_text())
    assert found["rows"] == 21
    assert found["repeats"] == 2
    assert set(found["variants"]) == {"no_augmentation", "no_norm", "no_attention", "slow"}
    assert found["variants"]["no_attention"] == {"why": "simple_cnn has no option attention"}
    assert found["variants"]["slow"]["difference"] < 0
    shown = json.loads((tmp_path / "metrics.json").read_text())
    assert set(shown) == {"base", "repeats", "no_augmentation", "no_norm", "slow"}
    table = pd.read_csv(tmp_path / "plots" / "differences.csv")
    assert list(table["variant"]) == ["no_augmentation", "no_norm", "slow"]
    assert (table["low"] <= table["points"]).all()
    with Image.open(tmp_path / "plots" / "differences.png") as plot:
        assert min(plot.size) > 200
    told = capsys.readouterr()
    assert "no_attention       does not apply: simple_cnn has no option attention" in told.out
    assert "no_norm: validation accuracy" in told.err


def test_what_is_trained_is_not_trained_again(command, tmp_path, capsys):
    main(command(repeats=1))
    kept = sorted(path.name for path in (tmp_path / "runs").iterdir())
    capsys.readouterr()
    main(command(repeats=1))
    assert "epoch" not in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == kept


def test_embedded_pictures_under_a_detector_stop_nothing(command, tmp_path, capsys):
    """These rows have no picture file, whatever detector params.yaml names."""
    words = command(repeats=1, variants=["no_alignment"])
    params = tmp_path / "params.yaml"
    params.write_text(params.read_text().replace("precropped", "mtcnn"))
    main(words)
    found = json.loads((tmp_path / "all.json").read_text())
    assert "come as crops" in found["variants"]["no_alignment"]["why"]


def test_an_unknown_variant_is_named(command, capsys):
    with pytest.raises(SystemExit):
        main(command(variants=["no_head"]))
    assert "no_head" in capsys.readouterr().err
