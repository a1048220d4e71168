"""DVC's graph as stages."""

import pytest

from fer_pipeline.errors import BadParams, UnknownName
from flows import graph
from flows.graph import Hints

FILES = {
    "params.yaml": "sets: {b: {}, a: {}}\nslow: true\n",
    "raw.txt": "1",
    "dvc.yaml": """
stages:
  read:
    foreach: ${sets}
    do:
      desc: Reads ${key}
      cmd: cp raw.txt ${key}.txt
      deps: [raw.txt]
      outs: ["${key}.txt"]
  join:
    cmd:
      - cat a.txt b.txt > all.txt
      - echo '{"n":1}' > m.json
    meta: {gpu: "${slow}", retries: 2, timeout: 60}
    deps: [a.txt, b.txt]
    outs: [all.txt]
    metrics: [m.json]
  alone:
    cmd: echo 1 > alone.csv
    plots: [alone.csv]
""",
}


def test_stages_in_dependency_order(repository):
    found = graph.stages(repository(FILES))
    assert list(found) == ["read@b", "read@a", "join", "alone"]
    join = found["join"]
    assert join.needs == ("read@a", "read@b")
    assert join.hints == Hints(gpu=True, retries=2, timeout=60)
    assert (join.outs, join.metrics, join.plots) == (("all.txt", "m.json"), ("m.json",), ())
    assert join.command == "cat a.txt b.txt > all.txt; echo '{\"n\":1}' > m.json"
    assert found["read@a"].description == "Reads a"
    assert found["alone"].plots == ("alone.csv",)


def test_targets_bring_what_they_need(repository):
    root = repository(FILES)
    assert list(graph.stages(root, ["read@a"])) == ["read@a"]
    assert list(graph.stages(root, ["read"])) == ["read@b", "read@a"]
    assert list(graph.stages(root, ["join"])) == ["read@b", "read@a", "join"]
    with pytest.raises(UnknownName, match="no stage 'joint'; did you mean 'join'"):
        graph.stages(root, ["joint"])


def test_a_wrong_hint_is_named(repository):
    text = FILES["dvc.yaml"].replace("retries: 2", "retrys: 2")
    root = repository({**FILES, "dvc.yaml": text})
    with pytest.raises(BadParams, match=r"meta of join.retrys is no parameter; did you mean"):
        graph.stages(root)


def test_a_graph_that_dvc_refuses_is_one_line(repository):
    text = FILES["dvc.yaml"].replace("outs: [all.txt]", "outs: [a.txt]")
    root = repository({**FILES, "dvc.yaml": text})
    with pytest.raises(BadParams, match=r"dvc.yaml"):
        graph.stages(root)


def test_stale_is_transitive(repository, dvc):
    root = repository(FILES)
    plan = graph.stages(root)
    assert list(graph.stale(root, plan)) == ["read@b", "read@a", "join", "alone"]
    dvc(root, "repro", "-q")
    assert graph.stale(root, plan) == {}
    (root / "raw.txt").write_text("2", encoding="utf-8")
    assert graph.stale(root, plan) == {
        "read@b": "changed deps: raw.txt (modified)",
        "read@a": "changed deps: raw.txt (modified)",
        "join": "needs read@a",
    }
    assert graph.stale(root, graph.stages(root, ["alone"])) == {}
    assert graph.stale(root, {"alone": plan["alone"]}, force=True) == {"alone": "forced"}
