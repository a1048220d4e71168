"""The compare command on simulated predictions."""

import json
from pathlib import Path

import numpy as np
import pytest

from fer_pipeline import manifest
from fer_pipeline.compare.__main__ import main
from fer_pipeline.emotions import COMMON7
from fer_pipeline.evaluate import table
from fer_pipeline.predictions import PREDICTIONS

pytestmark = pytest.mark.xdist_group("compare")

PARAMS = """
models: {simple_cnn: {}, deep_cnn: {}, resnet18: {}}
sources: {fer2013: {}}
clip_models: {cnn_gru: {}}
transfers: {}
clip_sources: {ckplus: {}}
compare: {}
"""
SKILL = {"simple_cnn": 0.5, "deep_cnn": 0.5, "resnet18": 0.85, "cnn_gru": 0.6}


def write(folder: Path, model: str, source: str, targets: dict[str, int], repeats: int) -> None:
    """Predictions that are right with the model's skill, wrong ones one class further."""
    path = folder / f"{model}-{source}.parquet"
    schema = table.schema(dict.fromkeys(range(repeats), 1000))
    with manifest.writing(path, schema) as writer:
        for target, count in targets.items():
            for repeat in range(repeats):
                rng = np.random.default_rng([len(model), count, repeat])
                right = rng.random(count) < SKILL[model]
                for i in range(count):
                    row = dict.fromkeys(PREDICTIONS.names)
                    writer.add(
                        row
                        | {
                            "model": model,
                            "source": source,
                            "repeat": repeat,
                            "target": target,
                            "id": f"{target}/{i}",
                            "emotion": COMMON7[i % 7],
                            "predicted": COMMON7[(i + 1 - right[i]) % 7],
                            "repeated": False,
                        }
                    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("compare")
    for model in ("simple_cnn", "deep_cnn", "resnet18"):
        write(root / "predictions", model, "fer2013", {"fer2013": 300, "rafdb": 120}, 3)
    write(root / "predictions", "cnn_gru", "ckplus", {"ckplus": 40}, 1)
    (root / "predictions/vit-fer2013.parquet").write_bytes(b"left over from an earlier study")
    (root / "params.yaml").write_text(PARAMS)
    return root


def run(folder: Path, out: Path, predictions: Path | None = None) -> None:
    main([
        "--predictions", str(predictions or folder / "predictions"),
        "--out", str(out / "comparison.json"),
        "--metrics", str(out / "compare.json"),
        "--plots", str(out / "plots"),
        "--params", str(folder / "params.yaml"),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def results(folder) -> dict:
    run(folder, folder / "out")
    return json.loads((folder / "out/comparison.json").read_text())


def test_every_pair_on_every_target(results):
    pairs = [(p["source"], p["target"], p["a"], p["b"]) for p in results["pairs"]]
    assert len(pairs) == len(set(pairs)) == 2 * 3
    assert ("fer2013", "rafdb", "deep_cnn", "resnet18") in pairs


def test_differences_are_those_of_the_predictions(results):
    pair = next(p for p in results["pairs"] if (p["target"], p["b"]) == ("fer2013", "resnet18"))
    assert pair["difference"] == pytest.approx(pair["accuracy_a"] - pair["accuracy_b"], abs=1e-6)
    assert np.mean(pair["repeats"]["differences"]) == pytest.approx(pair["difference"], abs=1e-6)
    assert pair["low"] < pair["difference"] < pair["high"] < 0
    assert pair["repeats"]["test_share"] == pytest.approx(300 / 1000)
    assert len(pair["mcnemar"]) == 3
    assert pair["mcnemar"][0]["p_holm"] >= pair["mcnemar"][0]["p"]


def test_many_models_over_repeats_and_across(results):
    over = [(entry["over"], entry["blocks"]) for entry in results["many"]]
    assert over == [("repeats", 3), ("repeats", 3), ("own test sets", 1)]
    assert results["many"][-1]["names"] == ["fer2013"]
    assert results["many"][0]["ranks"]["resnet18"] == 1


def test_metrics_are_numbers_only(folder, results):
    def leaves(value):
        return (
            [x for v in value.values() for x in leaves(v)] if isinstance(value, dict) else [value]
        )

    content = json.loads((folder / "out/compare.json").read_text())
    numbers = leaves(content)
    assert len(numbers) == 3 * 2
    assert all(isinstance(number, float) for number in numbers)
    assert "deep_cnn - resnet18" in content["fer2013"]


def test_plots_and_bytes_are_the_same_each_time(folder, results):
    run(folder, folder / "again")
    files = sorted(p.relative_to(folder / "out") for p in (folder / "out").rglob("*.*"))
    assert [file.name for file in files] == [
        "compare.json", "comparison.json", "differences.csv", "differences.png",
    ]  # fmt: skip
    for file in files:
        assert (folder / "out" / file).read_bytes() == (folder / "again" / file).read_bytes()


def test_the_table_tells_each_own_pair(folder, results, capsys):
    run(folder, folder / "told")
    told = capsys.readouterr().out
    assert "simple_cnn - resnet18" in told
    assert "All on 1 own test sets: resnet18" in told
    for name in ("corrected t", "Wilcoxon", "Shapiro"):
        assert name in told.split("over repeats, p values")[1].splitlines()[1]
    pair = next(p for p in results["pairs"] if (p["target"], p["b"]) == ("fer2013", "resnet18"))
    line = [part for part in told.splitlines() if f"{pair['a']} - resnet18" in part][1]
    cells = [f"{pair['repeats'][name]['p']:.3g}" for name in ("t", "corrected_t", "shapiro")]
    assert [cell for cell in cells if cell in line.split()] == cells
    assert "critical-difference diagram needs 3 models and 5 own test sets" in told


def test_the_csv_names_the_repeat_of_mcnemars_test(folder, results):
    lines = (folder / "out/plots/differences.csv").read_text().splitlines()
    assert lines[0].endswith("p_holm,mcnemar_on")
    assert all(line.endswith(",repeat 0") for line in lines[1:])


def test_a_single_run_has_nothing_to_compare(folder, tmp_path, capsys):
    (tmp_path / "params.yaml").write_text(PARAMS.replace("deep_cnn: {}, resnet18: {}", ""))
    (tmp_path / "predictions").symlink_to(folder / "predictions")
    run(tmp_path, tmp_path / "out")
    assert "not possible: no two models" in capsys.readouterr().out
    assert json.loads((tmp_path / "out/compare.json").read_text()) == {}
    assert not (tmp_path / "out/plots/differences.png").exists()


def test_a_missing_file_is_told_in_one_line(folder, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        run(folder, tmp_path, tmp_path)
    assert stop.value.code == 2
    assert "simple_cnn-fer2013.parquet" in capsys.readouterr().err


def test_predictions_must_tell_how_many_rows_were_trained_on(folder, tmp_path, capsys):
    with manifest.writing(tmp_path / "simple_cnn-fer2013.parquet", PREDICTIONS):
        pass
    with pytest.raises(SystemExit):
        run(folder, tmp_path / "out", tmp_path)
    assert "train_rows" in capsys.readouterr().err
