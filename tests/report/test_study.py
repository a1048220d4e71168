import shutil
from pathlib import Path

import pytest

from fer_pipeline.errors import BadParams, MissingData

pytestmark = pytest.mark.xdist_group("report")


@pytest.fixture
def copy(small, tmp_path):
    """The study, to be changed."""
    return shutil.copytree(small.folder, tmp_path / "copy")


def test_reads_the_runs_of_the_axes_own_set_first(small, read):
    found = read(small.folder)
    assert [run.name for run in found.runs] == [
        "simple_cnn-fer2013",
        "simple_cnn-jaffe",
        "resnet18-fer2013",
        "resnet18-jaffe",
    ]
    assert all(next(iter(run.results)) == run.source for run in found.runs)
    assert found.confidence == 0.95


def test_files_of_runs_that_are_no_longer_asked_for_are_ignored(copy, read):
    text = (copy / "params.yaml").read_text()
    (copy / "params.yaml").write_text(text.replace("simple_cnn: {}, ", ""))
    assert [run.model for run in read(copy).runs] == ["resnet18", "resnet18"]


def test_nothing_is_read_that_the_stage_does_not_declare(small, read, monkeypatch, root):
    import yaml

    declared = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]["report"]["deps"]
    # The test study keeps data/ and the ledger at its top.
    places = [dep.removeprefix("data/").replace("metrics/test_uses", "uses") for dep in declared]
    opened = []
    for name in ("open", "read_text", "is_file"):
        original = getattr(Path, name)

        def spy(path, *given, original=original, **named):
            opened.append(path)
            return original(path, *given, **named)

        monkeypatch.setattr(Path, name, spy)
    read(small.folder)
    inside = {str(p.relative_to(small.folder)) for p in opened if small.folder in p.parents}
    assert len(inside) > 20
    left = {path for path in inside if not path.startswith(tuple(places))}
    assert left == {"params.yaml"}


def test_the_critical_difference_diagram_is_shown_where_there_is_one(copy, read):
    assert read(copy).ranks is None
    (copy / "plots/compare").mkdir()
    drawn = copy / "plots/compare/critical_difference.png"
    shutil.copy(copy / "plots/explain/resnet18-jaffe.png", drawn)
    assert read(copy).ranks == drawn


def test_uses_of_test_sets_come_from_the_ledger(small, read):
    uses = read(small.folder).uses
    assert uses["simple_cnn", "fer2013", "jaffe"] == 2
    assert uses["resnet18", "jaffe", "jaffe"] == 3


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
        ("heat/resnet18-jaffe.json", "explain"),
        ("uses.jsonl", "evaluate"),
    ],
)
def test_a_missing_file_is_named_with_its_stage(copy, read, name, stage):
    (copy / name).unlink()
    with pytest.raises(MissingData, match=f"{name.rsplit('/')[-1]}.*dvc repro {stage}"):
        read(copy)


def test_no_runs_at_all_is_said(copy, read):
    text = (copy / "params.yaml").read_text()
    (copy / "params.yaml").write_text(
        text.replace("sources: {fer2013: {}, jaffe: {}}", "sources: {}")
    )
    with pytest.raises(BadParams, match="nothing to report"):
        read(copy)
