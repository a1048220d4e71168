"""Best values in params.yaml."""

import pytest
import yaml

from fer_pipeline.errors import BadParams, MissingData
from fer_pipeline.outputs import write_json
from fer_pipeline.tune.accept import accept

PARAMS = """\
# The study of the house.
models:
  # small and quick
  simple_cnn: {epochs: 12}  # twelve will do
  deep_cnn:
    batch: 32   # of ours

  resnet18:
repeats: 2
train: {lr: 1.0e-3, augment: {flip: 0.5}}
"""


@pytest.fixture
def files(tmp_path):
    params = tmp_path / "params.yaml"
    params.write_text(PARAMS)
    values = {"lr": 0.02, "batch": 64, "augment.rotate": 4.5, "options.dropout": 0.25}
    write_json(tmp_path / "tune" / "simple_cnn-fer2013.json", {"values": values, "best": 0.6})
    write_json(tmp_path / "tune" / "deep_cnn-fer2013.json", {"values": values, "best": 0.6})
    write_json(tmp_path / "tune" / "resnet18-fer2013.json", {"values": values, "best": 0.6})
    return params, tmp_path / "tune"


def test_values_go_into_the_line_and_everything_else_stays(files):
    accept(*files, "simple_cnn")
    text = files[0].read_text()
    before, after = PARAMS.splitlines(), text.splitlines()
    changed = [
        (old, new) for old, new in zip(before, after, strict=True) if old.strip() != new.strip()
    ]
    assert len(changed) == 1
    assert changed[0][1] == (
        "  simple_cnn: {epochs: 12, augment: {rotate: 4.5}, batch: 64, lr: 0.02, "
        "options: {dropout: 0.25}} # twelve will do"
    )


@pytest.mark.parametrize(("model", "own"), [("deep_cnn", {}), ("resnet18", {})])
def test_other_forms_of_a_line(files, model, own):
    accept(*files, model)
    line = yaml.safe_load(files[0].read_text())["models"][model]
    assert line == own | {
        "lr": 0.02,
        "batch": 64,
        "augment": {"rotate": 4.5},
        "options": {"dropout": 0.25},
    }
    assert "# of ours" in files[0].read_text()


def test_again_changes_nothing(files):
    accept(*files, "simple_cnn")
    first = files[0].read_text()
    accept(*files, "simple_cnn")
    assert files[0].read_text() == first


@pytest.mark.parametrize("line", ["{lr: 1}", "{augment: {rotate: 1}}", "{augment: null}"])
def test_what_the_sources_line_sets_is_not_accepted(files, line):
    text = PARAMS + f"sources: {{fer2013: {line}, rafdb: {{batch: 8}}}}\n"
    files[0].write_text(text)
    with pytest.raises(BadParams, match=r"sources\.fer2013 sets (lr|augment\.rotate), and wins"):
        accept(*files, "simple_cnn")
    assert files[0].read_text() == text


def test_other_lines_of_sources_hinder_nothing(files):
    lines = "{augment: {flip: 0}, epochs: 3}, rafdb: {lr: 9}"
    files[0].write_text(
        PARAMS + f"sources: {{fer2013: {lines}}}\nclip_sources: {{fer2013: {{lr: 9}}}}\n"
    )
    assert accept(*files, "simple_cnn")["source"] == "fer2013"


def test_without_a_study(files):
    with pytest.raises(MissingData, match="no study of vit_small below"):
        accept(*files, "vit_small")


def test_with_several(files):
    write_json(files[1] / "simple_cnn-rafdb.json", {"values": {}})
    with pytest.raises(BadParams, match="several studies of simple_cnn"):
        accept(*files, "simple_cnn")


def test_without_a_line(files):
    files[0].write_text("models: {}\n")
    with pytest.raises(BadParams, match="no line for simple_cnn under models"):
        accept(*files, "simple_cnn")
