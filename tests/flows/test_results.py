"""What a run's page shows of a study, from small plans and files."""

import pytest

from flows import results
from flows.graph import Hints, Stage


def stage(name, needs=()):
    return Stage(name, "", "", tuple(needs), Hints(), (), (), (), False)


PLAN = {
    name: stage(name, needs)
    for name, needs in {
        "ingest@a": (),
        "ingest@b": (),
        "train@m-a": ("ingest@a",),
        "report": ("train@m-a",),
    }.items()
}
STATES = {"ingest@a": "Cached", "ingest@b": "Cached", "train@m-a": "Failed"}


def test_a_table_of_states_has_a_row_per_kind():
    assert results.by_state(PLAN, STATES).splitlines() == [
        "| stage | Cached | Failed | NotReady |",
        "|---|---|---|---|",
        "| ingest | a, b |  |  |",
        "| train |  | m-a |  |",
        "| report |  |  | report |",
    ]


def test_the_mermaid_graph_names_states_and_needs():
    lines = results.mermaid(PLAN, STATES).splitlines()
    assert '    s2["train@m-a"]:::Failed' in lines
    assert "    s0 --> s2" in lines
    assert '    s3["report"]:::NotReady' in lines


def test_the_mermaid_graph_leaves_out_arrows_that_follow_from_others():
    plan = {"a": stage("a"), "b": stage("b", ["a"]), "c": stage("c", ["a", "b"])}
    drawn = results.mermaid(plan, {}).splitlines()
    assert [line.strip() for line in drawn if "-->" in line] == ["s0 --> s1", "s1 --> s2"]


@pytest.mark.slow
def test_results_come_before_what_led_to_them(repository):
    root = repository(
        {
            "metrics/ingest/a.json": '{"rows": 3}',
            "metrics/evaluate/m.json": '{"accuracy": 0.5}',
            "metrics/compare/none.json": "{}",
        }
    )
    paths = ["metrics/ingest/a.json", "metrics/evaluate/m.json", "metrics/compare/none.json"]
    shown = results.metrics(root, [*paths, "metrics/missing.json"])
    assert shown.index("### metrics/evaluate") < shown.index("### metrics/ingest")
    assert "compare" not in shown
    assert "0.5" in shown
