"""One training on two processes."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from fer_pipeline import checkpoints
from fer_pipeline.errors import BadParams
from fer_pipeline.train import parallel
from fer_pipeline.train.__main__ import main


def test_shares_are_all_of_a_batch():
    rows = np.arange(11)
    shares = [parallel.Ranks(rank, 3).share(rows) for rank in range(3)]
    assert [len(share) for share in shares] == [4, 4, 3]
    np.testing.assert_array_equal(np.concatenate(shares), rows)


def test_alone_changes_nothing():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    assert parallel.synced(model, parallel.ALONE) is model
    assert parallel.ALONE.agreed("it") == "it"
    assert parallel.ALONE.add(torch.ones(2)).tolist() == [1, 1]


def test_a_normalisation_of_one_process_is_torchs(monkeypatch):
    monkeypatch.setattr(parallel, "_summed", lambda values: values)
    torch.manual_seed(0)
    plain, synced = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    parallel.synced(synced, parallel.Ranks(0, 2))
    x = torch.randn(6, 3, 4, 4) * 2 + 1
    for _ in range(2):
        given = [x.clone().requires_grad_(), x.clone().requires_grad_()]
        found = [layer(value) for layer, value in zip((plain, synced), given, strict=True)]
        torch.testing.assert_close(found[1], found[0])
        for value in found:
            value.square().sum().backward()
        torch.testing.assert_close(given[1].grad, given[0].grad)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(synced.state_dict()[name], value)
    torch.testing.assert_close(synced.eval()(x), plain.eval()(x))


def test_a_normalisation_of_nearly_equal_large_values_stays_finite(monkeypatch):
    monkeypatch.setattr(parallel, "_summed", lambda values: values)
    synced = nn.BatchNorm1d(64, eps=1e-12)
    parallel.synced(synced, parallel.Ranks(0, 2))
    random = torch.Generator().manual_seed(0)
    x = 4096 * torch.rand(1, 64, generator=random) + torch.rand(8, 64, generator=random) / 256
    assert torch.isfinite(synced(x)).all()
    assert (synced.running_var >= 0).all()


def test_one_gpu_for_all_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(BadParams, match="names one GPU for 2 processes"):
        with parallel.ranks("cuda:0"):
            pass


@pytest.mark.parametrize("value", ["two", "0", "-1"])
def test_a_bad_number_of_processes_is_named(monkeypatch, value):
    monkeypatch.setenv(parallel.VARIABLE, value)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(BadParams, match="FER_TRAIN_PROCESSES = "):
        parallel.spread()


MUCH = {"sam": 0.05, "micro_batch": 6, "clip": 1.0, "ema": 0.8}


@pytest.mark.slow
@pytest.mark.parametrize("change", [{}, pytest.param(MUCH, marks=pytest.mark.deep)])
def test_two_processes_learn_what_one_does(tables, params_file, command, tmp_path, change):
    # At 0.02 rounding outgrows the tolerance: one process on two threads is 1 % off one thread.
    settings = {"epochs": 3, "batch": 20, "lr": 0.01, "options": {"dropout": 0.0}, **change}
    if "micro_batch" in change:
        # Normalisation sees a micro-batch, and these are cut otherwise in two processes.
        settings["options"] |= {"norm": False}
    params = params_file(**settings)
    main(command(tables, params, "one", model="small_cnn"))
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words += ["-m", "fer_pipeline.train", *command(tables, params, "two", model="small_cnn")]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("small_cnn on fer2013:") == 1, "one speaks for all"
    one, two = (pd.read_csv(tmp_path / name / "curves.csv") for name in ("one", "two"))
    for column in ("train_loss", "val_loss"):
        np.testing.assert_allclose(two[column], one[column], rtol=2e-3)
    first, card = checkpoints.load(tmp_path / "one" / "checkpoints" / "0")
    second, other = checkpoints.load(tmp_path / "two" / "checkpoints" / "0")
    assert card.params == other.params
    assert list(first.state_dict()) == list(second.state_dict())
    counts = [json.loads((tmp_path / n / "metrics.json").read_text()) for n in ("one", "two")]
    assert counts[0]["train_rows"] == counts[1]["train_rows"]


UNLIKE = """
import os, sys, torch
from fer_pipeline.train.__main__ import main
torch.set_num_threads(1 + int(os.environ["RANK"]))
main(sys.argv[1:])
"""


@pytest.mark.deep
def test_machines_with_other_numbers_of_cores_train_together(
    tables, params_file, command, tmp_path
):
    script = tmp_path / "unlike.py"
    script.write_text(UNLIKE)
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    words += command(tables, params_file(epochs=1), "two")
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "two" / "checkpoints" / "0" / checkpoints.CARD).is_file()


@pytest.mark.deep
def test_processes_by_a_variable(tables, params_file, command, tmp_path, monkeypatch):
    monkeypatch.setenv(parallel.VARIABLE, "2")
    words = command(tables, params_file(epochs=1), "two")
    done = subprocess.run(
        [sys.executable, "-m", "fer_pipeline.train", *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "two" / "checkpoints" / "0" / checkpoints.CARD).is_file()
