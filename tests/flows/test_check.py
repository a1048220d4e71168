"""Each check on small repositories: what it accepts, and what it names when it does not."""

import json

import pytest

from flows import check, gate
from flows.check import CheckFailed, Place, Skipped

GRAPH = """
stages:
  make:
    cmd: python make.py
    deps: [make.py]
    params: [n]
    outs: [out.txt]
    metrics: [metrics/make/m.json]
"""
MAKE = """
import json, pathlib
pathlib.Path("out.txt").write_text("1")
pathlib.Path("metrics/make").mkdir(parents=True, exist_ok=True)
value = {VALUE}
pathlib.Path("metrics/make/m.json").write_text(json.dumps({"n": value}))
"""
FILES = {
    "dvc.yaml": GRAPH,
    "make.py": MAKE.replace("{VALUE}", "3"),
    "params.yaml": "n: 1\n",
    "params/tiny.yaml": "n: 1\n",
    ".gitignore": "/metrics/*/\n/out.txt\n",
}


@pytest.fixture
def place(repository, tmp_path):
    def of(files):
        return Place(repository(files), tmp_path / "work", "main")

    return of


def test_stages_are_counted(place, monkeypatch):
    here = place(FILES)
    assert check.stages(here) == "1 stages"
    monkeypatch.setattr(check, "MOST_STAGES", 0)
    with pytest.raises(CheckFailed, match="1 stages, at most 0"):
        check.stages(here)


def test_a_lock_is_fresh_until_a_parameter_changes(place, dvc):
    here = place(FILES)
    with pytest.raises(CheckFailed, match=r"stale \(1 stages: make\); run dvc repro and commit"):
        check.lock(here)
    dvc(here.root, "repro")
    assert check.lock(here) == "dvc.lock is fresh"
    (here.root / "params.yaml").write_text("n: 2\n", encoding="utf-8")
    with pytest.raises(CheckFailed, match="stale"):
        check.lock(here)


def test_a_lock_is_judged_without_the_data(place, dvc):
    here = place(FILES)
    dvc(here.root, "repro")
    (here.root / "out.txt").unlink()
    assert check.lock(here) == "dvc.lock is fresh"


def test_a_remote_lacks_what_was_not_pushed(place, dvc, tmp_path):
    here = place(FILES)
    with pytest.raises(Skipped, match="no DVC remote"):
        check.remote(here)
    dvc(here.root, "repro")
    dvc(here.root, "remote", "add", "-d", "there", str(tmp_path / "remote"))
    with pytest.raises(CheckFailed, match="2 outputs are not there, first "):
        check.remote(here)
    dvc(here.root, "push")
    assert check.remote(here) == "complete"


def test_two_fresh_runs_agree(place):
    said = check.pipeline(place(FILES))
    assert said.startswith("1 metrics files, equal in two fresh runs")


def test_two_fresh_runs_that_differ_are_named(place):
    code = MAKE.replace("{VALUE}", "__import__('os').getpid()")
    with pytest.raises(CheckFailed, match=r"two fresh runs differ in metrics/make/m\.json"):
        check.pipeline(place({**FILES, "make.py": code}))


def test_a_run_that_fails_says_why(place):
    with pytest.raises(CheckFailed, match=r"dvc repro of params/tiny.yaml says: .*ZeroDivision"):
        check.pipeline(place({**FILES, "make.py": "1 / 0\n"}))


def test_a_result_that_fell_is_named(place):
    summary = {"net-a": {"a": {"accuracy": 0.8, "low": 0.75, "high": 0.85}}}
    here = place({**FILES, gate.SUMMARY: json.dumps(summary)})
    assert "nothing fell" in check.regression(here)
    summary["net-a"]["a"]["accuracy"] = 0.7
    (here.root / gate.SUMMARY).write_text(json.dumps(summary), encoding="utf-8")
    with pytest.raises(CheckFailed, match="net-a/a: accuracy 70"):
        check.regression(here)


def test_the_command_and_its_comment(place, monkeypatch, capsys, tmp_path):
    here = place(FILES)
    monkeypatch.chdir(here.root)
    file = tmp_path / "comment.md"
    with pytest.raises(SystemExit) as ended:
        check.main(["stages", "remote", "lock", "--comment", str(file)])
    assert ended.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ...")[0] for line in lines] == ["stages", "remote", "lock"]
    text = file.read_text(encoding="utf-8")
    assert "| ✅ | stages |" in text
    assert "| ⏭️ | remote |" in text
    assert "| ❌ | lock |" in text
    assert "### Results against `main`\n\nno metrics" in text
    assert "E902" not in text
    with pytest.raises(SystemExit) as ended:
        check.main(["stages"])
    assert ended.value.code == 0
    with pytest.raises(SystemExit) as ended:
        check.main(["stage"])
    assert ended.value.code == 2
    assert "did you mean 'stages'" in capsys.readouterr().err
