"""The study on a real Prefect server and real DVC repositories, with stages that take moments."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.concurrency.sync import concurrency

from flows import devices, lock, stages
from flows.study import study

pytestmark = [pytest.mark.xdist_group("prefect"), pytest.mark.slow]

GRAPH = """
stages:
  read:
    foreach: [a, b]
    do:
      desc: Reads ${item}
      cmd: cp raw.txt ${item}.txt
      deps: [raw.txt]
      outs: ["${item}.txt"]
  check:
    cmd: sh check.sh
    deps: [check.sh, a.txt]
    outs: [checked.txt]
  below:
    cmd: cp checked.txt below.txt
    deps: [checked.txt]
    outs: [below.txt]
  count:
    cmd: >-
      python -c "print('epoch 1/2'); print('epoch 2/2'); open('m.json', 'w').write('{\\"n\\": 3}')"
    deps: [b.txt]
    metrics: [m.json]
"""
FILES = {"dvc.yaml": GRAPH, "raw.txt": "1\n", "check.sh": "cp a.txt checked.txt\n"}

MARK = """
import json, os, pathlib, sys, time
name = sys.argv[1]
began = time.time()
time.sleep(float(sys.argv[2]))
row = [began, time.time(), os.environ.get("CUDA_VISIBLE_DEVICES")]
pathlib.Path(name + ".json").write_text(json.dumps(row))
"""

FOUR = """
stages:
  train:
    foreach: [a, b, c, d]
    do:
      cmd: python mark.py ${item} 1.5
      deps: [mark.py]
      outs: ["${item}.json"]
"""


def run(root, **options):
    return study(root=str(root), return_state=True, **options)


def states(state):
    """Name of each task's last state."""
    with get_client(sync_client=True) as client:
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
        return {one.name: one.state_name for one in client.read_task_runs(flow_run_filter=chosen)}


def artifacts(state):
    with get_client(sync_client=True) as client:
        chosen = ArtifactFilter(
            flow_run_id=ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id])
        )
        return client.read_artifacts(artifact_filter=chosen)


def test_a_task_per_stage_then_nothing_to_do(server, repository, dvc, monkeypatch):
    root = repository(FILES)
    state = run(root)
    assert state.is_completed()
    assert state.message == "5 stages: 5 run, 0 cached"
    assert states(state) == dict.fromkeys(
        ["read@a", "read@b", "check", "below", "count"], "Completed"
    )
    assert dvc(root, "status").strip() == "Data and pipelines are up to date."
    found = {one.key: one for one in artifacts(state) if one.key}
    assert "| read | a, b |" in found["study-graph"].data
    assert 's1["read@b"]:::Completed' in found["study-graph"].data
    assert "s0 --> s2" in found["study-graph"].data
    assert "| m.json | 3" in " ".join(found["study-metrics"].data.split())
    shown = [one for one in artifacts(state) if one.type == "progress"]
    assert [(one.data, one.description) for one in shown] == [(100.0, "count: done")]

    monkeypatch.setattr(stages.HOST, "start", None)
    again = run(root)
    assert again.message == "5 stages: 0 run, 5 cached"
    assert set(states(again).values()) == {"Cached"}


def test_only_what_changed_and_what_turns_out_changed_runs(server, repository):
    root = repository(FILES)
    assert run(root, targets=["below"]).message == "3 stages: 3 run, 0 cached"
    (root / "check.sh").write_text("cp a.txt checked.txt  # the same\n", encoding="utf-8")
    state = run(root, targets=["below"])
    assert states(state) == {"read@a": "Cached", "check": "Completed", "below": "Cached"}


def test_after_a_failure_the_rest_goes_on_and_then_only_the_missing(server, repository):
    root = repository({**FILES, "check.sh": "echo 'error: a is wrong' >&2; exit 3\n"})
    state = run(root, max_parallel=1)
    assert state.is_failed()
    assert state.message == "5 stages: 3 run, 0 cached; failed: check; 1 not ready"
    assert states(state)["check"] == "Failed"
    graph = next(one for one in artifacts(state) if one.key == "study-graph")
    assert '["below"]:::NotReady' in graph.data
    (root / "check.sh").write_text(FILES["check.sh"], encoding="utf-8")
    assert run(root).message == "5 stages: 2 run, 3 cached"


