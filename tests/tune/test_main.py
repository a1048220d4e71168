"""The stage as a command: a real study on small tables, its files, and its errors."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import yaml
from PIL import Image

from fer_pipeline.tune.__main__ import main


def metrics_of(folder):
    return json.loads((folder / "simple_cnn-fer2013.json").read_text())


@pytest.fixture(autouse=True)
def no_storage(monkeypatch):
    monkeypatch.delenv("FER_TUNE_STORAGE", raising=False)


def test_a_study_writes_what_it_found(command, tmp_path, capsys):
    main(command(line={"trials": 5}))
    found = metrics_of(tmp_path / "a")
    assert found["trials"] == 5
    assert found["complete"] + found["pruned"] == 5
    assert set(found["values"]) == {"lr", "options.dropout"}
    assert found["score"] == "val_accuracy"
    table = pd.read_csv(tmp_path / "a" / "plots" / "trials.csv")
    assert len(table) == 5
    assert table["score"].max() == pytest.approx(found["best"])
    assert (table["best"].dropna().diff().dropna() >= 0).all()
    for name in ("history", "importance", "parallel"):
        with Image.open(tmp_path / "a" / "plots" / f"{name}.png") as shown:
            assert min(shown.size) > 300
    told = capsys.readouterr().out
    assert "simple_cnn on fer2013: 5 trials" in told
    assert "python -m fer_pipeline.tune accept simple_cnn" in told


def test_what_was_found_is_accepted(command, tmp_path, capsys):
    main(command(epochs=1))
    params = tmp_path / "a.yaml"
    main(["accept", "simple_cnn", "--params", str(params), "--metrics", str(tmp_path / "a")])
    line = yaml.safe_load(params.read_text())["models"]["simple_cnn"]
    values = metrics_of(tmp_path / "a")["values"]
    assert line == {"lr": values["lr"], "options": {"dropout": values["options.dropout"]}}
    told = capsys.readouterr().out
    assert "simple_cnn now has lr" in told
    assert "epochs of its trials: 1; of a training: 2" in told


def test_a_trial_is_never_given_test_rows(command, tmp_path):
    main(command(trials=1))
    curves = next((tmp_path / "a" / "runs").glob("*/curves.json"))
    assert json.loads(curves.read_text())["counts"]["val_rows"] == 21


def test_errors_are_one_line(command, capsys):
    with pytest.raises(SystemExit):
        main(command(space={"lrr": {"low": 0.1, "high": 0.2}}))
    told = capsys.readouterr().err.splitlines()[-1]
    assert "tune.space.lrr is no key of train; did you mean 'lr'?" in told


def killed(arguments, folder, trials):
    """Starts the study and kills it once so many trials have ended."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_pipeline.tune", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"trial {trials}/"):
            time.sleep(0.3)
            process.send_signal(signal.SIGKILL)
            break
    process.stderr.close()
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.deep
def test_a_study_killed_for_good_ends_as_an_undisturbed_one(command, tmp_path):
    main(command("whole", trials=6))
    killed(command("killed", trials=6), tmp_path / "killed", 2)
    main(command("killed", trials=6))
    whole, again = metrics_of(tmp_path / "whole"), metrics_of(tmp_path / "killed")
    assert again["values"] == whole["values"]
    assert again["best"] == whole["best"]
    assert again["trials"] == 6


@pytest.mark.deep
def test_two_workers_share_a_journal(command, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_TUNE_STORAGE", f"journal://{tmp_path}/shared.log")
    first, second = command("one", trials=6), command("two", trials=6)
    other = subprocess.Popen([sys.executable, "-m", "fer_pipeline.tune", *second])
    main(first)
    assert other.wait(timeout=120) == 0
    one, two = metrics_of(tmp_path / "one"), metrics_of(tmp_path / "two")
    assert one == two
    assert 6 <= one["trials"] <= 7
