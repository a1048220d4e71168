"""Checkpoints: weights and card, all or nothing."""

import json
from dataclasses import replace

import pytest
import torch

from fer_pipeline import checkpoints
from fer_pipeline.checkpoints import Card
from fer_pipeline.emotions import COMMON7
from fer_pipeline.errors import MissingData, UnknownName
from fer_pipeline.images import Input
from fer_pipeline.models import simple_cnn


@pytest.fixture
def card():
    return Card(
        name="simple_cnn",
        model="simple_cnn",
        source="fer2013",
        repeat=1,
        classes=COMMON7,
        input=simple_cnn.INPUT,
        params={"lr": 0.1, "augment": {"flip": 0.5}},
        data="0123456789abcdef",
        code="unknown",
        epoch=3,
        score=0.625,
    )


def test_card_round_trip(card, tmp_path):
    checkpoints.save(tmp_path / "0", simple_cnn.build(7), card)
    found = checkpoints.read_card(tmp_path / "0")
    assert found == card
    assert isinstance(found.input, Input)
    assert isinstance(found.classes, tuple)


def test_a_card_remembers_where_its_weights_come_from(card, tmp_path):
    later = replace(card, name="later", source="rafdb", start=card)
    latest = replace(later, name="latest", source="jaffe", start=later)
    checkpoints.save(tmp_path / "0", simple_cnn.build(7), latest)
    found = checkpoints.read_card(tmp_path / "0")
    assert found == latest
    assert [one.source for one in found.lineage()] == ["jaffe", "rafdb", "fer2013"]


def test_files_are_safetensors_and_json(card, tmp_path):
    checkpoints.save(tmp_path / "0", simple_cnn.build(7), card)
    names = {path.name for path in (tmp_path / "0").iterdir()}
    assert names == {"weights.safetensors", "checkpoint.json"}
    values = json.loads((tmp_path / "0" / "checkpoint.json").read_text())
    assert values["classes"] == list(COMMON7)


def test_channels_last_weights_come_back_equal(card, tmp_path):
    model = simple_cnn.build(7).to(memory_format=torch.channels_last)
    checkpoints.save(tmp_path / "0", model, card)
    again, _ = checkpoints.load(tmp_path / "0")
    assert not again.training
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_same_weights_same_bytes(card, tmp_path):
    model = simple_cnn.build(7)
    for name in "ab":
        checkpoints.save(tmp_path / name, model, card)
    for file in ("weights.safetensors", "checkpoint.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_kill_while_saving_leaves_the_old_checkpoint(card, tmp_path, monkeypatch):
    model = simple_cnn.build(7)
    checkpoints.save(tmp_path / "0", model, card)

    def killed(path, value):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(tmp_path / "0", simple_cnn.build(7), card)
    again, _ = checkpoints.load(tmp_path / "0")
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    assert [path.name for path in tmp_path.iterdir()] == ["0"]


def test_missing_checkpoint_is_said(tmp_path):
    with pytest.raises(MissingData, match="train"):
        checkpoints.read_card(tmp_path / "0")


def test_model_whose_file_is_gone_is_said(card, tmp_path):
    gone = Card(**{**card.__dict__, "model": "simple_cn"})
    checkpoints.save(tmp_path / "0", simple_cnn.build(7), gone)
    with pytest.raises(UnknownName, match="simple_cnn"):
        checkpoints.load(tmp_path / "0")
