"""The comment on a pull request."""

import pytest

from flows import comment, gate
from flows.comment import Outcome

LOCK = """
stages:
  draw:
    outs:
    - {path: plots/a.png, md5: MD5}
    - {path: data/b, md5: 1}
"""
SUMMARY = '{"net-a": {"a": {"accuracy": VALUE, "low": 0.1, "high": 0.9}}}'


@pytest.fixture
def root(repository):
    made = repository(
        {
            "dvc.lock": LOCK.replace("MD5", "1") + "    - {path: plots/old.png, md5: 1}\n",
            gate.SUMMARY: SUMMARY.replace("VALUE", "0.5"),
            "old.py": "import os\n",
            ".gitignore": "/metrics/*/\n",
        }
    )
    (made / "dvc.lock").write_text(LOCK.replace("MD5", "2"), encoding="utf-8")
    (made / gate.SUMMARY).write_text(SUMMARY.replace("VALUE", "0.625"), encoding="utf-8")
    (made / "old.py").write_text("\n\nimport os\nimport sys\n", encoding="utf-8")
    return made


def test_it_tells_checks_results_plots_and_new_findings(root, tmp_path):
    found = [Outcome("lock", "failed", "stale | very\nstale", 3.2)]
    text = comment.comment(found, root, "main", tmp_path / "work")
    assert "| ❌ | lock | 3 s | stale \\| very stale |" in text
    assert 'x-axis ["net-a"]' in text
    assert "bar [62.5]\n    line [50.0]" in text
    assert "0.625" in text.partition("### Plots")[0]
    plots = text.partition("### Plots")[2].partition("### Lint")[0].split("\n")
    assert [line for line in plots if line] == [
        "- `plots/a.png` changed",
        "- `plots/old.png` gone",
    ]
    lint = text.partition("### Lint")[2]
    assert "old.py:4:8: F401" in lint
    assert "`sys`" in lint
    assert "`os`" not in lint, "main has it, too, on another line"


def test_nothing_new_is_said(root, command, tmp_path):
    command(root, "git", "commit", "-qam", "all")
    text = comment.comment([], root, "main", tmp_path / "work")
    assert "1 plots, as at `main`." in text
    assert "No finding of ruff that `main` does not have." in text


def test_a_chart_without_something_to_compare_with():
    now = {"net-a": {"a": {"accuracy": 0.5}, "b": {"accuracy": 0.4}}, "x-b": {"a": {"accuracy": 1}}}
    text = comment.chart(now, {})
    assert "bar [50.0]" in text
    assert "line" not in text.replace("xychart", "")
    assert comment.chart({}, {}) == ""