def test_the_first_failure_ends_it_when_asked(server, repository):
    root = repository({**FILES, "raw.txt": "1\n", "check.sh": "exit 3\n"})
    state = run(root, max_parallel=1, keep_going=False)
    assert state.is_failed()
    assert state.message == "5 stages: 2 run, 0 cached; failed: check; 2 not ready"


def test_a_stage_is_tried_again_as_its_meta_says(server, repository):
    text = """
stages:
  shaky:
    cmd: test -e tried && cp raw.txt out.txt || { touch tried; exit 1; }
    deps: [raw.txt]
    outs: [out.txt]
    meta: {retries: 1, retry_delay: 0}
"""
    root = repository({"dvc.yaml": text, "raw.txt": "1"})
    assert run(root).message == "1 stages: 1 run, 0 cached"


def test_past_its_limit_a_stage_and_its_children_end(server, long, living):
    root = long("timeout: 12")
    state = run(root)
    assert state.message == "1 stages: 0 run, 0 cached; failed: long"
    assert not living(root / "pids")
    (root / "quick").touch()
    assert run(root).is_completed()


def test_the_end_of_the_flow_is_the_end_of_its_stages(
    server, long, dvc, ending, living, eventually
):
    root = long()
    home = Path(devices.__file__).parent.parent
    code = f"from flows.study import study; study(root={str(root)!r})"
    flow = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=home,
        env={**os.environ, "PREFECT_API_URL": server},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    eventually(lambda: (root / "pids").exists() and (root / "pids").read_text().count(" ") == 1)
    flow.send_signal(ending)
    flow.wait(60)
    eventually(lambda: not living(root / "pids"))
    assert not (root / "long.txt").exists()
    (root / "quick").touch()
    assert run(root, wait=30).is_completed()
    assert dvc(root, "status").strip() == "Data and pipelines are up to date."


def test_no_two_stages_on_one_device_and_both_used(server, repository, monkeypatch, tmp_path):
    text = f"""{FOUR}      meta: {{gpu: true}}
  plain:
    cmd: python mark.py plain 0
    deps: [mark.py]
    outs: [plain.json]
"""
    root = repository({"dvc.yaml": text, "mark.py": MARK})
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setattr(devices, "lease", lambda names, real=devices.lease: real(names, tmp_path))
    assert run(root, max_parallel=5).message == "5 stages: 5 run, 0 cached"
    rows = {name: json.loads((root / f"{name}.json").read_text()) for name in "abcd"}
    assert {row[2] for row in rows.values()} == {"0", "1"}
    for device in "01":
        spans = sorted((row[0], row[1]) for row in rows.values() if row[2] == device)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    plain = json.loads((root / "plain.json").read_text())
    assert plain[0] < max(row[0] for row in rows.values()), "it did not wait for a device"
    with get_client(sync_client=True) as client:
        assert client.read_global_concurrency_limit_by_name(stages.limit()).limit == 2


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_stages_at_once_than_asked_and_as_many(server, repository, most):
    root = repository({"dvc.yaml": FOUR, "mark.py": MARK})
    assert run(root, max_parallel=most).is_completed()
    rows = [json.loads((root / f"{name}.json").read_text()) for name in "abcd"]
    together = [sum(one[0] <= other[0] < one[1] for one in rows) for other in rows]
    assert max(together) == most


def test_slots_that_a_killed_run_left_taken_stop_nothing(server, repository, monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "FOLDER", tmp_path / "leases")
    monkeypatch.setenv(devices.VISIBLE, "0")
    monkeypatch.setattr(stages, "SLOT_WAIT", 1.0)
    text = "stages:\n  train: {cmd: echo 1 > out.txt, outs: [out.txt], meta: {gpu: true}}\n"
    root = repository({"dvc.yaml": text})
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(stages.limit(), 2)
    with concurrency(stages.limit(), occupy=2, strict=True):
        state = run(root)
    assert state.message == "1 stages: 1 run, 0 cached"
    with get_client(sync_client=True) as client:
        found = client.read_global_concurrency_limit_by_name(stages.limit())
    assert found.limit == 2, "a flow that was given fewer devices does not lower it"


