"""Weights against torch.load; damaged or hostile files are refused."""

import pickle

import numpy as np
import pytest
import torch

from fer_pipeline.detectors import _weights
from fer_pipeline.errors import MissingData


@pytest.mark.parametrize("name", ["pnet", "rnet", "onet"])
def test_as_torch_reads_them(name):
    found = _weights.load(name)
    expected = torch.load(_weights.path(name), weights_only=True)
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key].dtype == np.float32
        np.testing.assert_array_equal(found[key], values.numpy())


def test_a_shared_storage_and_a_transposed_tensor(tmp_path):
    whole = torch.arange(12, dtype=torch.float32)
    state = {"part": whole[3:9].view(2, 3), "turned": whole.view(3, 4).T}
    torch.save(state, tmp_path / "w.pt", _use_new_zipfile_serialization=False)
    found = _weights.parse((tmp_path / "w.pt").read_bytes(), "w")
    np.testing.assert_array_equal(found["part"], [[3, 4, 5], [6, 7, 8]])
    np.testing.assert_array_equal(found["turned"], np.arange(12).reshape(3, 4).T)


def test_a_pickle_that_runs_code_does_not(tmp_path):
    class Evil:
        def __reduce__(self):
            return (exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    with pytest.raises(MissingData, match="weights x are damaged"):
        _weights.parse(pickle.dumps(Evil()), "x")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("length", [0, 10, 500, 20_000])
def test_a_truncated_file_says_so(length):
    data = _weights.path("pnet").read_bytes()[:length]
    with pytest.raises(MissingData, match="weights pnet"):
        _weights.parse(data, "pnet")


def test_another_pickle_says_so():
    with pytest.raises(MissingData, match="not a file of torch's first format"):
        _weights.parse(b"".join(pickle.dumps(value, 2) for value in (1, 2, 3)), "x")


def test_without_the_package(monkeypatch):
    monkeypatch.setattr(_weights, "find_spec", lambda name: None)
    with pytest.raises(MissingData, match="pip install facenet-pytorch"):
        _weights.load("pnet")
