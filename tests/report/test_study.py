import shutil

import pytest

from fer_pipeline.errors import BadManifest, BadParams, MissingData
from fer_pipeline.report.study import read, read_csv, read_json


@pytest.fixture
def copy(small, tmp_path):
    """The study, to be changed."""
    return shutil.copytree(small.folder, tmp_path / "copy")


def study(folder):
    return read(
        folder / "metrics",
        folder / "scores",
        folder / "comparison.json",
        folder / "plots",
        folder / "params.yaml",
    )


def test_reads_the_runs_of_the_axes_own_set_first(small):
    found = study(small.folder)
    assert [run.name for run in found.runs] == [
        "simple_cnn-fer2013",
        "simple_cnn-jaffe",
        "resnet18-fer2013",
        "resnet18-jaffe",
    ]
    assert all(next(iter(run.results)) == run.source for run in found.runs)
    assert found.confidence == 0.95


def test_files_of_runs_that_are_no_longer_asked_for_are_ignored(copy):
    text = (copy / "params.yaml").read_text()
    (copy / "params.yaml").write_text(text.replace("simple_cnn: {}, ", ""))
    assert [run.model for run in study(copy).runs] == ["resnet18", "resnet18"]


def test_sheets_are_shown_for_generated_sets_only(copy):
    (copy / "plots" / "sample").mkdir()
    for name in ("fer2013", "jaffe"):
        shutil.copy(copy / "plots/explain/resnet18-jaffe.png", copy / f"plots/sample/{name}.png")
    sheets = {dataset.name: dataset.sheet for dataset in study(copy).datasets}
    assert sheets["fer2013"] == copy / "plots/sample/fer2013.png"
    assert sheets["jaffe"] is None


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("scores/resnet18-jaffe.json", "evaluate"),
        ("metrics/train/resnet18-jaffe.json", "train"),
        ("plots/train/resnet18-jaffe.csv", "train"),
        ("plots/evaluate/resnet18-jaffe/roc.csv", "evaluate"),
        ("plots/explain/resnet18-jaffe.png", "explain"),
        ("metrics/validate/across.json", "validate"),
        ("comparison.json", "compare"),
    ],
)
def test_a_missing_file_is_named_with_its_stage(copy, name, stage):
    (copy / name).unlink()
    with pytest.raises(MissingData, match=f"{name.rsplit('/')[-1]}.*dvc repro {stage}"):
        study(copy)


def test_broken_files_are_named(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(BadManifest, match="is no JSON"):
        read_json(tmp_path / "a.json", "train")
    (tmp_path / "a.csv").write_text("epoch\n1\n")
    with pytest.raises(BadManifest, match="no column 'val_loss'"):
        read_csv(tmp_path / "a.csv", "train", ["epoch", "val_loss"])


def test_no_runs_at_all_is_said(copy):
    text = (copy / "params.yaml").read_text()
    (copy / "params.yaml").write_text(
        text.replace("sources: {fer2013: {}, jaffe: {}}", "sources: {}")
    )
    with pytest.raises(BadParams, match="nothing to report"):
        study(copy)
