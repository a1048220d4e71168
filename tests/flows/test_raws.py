"""A raw dataset that is not there is named with where to get it, however it comes to light."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows import process, profiles, raws

HOME = Path(__file__).parents[2]

FILES = {
    "params.yaml": "datasets: {rafdb: {origin: raw}, jaffe: {origin: sample}}\n",
    "params/raw.yaml": "datasets: {rafdb: {origin: raw}, jaffe: {origin: sample}}\n",
    "dvc.yaml": """
stages:
  ingest:
    cmd: mkdir -p out && ls data/raw/rafdb > out/rafdb.txt
    deps: [data/raw/rafdb]
    outs: [out/rafdb.txt]
""",
    ".gitignore": "/data\n/out\n",
}


@pytest.fixture
def root(repository):
    return repository(FILES)


def test_only_what_a_user_has_to_bring(root):
    (line,) = raws.missing(root)
    assert line.startswith("data/raw/rafdb is not there; put into it RAF-DB")
    (root / "data/raw/rafdb").mkdir(parents=True)
    assert raws.missing(root) == []


@pytest.mark.parametrize("jobs", [(), ("--jobs", "2")])
def test_a_run_that_fails_for_want_of_it_says_so(root, jobs):
    done = subprocess.run(
        [sys.executable, "-m", "flows.repro", *jobs],
        cwd=root,
        env=process.environment({"PYTHONPATH": str(HOME)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (1, 255)
    assert "\ndata/raw/rafdb is not there; put into it RAF-DB" in done.stderr


def test_a_profile_says_what_it_needs(root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    profiles.main(["raw"])
    told = capsys.readouterr().out
    assert "params.yaml is now params/raw.yaml" in told
    assert "data/raw/rafdb is not there" in told
