"""Two workers in clones with caches of their own, a controller in a third, a remote between."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
import yaml

from fer_pipeline.errors import BadParams
from flows import HOME, cluster, deploy, worker
from flows import tune as tune_flow
from flows.study import study
from flows.tune import tune

pytestmark = [pytest.mark.xdist_group("prefect"), pytest.mark.slow]

GRAPH = """
stages:
  part:
    foreach: [a, b, c, d]
    do:
      cmd: python part.py ${item} NOTES
      deps: [part.py]
      outs: ["${item}.txt"]
  join:
    cmd: cat a.txt b.txt c.txt d.txt > all.txt && echo '{"n":4}' > m.json
    deps: [a.txt, b.txt, c.txt, d.txt]
    outs: [all.txt]
    metrics: [m.json]
  tune:
    foreach: {m: {source: s}}
    do:
      cmd: echo ${key} $FER_TUNE_STORAGE $PWD >> NOTES/tuned && sleep 5 && echo best > best.txt
      deps: [a.txt]
      outs: [best.txt]
  report:
    cmd: cp all.txt page.txt && cp m.json summary.json
    deps: [all.txt, m.json]
    outs: [page.txt]
    metrics: [summary.json: {cache: false}]
"""
PART = """
import os, pathlib, sys, time
item, notes = sys.argv[1], pathlib.Path(sys.argv[2])
with (notes / "ran").open("a") as file:
    file.write(f"{item} {os.getcwd()}\\n")
stuck = notes / "stuck"
if stuck.exists() and item == "a":
    stuck.unlink()
    time.sleep(300)
time.sleep(2)
pathlib.Path(item + ".txt").write_text(item)
ledger = pathlib.Path("metrics/test_uses.jsonl")
ledger.parent.mkdir(exist_ok=True)
with ledger.open("a") as file:
    file.write('{"item": "%s"}\\n' % item)
