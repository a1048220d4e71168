"""What a study has to show on its run's page, as Markdown: graph, metrics, differences, plots."""

import base64
import html
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from flows.graph import Stage
from flows.host import HOST

COLOURS: Final = {
    "Completed": "fill:#d9f2e3,stroke:#2e8b57",
    "Cached": "fill:#eceff4,stroke:#8a94a6",
    "Failed": "fill:#fbdcdc,stroke:#c0392b",
    "TimedOut": "fill:#fbdcdc,stroke:#c0392b",
    "Stopped": "fill:#fdf0d5,stroke:#d08700",
    "NotReady": "fill:#ffffff,stroke:#b0b0b0,stroke-dasharray:4",
}
"""By the name of a stage's last state."""

LARGEST: Final = 400_000
"""Bytes of a picture that goes into an artifact; larger ones are named by their path."""


def mermaid(plan: Mapping[str, Stage], states: Mapping[str, str]) -> str:
    """The graph as a fenced mermaid block, each stage in the colour of its state.

    A need that others of the stage's needs have as well goes without an arrow of its own.
    """
    from networkx import DiGraph, transitive_reduction

    needs = {name: [need for need in stage.needs if need in plan] for name, stage in plan.items()}
    direct = transitive_reduction(DiGraph(needs))
    ids = {name: f"s{number}" for number, name in enumerate(plan)}
    lines = ["```mermaid", "flowchart LR"]
    for name in plan:
        state = states.get(name, "NotReady")
        lines.append(f'    {ids[name]}["{html.escape(name)}"]:::{state}')
    for name in plan:
        lines += [f"    {ids[need]} --> {ids[name]}" for need in plan if need in direct[name]]
    lines += [f"    classDef {state} {style}" for state, style in COLOURS.items()]
    return "\n".join([*lines, "```"])


def by_state(plan: Mapping[str, Stage], states: Mapping[str, str]) -> str:
    """The stages as a Markdown table, a row per kind and a column per state.

    For pages that show a mermaid block as the text it is, as Prefect's does.
    """
    columns = list(dict.fromkeys(states.get(name, "NotReady") for name in plan))
    cells: dict[str, dict[str, list[str]]] = {}
    for name in plan:
        kind, _, one = name.partition("@")
        row = cells.setdefault(kind, {column: [] for column in columns})
        row[states.get(name, "NotReady")].append(one or kind)
    lines = [f"| stage | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for kind, row in cells.items():
        lines.append(f"| {kind} | " + " | ".join(", ".join(row[c]) for c in columns) + " |")
    return "\n".join(lines)


def metrics(root: Path, paths: Iterable[str]) -> str:
    """`dvc metrics show` of the files as a Markdown table, stage kinds apart, the last kind first.

    DVC puts the keys of all files side by side: files of one folder share theirs. A folder whose
    files hold no number is left out.
    """
    folders: dict[str, list[str]] = {}
    for path in paths:
        if (root / path).is_file():
            folders.setdefault(str(Path(path).parent), []).append(path)
    parts = []
    for folder, files in reversed(folders.items()):
        table = _table(root, "metrics", "show", "--md", *sorted(files))
        if table.partition("\n")[0].count("|") > 2:
            parts.append(f"### {folder}\n\n{table}")
    return "\n\n".join(parts) or "no metrics"


def difference(root: Path, paths: Iterable[str], revision: str = "HEAD") -> str:
    """`dvc metrics diff` between a commit and the working tree as a Markdown table."""
    files = [path for path in sorted(paths) if (root / path).is_file()]
    if not files:
        return "no metrics"
    found = _table(root, "metrics", "diff", "--md", revision, "--targets", *files)
    return found or f"no metric differs from {revision}"


def pictures(root: Path, plan: Iterable[Stage]) -> dict[str, str]:
    """PNG outputs of the stages, path -> data URL, or file URL where one is too large."""
    found: dict[str, str] = {}
    for stage in plan:
        for out in stage.outs:
            path = root / out
            if path.suffix != ".png" or not path.is_file():
                continue
            if path.stat().st_size > LARGEST:
                found[out] = path.resolve().as_uri()
            else:
                encoded = base64.b64encode(path.read_bytes()).decode()
                found[out] = f"data:image/png;base64,{encoded}"
    return found


def _table(root: Path, *words: str) -> str:
    """Output of a DVC command; what it refuses is shown in place of the table."""
    done = HOST.call(root, *words)
    return done.stdout.strip() if done.returncode == 0 else f"```\n{done.stderr.strip()}\n```"
