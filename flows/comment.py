"""The comment on a pull request: checks, what changed in metrics and plots, new lint findings."""

import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from fer_pipeline.report.show import Summary
from flows import gate, process, results

MARKS: Final = {"ok": "✅", "failed": "❌", "skipped": "⏭️"}

LISTED: Final = 20
"""Plots and findings that are named; the rest is counted."""


@dataclass(frozen=True)
class Outcome:
    """How a check ended, and what it says."""

    name: str
    state: Literal["ok", "failed", "skipped"]
    said: str
    seconds: float


def comment(found: Sequence[Outcome], root: Path, against: str, work: Path) -> str:
    """The whole comment as Markdown; `work` is a folder for a checkout of the commit `against`."""
    rows = [
        f"| {MARKS[one.state]} | {one.name} | {one.seconds:.0f} s | {_cell(one.said)} |"
        for one in found
    ]
    parts = [
        "## Pipeline checks\n\n| | check | time | |\n|---|---|---|---|\n" + "\n".join(rows),
        f"### Results against `{against}`",
        chart(_summary(root), gate.accepted(root, against)),
        results.difference(root, [gate.SUMMARY], against),
        "### Plots\n\n" + plots(root, against),
        "### Lint\n\n" + lint(root, against, work),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def chart(now: Summary, before: Summary) -> str:
    """A mermaid chart of the accuracies on the own test sets; empty where there are none.

    Bars: here; line: before, where each of them is known.
    """
    own = {
        run: entry["accuracy"]
        for run, targets in now.items()
        for target, entry in targets.items()
        if run.endswith(f"-{target}") and entry.get("accuracy") is not None
    }
    if not own:
        return ""
    old = [before.get(run, {}).get(run.rpartition("-")[2], {}).get("accuracy") for run in own]
    lines = ["```mermaid", "xychart-beta", '    title "Accuracy on the own test set, percent"']
    names = ", ".join(f'"{run}"' for run in own)
    lines.append(f"    x-axis [{names}]")
    lines += ['    y-axis "percent" 0 --> 100', f"    bar [{_percents(own.values())}]"]
    if None not in old:
        lines.append(f"    line [{_percents(old)}]")
    legend = "Bars: here; line: before." if None not in old else "Nothing to compare with."
    return "\n".join([*lines, "```", "", legend])


def plots(root: Path, against: str) -> str:
    """Which plots dvc.lock has anew, changed or no more."""
    text = process.call(root, "git", "show", f"{against}:dvc.lock").stdout
    lock = root / "dvc.lock"
    before, now = _plots(text), _plots(lock.read_text("utf-8") if lock.is_file() else "")
    differ = sorted(
        path for path in before.keys() | now.keys() if before.get(path) != now.get(path)
    )
    if not differ:
        return f"{len(now)} plots, as at `{against}`."
    words = {(True, True): "changed", (False, True): "new", (True, False): "gone"}
    lines = [f"- `{path}` {words[path in before, path in now]}" for path in differ[:LISTED]]
    return "\n".join([*lines, *_more(len(differ))])


def lint(root: Path, against: str, work: Path) -> str:
    """Findings of ruff that the commit `against` does not have."""
    theirs = work / "against"
    process.call(root, "git", "clone", "-q", "--shared", "--no-checkout", str(root), str(theirs))
    commit = process.call(root, "git", "rev-parse", f"{against}^{{commit}}").stdout.strip()
    process.call(theirs, "git", "checkout", "-q", "--detach", commit)
    known, fresh = Counter(map(_unplaced, _ruff(theirs))), []
    for line in _ruff(root):
        if known[_unplaced(line)]:
            known[_unplaced(line)] -= 1
        else:
            fresh.append(line)
    if not fresh:
        return f"No finding of ruff that `{against}` does not have."
    return "\n".join(["```", *fresh[:LISTED], "```", *_more(len(fresh))])


def _summary(root: Path) -> Summary:
    return gate.read(root / gate.SUMMARY) if (root / gate.SUMMARY).is_file() else {}


def _percents(values: Any) -> str:
    return ", ".join(f"{100 * value:.1f}" for value in values)


def _plots(text: str) -> Mapping[str, str]:
    """Path -> hash of what lies below plots/."""
    stages = (yaml.safe_load(text) or {}).get("stages", {})
    return {
        out["path"]: str(out.get("md5"))
        for stage in stages.values()
        for out in stage.get("outs", [])
        if out["path"].startswith("plots/")
    }


def _ruff(root: Path) -> list[str]:
    words = ("ruff", "check", "--output-format=concise", "--no-cache", ".")
    said = process.call(root, sys.executable, "-m", *words).stdout.splitlines()
    return [line for line in said if re.match(r"\S+:\d+:\d+: ", line)]


def _unplaced(line: str) -> str:
    """A finding without its line and column, which move."""
    return re.sub(r":\d+:\d+: ", ": ", line, count=1)


def _more(count: int) -> list[str]:
    return [f"... and {count - LISTED} more"] if count > LISTED else []


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
