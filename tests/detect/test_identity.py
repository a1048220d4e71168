"""What must and what must not make a run start anew."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fer_pipeline.detect import identity
from fer_pipeline.detect.workers import Work


@pytest.fixture
def name(samples, row, tmp_path):
    """`name(**changes)`: the digest with something changed."""
    path = samples([row("a", path="p0.png")])

    def digest(rows=8, samples=path, **changes):
        work = replace(Work(tmp_path, "mtcnn", "{}", 112), **changes)
        return identity.identity(work, samples, rows)

    return digest


def test_it_is_stable(name):
    assert name() == name()
    assert len(name()) == 16


def test_where_the_raw_folder_lies_does_not_matter(name):
    assert name(raw=Path("/elsewhere")) == name()


@pytest.mark.parametrize(
    "change",
    [{"size": 96}, {"detector": "haar"}, {"options": '{"factor": 0.8}'}, {"rows": 9}],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_the_result_matters(name, change):
    assert name(**change) != name()


def test_the_samples_matter(name, samples, row):
    before = name()
    samples([row("b", path="p0.png")])
    assert name() != before


def test_the_content_of_a_model_s_file_matters(name, tmp_path):
    model = tmp_path / "model.onnx"
    options = json.dumps({"model": str(model)})
    model.write_bytes(b"one")
    first = name(options=options)
    model.write_bytes(b"two")
    assert name(options=options) != first


def test_the_code_and_the_libraries_matter(name, monkeypatch):
    before = name()
    monkeypatch.setattr(identity, "_SOURCES", identity._SOURCES[:-1])
    assert name() != before
    monkeypatch.undo()
    monkeypatch.setattr(identity, "_version", lambda package: "0")
    assert name() != before
