"""What fell, and what did not."""

import json

import pytest

from fer_pipeline.errors import BadParams, UnknownName
from flows import gate

BEFORE = {
    "net-a": {
        "a": {"accuracy": 0.8, "low": 0.75, "high": 0.85},
        "b": {"accuracy": 0.5, "low": 0.4, "high": 0.6},
        "c": {"accuracy": 0.9, "low": None, "high": None},
        "d": {"accuracy": None, "low": None, "high": None},
    }
}


def after(**values):
    return {"net-a": {name: {"accuracy": value} for name, value in values.items()}}


def names(drops):
    return [drop.name for drop in drops]


def test_a_fall_within_the_interval_is_none():
    assert names(gate.below_interval(BEFORE, after(a=0.76, b=0.39, c=0.9, d=0.1))) == ["net-a/b"]
    assert names(gate.below_interval(BEFORE, after(a=0.7499, b=0.7))) == ["net-a/a"]


def test_without_an_interval_any_fall_counts():
    assert names(gate.below_interval(BEFORE, after(c=0.899))) == ["net-a/c"]


def test_by_more_than_some_points():
    found = gate.by_more_than(BEFORE, after(a=0.77, b=0.49, c=0.9), 0.02)
    assert names(found) == ["net-a/a"]
    assert str(found[0]) == "net-a/a: accuracy 77.0%, before 80.0%, its interval begins at 75.0%"


def test_results_that_are_new_or_gone_do_not_fall():
    assert gate.below_interval(BEFORE, {}) == []
    assert gate.below_interval({}, after(a=0.1)) == []


def test_the_command_compares_with_a_commit(repository, command, monkeypatch, capsys):
    root = repository({gate.SUMMARY: json.dumps(BEFORE)})
    monkeypatch.chdir(root)

    def status(*words):
        with pytest.raises(SystemExit) as ended:
            gate.main([*words, "--against", "main"])
        return ended.value.code

    assert status() == 0
    assert "no result fell below its interval at main" in capsys.readouterr().out
    (root / gate.SUMMARY).write_text(json.dumps(after(a=0.5, b=0.1)), encoding="utf-8")
    assert status() == 1
    assert capsys.readouterr().out.count(": accuracy ") == 2
    assert status("net-a/a") == 1
    assert capsys.readouterr().out.startswith("net-a/a: accuracy 50.0%")
    assert status("net-a/x") == 2
    assert "no result 'net-a/x'" in capsys.readouterr().err


def test_a_commit_without_a_summary_accepts_anything(repository):
    root = repository({"a": "1"})
    assert gate.accepted(root, "HEAD") == {}
    with pytest.raises(BadParams, match="knows no commit 'nowhere'"):
        gate.accepted(root, "nowhere")


def test_unknown_names(repository):
    with pytest.raises(UnknownName, match="did you mean 'net-a/a'"):
        gate.chosen(BEFORE, ["net-a/aa"])


def test_results_that_vanish_are_named():
    assert gate.gone(BEFORE, after(a=0.9, b=float("nan"), c=None)) == ["net-a/b", "net-a/c"]
    assert gate.gone(BEFORE, BEFORE) == []
    assert gate.gone(BEFORE, {}) == ["net-a/a", "net-a/b", "net-a/c"]


def test_a_named_result_must_be_there(repository, monkeypatch, capsys):
    root = repository({gate.SUMMARY: json.dumps(BEFORE)})
    monkeypatch.chdir(root)
    (root / gate.SUMMARY).write_text(json.dumps(after(b=0.5)), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        gate.main(["net-a/a", "--against", "main"])
    assert ended.value.code == 2
    assert "no accuracy any more of net-a/a" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        gate.main(["--against", "main"])
    assert ended.value.code == 0
    assert "net-a/a: there no more" in capsys.readouterr().out
