"""The summary as a table for the terminal. Standard library only: it must start at once."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from fer_pipeline.errors import MissingData

Summary = Mapping[str, Mapping[str, Mapping[str, float | None]]]
"""model-source -> target -> accuracy, low and high, in [0, 1]; None where there is no interval."""


def told(summary: Path) -> str:
    """The table of results, and where the report, plots and data docs lie.

    Raises: MissingData.
    """
    legend = "accuracy in percent with its interval, (low-high); * on the own test set"
    return f"\n{table(read(summary))}\n\n{legend}\n\n{places(summary.parent.parent / 'plots')}"


def read(path: Path) -> Summary:
    """The summary that the report stage wrote.

    Raises: MissingData.
    """
    if not path.is_file():
        raise MissingData(f"{path} is not there; `dvc repro report` makes it")
    summary: Summary = json.loads(path.read_text(encoding="utf-8"))
    return summary


def table(summary: Summary, width: int | None = None) -> str:
    """Accuracy in percent with its 95 % interval: a row per run, a column per test set.

    The run's own set is marked `*`. Columns that do not fit `width` (default: the terminal's)
    follow in a further block.
    """
    width = width or shutil.get_terminal_size((120, 24)).columns
    targets = list(dict.fromkeys(target for results in summary.values() for target in results))
    summary = dict(sorted(summary.items(), key=lambda run: run[0].partition("-")[2]))
    runs = [name.partition("-")[::2] for name in summary]
    names = [
        _column(header, [run[i] for run in runs]) for i, header in ((1, "trained on"), (0, "model"))
    ]
    cells = [
        _column(target, [_cell(summary, run, target) for run in summary]) for target in targets
    ]
    blocks = [_joined(names + chosen) for chosen in _fitting(names, cells, width)]
    return "\n\n".join(blocks)


def places(plots: Path) -> str:
    """Where the page, the plots and the data docs lie: one line each, those that exist."""
    docs = sorted(plots.glob("validate/*/index.html"))
    found = {"report": plots / "report.html", "plots": plots, "data docs": _common(docs)}
    lines = [f"{name + ':':<11}{path}" for name, path in found.items() if path and path.exists()]
    return "\n".join(lines)


def _common(docs: Sequence[Path]) -> Path | None:
    if not docs:
        return None
    return docs[0] if len(docs) == 1 else docs[0].parents[1]


def _cell(summary: Summary, run: str, target: str) -> str:
    score = summary[run].get(target)
    if score is None:
        return "-"
    value, low, high = (score[key] for key in ("accuracy", "low", "high"))
    own = "*" if run.partition("-")[2] == target else " "
    told = f" ({low * 100:.0f}-{high * 100:.0f})" if low is not None and high is not None else ""
    return "-" if value is None else f"{own}{value * 100:.1f}{told}"


def _column(header: str, cells: Sequence[str]) -> list[str]:
    width = max(len(text) for text in [header, *cells])
    return [text.ljust(width) for text in [header, "-" * width, *cells]]


def _fitting(
    names: Sequence[list[str]], cells: Sequence[list[str]], width: int
) -> list[list[list[str]]]:
    room = width - sum(len(column[0]) + 2 for column in names)
    blocks: list[list[list[str]]] = [[]]
    used = 0
    for column in cells:
        needed = len(column[0]) + 2
        if blocks[-1] and used + needed > room:
            blocks.append([])
            used = 0
        blocks[-1].append(column)
        used += needed
    return blocks


def _joined(columns: Sequence[list[str]]) -> str:
    return "\n".join("  ".join(cells).rstrip() for cells in zip(*columns, strict=True))
