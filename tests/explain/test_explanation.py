"""The whole way for a model of clips; stills are in `test_main.py`."""

import numpy as np
import pytest
import torch

from fer_pipeline import checkpoints, manifest, registry
from fer_pipeline.emotions import COMMON7
from fer_pipeline.explain import cases, explanation
from fer_pipeline.explain.params import ExplainParams
from fer_pipeline.predictions import PREDICTIONS

LENGTHS = (4, 7, 12)


@pytest.fixture
def clips(tmp_path, face_row, prediction_row, write):
    """cnn_gru as it is initialised, three clips of noise, shorter and longer than its input."""
    module = registry.load("models", "cnn_gru")
    torch.manual_seed(0)
    model = module.build(len(COMMON7), pretrained=False)
    card = checkpoints.Card(
        "cnn_gru", "cnn_gru", "drawn", 0, COMMON7, module.INPUT, {}, "none", "unknown", 1, 0.5
    )
    checkpoints.save(tmp_path / "0", model, card)
    rng = np.random.default_rng(0)
    faces, rows = [], []
    for number, length in enumerate(LENGTHS):
        for frame in range(length):
            crop = rng.integers(0, 256, (112, 112), dtype=np.uint8)
            more = {"sequence": f"clip{number}", "frame": frame}
            faces.append(face_row(f"clip{number}/{frame}", "fear", crop, **more))
        likely = rng.dirichlet(np.ones(7))
        rows.append(prediction_row(f"clip{number}", "fear", likely) | {"model": "cnn_gru"})
    write(tmp_path / "faces.parquet", faces, manifest.FACES)
    write(tmp_path / "predictions.parquet", rows, PREDICTIONS)
    return tmp_path


def test_the_numbers_are_of_the_random_draw_alone(clips, monkeypatch):
    # The grid shows all three clips; one of them is drawn for the shares.
    told = {}

    def spy(cases, heat, classes):
        told["ids"], told["maps"] = [case.id for case in cases], len(heat)
        return summarise(cases, heat, classes)

    summarise = explanation.summarise
    monkeypatch.setattr(explanation, "summarise", spy)
    paths = (clips / "0", clips / "faces.parquet", clips / "predictions.parquet")
    params = ExplainParams(per_class=3, images=1, seed=4)
    numbers, _ = explanation.explain("cnn_gru", "drawn", *paths, params)
    everyone = cases.read(paths[2], "cnn_gru", "drawn")
    assert told == {"ids": [case.id for case in cases.drawn(everyone, 1, 4)], "maps": 1}
    assert numbers["images"] == 1


def test_clips_are_explained_frame_by_frame(clips, monkeypatch):
    seen = {}
    original = explanation.heatmaps

    def spy(*arguments):
        seen["heat"] = original(*arguments)
        return seen["heat"]

    monkeypatch.setattr(explanation, "heatmaps", spy)
    numbers, sheet = explanation.explain(
        "cnn_gru",
        "drawn",
        clips / "0",
        clips / "faces.parquet",
        clips / "predictions.parquet",
        ExplainParams(per_class=1, images=3),
    )
    size = registry.load("models", "cnn_gru").INPUT.size
    frames = registry.load("models", "cnn_gru").INPUT.frames
    expected = {(min(length, frames), size, size) for length in LENGTHS}
    assert {each.shape for each in seen["heat"]} == expected
    assert numbers["images"] == 3
    # Three frames per cell, and a cell for right and for wrong.
    assert sheet.width > 2 * 3 * 104
