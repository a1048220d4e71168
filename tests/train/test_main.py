"""The command: outputs, one-line errors, and a real kill."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fer_pipeline.train.__main__ import main


def content(folder):
    """Bytes of all outputs; the folder of runs does not count."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "runs" not in path.relative_to(folder).parts
    }


def test_outputs(tables, params_file, command, tmp_path, capsys):
    main(command(tables, params_file(repeats=2, epochs=3)))
    folder = tmp_path / "a"
    metrics = json.loads((folder / "metrics.json").read_text())
    rows = list(csv.DictReader((folder / "curves.csv").open()))
    assert [(row["repeat"], row["epoch"]) for row in rows] == [
        (repeat, epoch) for repeat in "01" for epoch in "123"
    ]
    best = [
        max(float(row["val_accuracy"]) for row in rows if row["repeat"] == repeat)
        for repeat in "01"
    ]
    assert metrics["val_accuracy"] == pytest.approx(sum(best) / 2, abs=1e-5)
    assert (metrics["train_rows"], metrics["val_rows"], metrics["repeats"]) == (70, 21, 2)
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["0", "1"]
    captured = capsys.readouterr()
    assert "70 rows trained" in captured.out
    assert "epoch   3/3" in captured.err


def test_same_inputs_same_bytes(tables, params_file, command, tmp_path):
    path = params_file()
    for name in ("a", "b"):
        main(command(tables, path, name))
    assert content(tmp_path / "a") == content(tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lr": -1}, "lr"),
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"device": "toaster"}, "toaster"),
        ({"pretrained": True, "mode": "finetune"}, "pretrained"),
    ],
)
def test_errors_are_one_line(tables, params_file, command, capsys, change, words):
    with pytest.raises(SystemExit) as stop:
        main(command(tables, params_file(**change)))
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert words in message


def test_unknown_names_are_one_line(tables, params_file, command, capsys):
    with pytest.raises(SystemExit):
        main(command(tables, params_file(), model="simple_cn"))
    assert "did you mean 'simple_cnn'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(command(tables._replace(faces=tables.faces.parent / "no.parquet"), params_file()))
    assert "no.parquet" in capsys.readouterr().err


def start(arguments):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "fer_pipeline.train", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_a_killed_training_ends_as_an_undisturbed_one(tables, params_file, command, tmp_path):
    path = params_file(epochs=6, batch=8, ema=0.9, optimiser="adamw", lr=0.001)
    main(command(tables, path, "whole"))
    runs = tmp_path / "killed" / "runs"
    killed = 0
    for _ in range(2):
        process = start(command(tables, path, "killed"))
        before = {p: p.stat().st_mtime_ns for p in runs.glob("*/last.safetensors")}
        while process.poll() is None:
            now = {p: p.stat().st_mtime_ns for p in runs.glob("*/last.safetensors")}
            if now and now != before:
                process.send_signal(signal.SIGKILL)
                killed += process.wait() == -signal.SIGKILL
            time.sleep(0.005)
    assert killed == 2, "both were killed in the middle"
    assert list(runs.glob("*/last.safetensors")), "there is something to go on from"
    main(command(tables, path, "killed"))
    assert content(tmp_path / "killed") == content(tmp_path / "whole")
    left = {path.name for path in runs.rglob("*.safetensors")}
    assert left == {"weights.safetensors"}
