"""The command, its outputs, its errors, and a SIGKILL in the middle."""

import json
import signal
import subprocess
import sys
import time

import pytest

from fer_pipeline import manifest
from fer_pipeline.detect.__main__ import main


def test_outputs(arguments, samples, row, params, tmp_path, capsys):
    paths = ("p0.png", "gray.png", "wall.png", "empty.jpg", "group.png")
    table = samples([row(path, path=path) for path in paths])
    main(arguments(table, params(size=64)))
    faces = manifest.read(tmp_path / "out" / "faces.parquet", manifest.FACES)
    assert faces["status"].to_pylist() == ["ok", "ok", "no_face", "unreadable", "ok"]
    metrics = json.loads((tmp_path / "out" / "detect.json").read_text())
    assert metrics == {
        "rows": 5,
        "read": 4,
        "found": 3,
        "detection_rate": 0.75,
        "several_faces": 1,
        "status": {"no_face": 1, "ok": 3, "unreadable": 1},
        "alignment": {"five_points": 3},
    }
    said = capsys.readouterr().out
    assert said.startswith("detect drawn with mtcnn\n")
    assert "detection rate              75.0%" in said
    # What a finished run keeps is its outputs.
    assert list((tmp_path / "out" / "runs").iterdir()) == []


def test_the_options_of_the_set_s_detector_are_used(arguments, samples, row, params, tmp_path):
    table = samples([row("a", path="p0.png")])
    main(arguments(table, params(options={"mtcnn": {"min_face_size": 141}, "haar": {}})))
    assert json.loads((tmp_path / "out" / "detect.json").read_text())["found"] == 0


@pytest.mark.parametrize(
    ("section", "detector", "message"),
    [
        ({}, "mtcmn", "error: no 'mtcmn' among the detectors; did you mean 'mtcnn'?"),
        ({"sise": 1}, "mtcnn", "did you mean 'size'?"),
        ({"options": {"mtcnn": {"factr": 1}}}, "mtcnn", "detect.options.mtcnn.factr is no"),
    ],
)
def test_faults_are_one_line(arguments, samples, row, params, capsys, section, detector, message):
    line = arguments(samples([row("a", path="p0.png")]), params(detector, **section))
    with pytest.raises(SystemExit) as stopped:
        main(line)
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert stopped.value.code == 2
    assert message in error


def test_missing_samples(arguments, params, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(arguments(tmp_path / "none.parquet", params()))
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}/none.parquet is not there")


@pytest.mark.slow
def test_a_killed_run_goes_on_and_gives_the_same_bytes(
    arguments, samples, row, params, tmp_path, pooled, shards_in
):
    paths = [f"p{i}.png" for i in range(6)] + ["group.png", "wall.png", "empty.jpg"]
    rows = [row(f"s{i}", path=paths[i % 9]) for i in range(140)]
    rows += [row(f"f{i}", path="clip.avi", frame=i % 6) for i in range(20)]
    table, settings = samples(rows), params(shard=4, workers=2)
    main(arguments(table, settings, "whole"))

    line = arguments(table, settings, "killed")
    killed = tmp_path / "killed"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", pooled, *line], **quiet) as running:
        while len(shards_in(killed)) < 5:
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
    assert not (killed / "faces.parquet").exists()
    assert 5 <= len(shards_in(killed)) < 40

    main(line)
    for name in ("faces.parquet", "detect.json"):
        assert (killed / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert shards_in(killed) == []