"""


@pytest.fixture(scope="module")
def pools(server):
    for pool in ("cpu", "gpu"):
        deploy.Installation(server, HOME).make_pool(pool)
    prefect(server, HOME, "--no-prompt", "deploy", "--all")


def prefect(server, folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *words],
        cwd=folder,
        env={**os.environ, "PREFECT_API_URL": server},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def site(server, pools, repository, command, tmp_path):
    """Clones `controller`, `one`, `two` and `single`, a worker in each of `one` and `two`."""
    notes = tmp_path / "notes"
    notes.mkdir()
    origin = repository(
        {
            "dvc.yaml": GRAPH.replace("NOTES", str(notes)),
            "part.py": PART,
            "params.yaml": "clip_studies: {}\n",
            ".gitignore": "__pycache__/\n/metrics/*/\n*.txt\nm.json\n",
        }
    )
    for name in ("flows", "fer_pipeline"):
        shutil.copytree(HOME / name, origin / name, ignore=shutil.ignore_patterns("__pycache__"))
    command(origin, "dvc", "remote", "add", "-d", "there", str(tmp_path / "remote"))
    command(origin, "git", "add", "-A")
    command(origin, "git", "commit", "-qm", "all")
    clones = {name: tmp_path / name for name in ("controller", "one", "two", "single")}
    for clone in clones.values():
        command(tmp_path, "git", "clone", "-q", str(origin), str(clone))
    workers = {name: started(server, clones[name]) for name in ("one", "two")}
    yield clones, workers, notes
    for one in workers.values():
        end(one)


def started(server, clone):
    return subprocess.Popen(
        [sys.executable, "-m", "prefect", "worker", "start", "--pool", "cpu"]
        + ["--name", clone.name, "--limit", "1"],
        cwd=clone,
        env={
            **os.environ,
            "PREFECT_API_URL": server,
            "FER_PIPELINE_HOME": str(clone),
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        },
        stdout=(clone.parent / f"{clone.name}.log").open("wb"),
        stderr=subprocess.STDOUT,
    )


def end(one):
    """All of it at once, as when its machine loses power."""
    if one.poll() is None:
        for process in [*psutil.Process(one.pid).children(recursive=True), psutil.Process(one.pid)]:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        one.wait()


def locked(root):
    return yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))["stages"]


def ran(notes):
    return [line.split() for line in (notes / "ran").read_text(encoding="utf-8").splitlines()]


def run(root):
    return study(root=str(root), mode="cluster", max_parallel=4, return_state=True)


def test_each_stage_runs_once_over_both_and_gives_what_one_machine_gives(site, command):
    clones, _, notes = site
    state = run(clones["controller"])
    assert state.message == "7 stages: 7 run, 0 cached"
    assert sorted(item for item, _ in ran(notes)) == ["a", "b", "c", "d"]
    assert {Path(folder).name for _, folder in ran(notes)} == {"one", "two"}
    ledger = (clones["controller"] / worker.LEDGER).read_text(encoding="utf-8").splitlines()
    assert sorted(ledger) == [f'{{"item": "{item}"}}' for item in "abcd"]
    assert (clones["controller"] / "summary.json").is_file()
    command(clones["single"], "dvc", "repro")
    assert locked(clones["controller"]) == locked(clones["single"])
    assert run(clones["controller"]).message == "7 stages: 0 run, 7 cached"
    assert len(ran(notes)) == 4 + 4


@pytest.mark.deep
def test_a_crew_of_workers_shares_one_stage(site):
    clones, _, notes = site
    root, storage = clones["controller"], f"journal://{notes}/tune.log"
    state = tune(model="m", storage=storage, workers=2, root=str(root), return_state=True)
    assert state.message == "2 stages: 2 run, 0 cached"
    assert [item for item, _ in ran(notes)] == ["a"], "only what the stage needs"
    told = [line.split() for line in (notes / "tuned").read_text().splitlines()]
    assert [words[:2] for words in told] == [["m", storage]] * 2
    assert {Path(words[2]).name for words in told} == {"one", "two"}
    assert "tune@m" in locked(root)
    again = tune(model="m", storage=storage, workers=2, root=str(root), return_state=True)
    assert again.message == "2 stages: 0 run, 2 cached"


@pytest.mark.parametrize(
    ("storage", "message"),
    [("", "is no URL"), ("tune.log", "is no URL"), ("postgresql://me:x@h/d", "a password in a")],
)
def test_a_storage_that_workers_cannot_share_is_refused(storage, message):
    with pytest.raises(BadParams, match=message):
        tune_flow._check(storage)


@pytest.mark.deep
def test_a_lost_worker_costs_its_stage_alone(site, monkeypatch, eventually):
    clones, workers, notes = site
    monkeypatch.setattr(cluster, "LOST_AFTER", 40.0)
    (notes / "stuck").touch()

    def kill():
        eventually(lambda: (notes / "ran").exists() and not (notes / "stuck").exists(), 120)
        folder = next(folder for item, folder in ran(notes) if item == "a")
        end(workers[Path(folder).name])

    killer = threading.Thread(target=kill)
    killer.start()
    state = run(clones["controller"])
    killer.join()
    assert state.message == "7 stages: 7 run, 0 cached"
    assert sorted(item for item, _ in ran(notes)) == ["a", "a", "b", "c", "d"]


def test_changes_that_workers_would_not_see_are_refused(repository, command, tmp_path):
    root = repository({"dvc.yaml": "stages: {}\n", "a.py": "1\n", "params.yaml": "{}\n"})
    with pytest.raises(BadParams, match="DVC has no remote"):
        cluster.site(root)
    command(root, "dvc", "remote", "add", "-d", "there", str(tmp_path / "remote"))
    command(root, "git", "commit", "-qam", "remote")
    (root / "params.yaml").write_text("a: 1\n", encoding="utf-8")
    assert cluster.site(root).params == "a: 1\n"
    (root / "a.py").write_text("2\n", encoding="utf-8")
    with pytest.raises(BadParams, match=r"a\.py differs from the commit"):
        cluster.site(root)


def test_a_clone_with_changes_is_no_workers(repository, command):
    root = repository({"dvc.yaml": "stages: {}\n", "a.py": "1\n", "params.yaml": "{}\n"})
    commit = command(root, "git", "rev-parse", "HEAD").strip()
    (root / "params.yaml").write_text("mine: 1\n", encoding="utf-8")
    with pytest.raises(BadParams, match=r"params\.yaml holds changes that a worker would throw"):
        worker.place(root, commit, "a: 1\n", "")
    assert (root / "params.yaml").read_text() == "mine: 1\n"
    command(root, "git", "checkout", "-q", "params.yaml")
    worker.place(root, commit, "a: 1\n", "")
    worker.place(root, commit, "a: 2\n", "")
    assert (root / "params.yaml").read_text() == "a: 2\n"
    (root / "a.py").write_text("mine\n", encoding="utf-8")
    with pytest.raises(BadParams, match=r"a\.py holds changes"):
        worker.place(root, commit, "a: 3\n", "")
    assert (root / "a.py").read_text() == "mine\n"
    command(root, "git", "checkout", "-q", "a.py")
    with pytest.raises(BadParams, match="cannot check out 000"):
        worker.place(root, "0" * 40, "", "")
