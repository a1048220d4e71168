"""Two workers of the pool cpu, a controller in a third clone, a remote between, caches apart."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment

from fer_pipeline.errors import BadParams
from flows import HOME, alerts, clones, cluster, deploy, graph, orders
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
    meta: {gpu: true}
  tune:
    foreach: {m: {source: s}}
    do:
      cmd: echo ${key} $FER_TUNE_STORAGE $PWD >> NOTES/tuned && sleep 5 && echo best > best.txt
      deps: [a.txt]
      outs: [best.txt]
      meta: {gpu: true}
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
def site(server, pools, repository, command, tmp_path, dvc):
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
    dvc(origin, "remote", "add", "-d", "there", str(tmp_path / "remote"))
    command(origin, "git", "add", "-A")
    command(origin, "git", "commit", "-qm", "all")
    places = {name: tmp_path / name for name in ("controller", "one", "two", "single")}
    for place in places.values():
        command(tmp_path, "git", "clone", "-q", str(origin), str(place))
    workers = {name: started(server, places[name]) for name in ("one", "two")}
    yield places, workers, notes
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


def uses(root):
    return (root / clones.LEDGER).read_text(encoding="utf-8").splitlines()


def ran(notes):
    return [line.split() for line in (notes / "ran").read_text(encoding="utf-8").splitlines()]


def who(folder):
    """The worker's checkout that a stage's folder lies below."""
    return Path(folder).parents[len((clones.FOLDER / "0").parts)].name


def run(root):
    return study(root=str(root), mode="cluster", max_parallel=4, return_state=True)


@pytest.mark.deep
def test_each_stage_runs_once_over_both_and_gives_what_one_machine_gives(site, dvc):
    places, _, notes = site
    state = run(places["controller"])
    assert state.message == "7 stages: 7 run, 0 cached"
    assert sorted(item for item, _ in ran(notes)) == ["a", "b", "c", "d"]
    assert {who(folder) for _, folder in ran(notes)} == {"one", "two"}
    assert uses(places["controller"]) == [f'{{"item": "{item}"}}' for item in "abcd"]
    assert (places["controller"] / "summary.json").is_file()
    dvc(places["single"], "repro")
    assert locked(places["controller"]) == locked(places["single"])
    assert run(places["controller"]).message == "7 stages: 0 run, 7 cached"
    assert len(ran(notes)) == 4 + 4


@pytest.mark.deep
def test_a_crew_of_workers_shares_one_stage(site):
    places, _, notes = site
    root, storage = places["controller"], f"journal://{notes}/tune.log"
    state = tune(model="m", storage=storage, workers=2, root=str(root), return_state=True)
    assert state.message == "2 stages: 2 run, 0 cached"
    assert [item for item, _ in ran(notes)] == ["a"], "only what the stage needs"
    told = [line.split() for line in (notes / "tuned").read_text().splitlines()]
    assert [words[:2] for words in told] == [["m", storage]] * 2
    assert {who(words[2]) for words in told} == {"one", "two"}
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
    places, workers, notes = site
    monkeypatch.setattr(orders, "LOST_AFTER", 40.0)
    (notes / "stuck").touch()

    def kill():
        eventually(lambda: (notes / "ran").exists() and not (notes / "stuck").exists(), 120)
        folder = next(folder for item, folder in ran(notes) if item == "a")
        end(workers[who(folder)])

    killer = threading.Thread(target=kill)
    killer.start()
    state = run(places["controller"])
    killer.join()
    assert state.message == "7 stages: 7 run, 0 cached"
    assert sorted(item for item, _ in ran(notes)) == ["a", "a", "b", "c", "d"]


@pytest.mark.deep
def test_a_checkout_may_hold_both_the_study_and_its_worker_without_a_remote(site, command, dvc):
    places, workers, notes = site
    end(workers["two"])
    root = places["one"]
    dvc(root, "remote", "remove", "there")
    command(root, "git", "-c", "user.name=a", "-c", "user.email=b", "commit", "-qam", "alone")
    (root / "params.yaml").write_text("clip_studies: {}\nmine: 1\n", encoding="utf-8")
    assert run(root).message == "7 stages: 7 run, 0 cached"
    assert (root / "page.txt").read_text(encoding="utf-8") == "abcd"
    assert {who(folder) for _, folder in ran(notes)} == {"one"}
    assert "mine: 1" in (root / "params.yaml").read_text(encoding="utf-8")
    assert command(root, "git", "symbolic-ref", "HEAD") == "refs/heads/main\n"
    assert run(root).message == "7 stages: 0 run, 7 cached"


@pytest.mark.deep
def test_a_clone_that_cannot_be_placed_and_a_run_that_crashes_fail_no_stage(site, eventually):
    places, workers, notes = site
    (places["one"] / clones.FOLDER).parent.mkdir(exist_ok=True)
    (places["one"] / clones.FOLDER).write_text("no folder can be made here", encoding="utf-8")
    (notes / "stuck").touch()

    def crash():
        eventually(lambda: (notes / "ran").exists() and not (notes / "stuck").exists(), 120)
        psutil.Process(workers["two"].pid).children()[0].kill()

    killer = threading.Thread(target=crash)
    killer.start()
    state = run(places["controller"])
    killer.join()
    assert state.message == "7 stages: 7 run, 0 cached"
    assert sorted(item for item, _ in ran(notes)) == ["a", "a", "b", "c", "d"]
    assert {who(folder) for _, folder in ran(notes)} == {"two"}


@contextlib.contextmanager
def controller(server, root):
    """A study in a process of its own."""
    words = ["--mode", "cluster", "--max-parallel", "4", "--root", str(root)]
    one = subprocess.Popen(
        [sys.executable, "-m", "flows", *words],
        cwd=HOME,
        env={**os.environ, "PREFECT_API_URL": server},
        stdout=(root.parent / "controller.log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    yield one
    end(one)


@pytest.mark.deep
def test_a_killed_study_finds_what_workers_do_for_it(site, server, eventually):
    places, _, notes = site
    root = places["controller"]
    with controller(server, root) as one:
        eventually(lambda: (notes / "ran").exists() and len(ran(notes)) > 1, 120)
        one.kill()
        one.wait()
    # Some orders end while nobody follows them, others still wait.
    eventually(lambda: len(ran(notes)) > 2, 120)
    assert run(root).is_completed()
    assert sorted(item for item, _ in ran(notes)) == ["a", "b", "c", "d"]
    assert uses(root) == [f'{{"item": "{item}"}}' for item in "abcd"]
    assert orders.left(cluster.checked(root).tag) == []
    assert run(root).message == "7 stages: 0 run, 7 cached"


@pytest.mark.deep
def test_a_cancelled_study_leaves_nothing_at_its_workers(site, server, eventually):
    places, _, notes = site
    (notes / "stuck").touch()
    with controller(server, places["controller"]) as one:
        eventually(lambda: (notes / "ran").exists() and not (notes / "stuck").exists(), 120)
        one.send_signal(signal.SIGINT)
        one.wait(60)
    eventually(lambda: not stages_of(places), 60)
    assert run(places["controller"]).is_completed()
    assert [item for item, _ in ran(notes)].count("a") == 2


@pytest.mark.deep
def test_a_worker_that_is_told_to_end_leaves_no_process_and_no_run(
    site, server, long, living, eventually
):
    places, workers, _ = site
    end(workers["two"])
    for one in alerts.wanted(None, timedelta(hours=12), timedelta(seconds=70), cancel=False):
        alerts.make(one)
    root = long(name="long")

    def start():
        values = {"root": str(root), "mode": "local", "wait": 60}
        return run_deployment("study/cluster", parameters=values, timeout=0).id

    def state(run):
        with get_client(sync_client=True) as client:
            return client.read_flow_run(run).state

    first = start()
    eventually(lambda: (root / "pids").exists() and len(living(root / "pids")) == 2, 120)
    workers["one"].terminate()
    workers["one"].wait(60)
    eventually(lambda: not living(root / "pids"), 60)
    assert not (root / "long.txt").exists()
    eventually(lambda: state(first).is_crashed(), 200)
    assert state(first).message == alerts.LOST
    (root / "quick").touch()
    workers["one"] = started(server, places["one"])
    second = start()
    eventually(lambda: state(second).is_final(), 120)
    assert state(second).message == "1 stages: 1 run, 0 cached"
    assert (root / "long.txt").read_text(encoding="utf-8") == "done"


def stages_of(places):
    """Processes of stages that run at the workers."""
    found = []
    for one in psutil.process_iter(["cmdline", "cwd"]):
        words, folder = one.info["cmdline"] or [], one.info["cwd"] or ""
        if "part.py" in words and folder.startswith(str(places["one"].parent)):
            found.append(one)
    return found


def test_outputs_of_an_earlier_result_go(repository, dvc, monkeypatch):
    stages = "stages:\n  one: {cmd: cp a x && cp a y, deps: [a], outs: [x, y]}\n"
    root = repository({"dvc.yaml": stages, "a": "1\n", "params.yaml": "{}\n"})
    dvc(root, "repro")
    entry = graph.locked(root, "one")
    (root / "a").write_text("2\n", encoding="utf-8")
    dvc(root, "repro")
    (root / "a").write_text("1\n", encoding="utf-8")
    (root / "y").write_text("1\n", encoding="utf-8")
    back = {"lock": entry, "ledger": [{"z": 1}, {"b": 2}]}
    monkeypatch.setattr(orders, "returned", lambda run: back)
    monkeypatch.setattr(orders, "settle", lambda run, tag: None)
    site = cluster.Site(root, "", "", "")
    cluster._take_back("one", site, "run", True)
    assert not (root / "x").exists()
    assert (root / "y").exists()
    assert graph.stale(root, graph.stages(root), without_data=True) == {}
    assert uses(root) == ['{"b": 2}', '{"z": 1}']


def test_changes_that_workers_would_not_see_are_refused(repository, command, tmp_path, dvc):
    text = "stages: {one: {cmd: ls code, deps: [code, a.py]}}\n"
    files = {"dvc.yaml": text, "a.py": "1\n", "code/b.py": "1\n", "params.yaml": "{}\n"}
    root = repository(files)
    assert not cluster.checked(root).remote
    dvc(root, "remote", "add", "-d", "there", str(tmp_path / "remote"))
    command(root, "git", "commit", "-qam", "remote")
    (root / "params.yaml").write_text("a: 1\n", encoding="utf-8")
    assert cluster.checked(root).params == "a: 1\n"
    (root / "a.py").write_text("2\n", encoding="utf-8")
    with pytest.raises(BadParams, match=r"a\.py differs from the commit"):
        cluster.checked(root)
    command(root, "git", "checkout", "-q", "a.py")
    (root / "notes").write_text("nothing depends on it\n", encoding="utf-8")
    cluster.checked(root)
    (root / "code/deep").mkdir()
    (root / "code/deep/c.py").write_text("1\n", encoding="utf-8")
    with pytest.raises(BadParams, match=r"code/deep/c\.py differs from the commit"):
        cluster.checked(root)