def test_a_server_that_shows_no_progress_ends_no_stage(server, repository, monkeypatch):
    def gone(*given, **named):
        raise ConnectionError("the server is away")

    monkeypatch.setattr(stages, "create_progress_artifact", gone)
    root = repository(FILES)
    assert run(root, targets=["count"]).message == "2 stages: 2 run, 0 cached"


OVERRIDDEN = """
stages:
  first: {cmd: cp params.yaml first.txt, params: [n], outs: [first.txt]}
  last: {cmd: cp first.txt last.txt, deps: [first.txt], outs: [last.txt]}
"""


def test_an_experiment_vouches_for_no_stage_that_it_did_not_reach(server, repository, command, dvc):
    root = repository({"dvc.yaml": OVERRIDDEN, "params.yaml": "n: 1\n"})
    assert run(root).is_completed()
    command(root, "git", "add", "-A")
    command(root, "git", "commit", "-qm", "run")
    state = run(root, overrides=["n=2"], targets=["first"], experiment="two")
    assert state.message == "1 stages: 1 run, 0 cached; kept: dvc exp apply two"
    assert (root / "params.yaml").read_text() == "n: 1\n"
    dvc(root, "exp", "apply", "two")
    assert "n: 2" in (root / "first.txt").read_text()
    assert "last" in dvc(root, "status")
    assert "n: 2" in (dvc(root, "repro") and (root / "last.txt").read_text())
    state = run(root, overrides=["n=3"], experiment="a b..c")
    assert "is no name for git" in state.message


def test_validated_data_and_the_end_of_a_study_are_events(server, repository, monkeypatch):
    text = """
stages:
  validate: {cmd: cp raw.txt v.txt, deps: [raw.txt], outs: [v.txt]}
  train: {cmd: sh train.sh, deps: [v.txt, train.sh], outs: [t.txt]}
"""
    root = repository({"dvc.yaml": text, "raw.txt": "1", "train.sh": "exit 1"})
    events = []
    for module in ("flows.board", "flows.study"):
        monkeypatch.setattr(f"{module}.emit_event", lambda event, **rest: events.append(event))
    assert run(root).is_failed()
    assert events == ["fer.data.ready", "fer.study.failed"]
    (root / "train.sh").write_text("cp v.txt t.txt", encoding="utf-8")
    assert run(root).is_completed()
    assert events[2:] == ["fer.study.completed"], "nothing was validated anew"


def test_a_second_study_on_the_tree_says_so(server, repository):
    root = repository(FILES)
    with lock.working_tree(root, 0):
        state = run(root)
        assert state.is_failed()
        assert f"process {os.getpid()} already runs a study in {root}" in state.message
    assert run(root, targets=["read"]).is_completed()


def test_a_result_that_fell_makes_an_event(server, repository, command, monkeypatch):
    text = "stages:\n  report: {cmd: cp new.json metrics/summary.json, deps: [new.json]}\n"
    before, after = (
        json.dumps({"net-a": {"a": {"accuracy": value}, "b": {"accuracy": 0.5}}})
        for value in (0.8, 0.7)
    )
    files = {"dvc.yaml": text, "new.json": before, "metrics/summary.json": before}
    root = repository(files)
    (root / "new.json").write_text(after, encoding="utf-8")
    events = []
    monkeypatch.setattr(
        "flows.study.emit_event",
        lambda event, **rest: (
            event.startswith("fer.metric") and events.append((event, rest["payload"]))
        ),
    )
    assert run(root, alert_drop=0.2).is_completed()
    assert events == []
    assert run(root, alert_drop=0.05).is_completed()
    dropped = {"name": "net-a/a", "before": 0.8, "after": 0.7}
    assert events == [("fer.metric.dropped", dropped)]
