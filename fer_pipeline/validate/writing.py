"""What the stage leaves behind for one set, or for all: files, and a summary for people.

Metrics and docs come first, and only then a hard failure stops the run.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from fer_pipeline import manifest
from fer_pipeline.errors import FailedValidation
from fer_pipeline.outputs import write_json, write_text
from fer_pipeline.validate import docs
from fer_pipeline.validate.across import compare
from fer_pipeline.validate.dataset import validate
from fer_pipeline.validate.params import ValidateParams
from fer_pipeline.validate.running import Outcome, named

if TYPE_CHECKING:
    import pandas as pd

MARKS: Final = {"passed": "ok", "hard": "FAIL", "soft": "warn"}


def one_set(
    dataset: str,
    samples: Path,
    faces: Path,
    out: Path,
    metrics: Path,
    folder: Path,
    params: ValidateParams,
) -> None:
    """Validates a set and writes metrics, docs and, unless it fails hard, the leak table.

    Raises: FailedValidation, and what `dataset.validate` raises.
    """
    report = validate(dataset, samples, faces, params)
    write_json(metrics, report.facts)
    docs.write(folder, report)
    print(f"{dataset}: {len(report.outcomes)} expectations")
    print(summary(report.outcomes, params.named_rows))
    if report.leaks is not None:
        print(reasons(report.leaks["drop"]))
    stop(dataset, report.failed("hard"), params.named_rows)
    if report.leaks is None:
        raise AssertionError("no hard failure, yet the faces were not looked at")
    write_leaks(out, report.leaks)
    print(f"docs: {folder}/index.html")


def across(
    sets: list[str],
    samples: Path,
    leaks: Path,
    metrics: Path,
    pairs: Path,
    params: ValidateParams,
) -> None:
    """Compares all sets and writes metrics and the CSV of pairs.

    Raises: FailedValidation, and what `across.compare` raises.
    """
    shared = compare(sets, samples, leaks, params)
    write_json(metrics, shared.facts())
    table = shared.pairs.drop(columns="id")
    write_text(pairs, table.to_csv(index=False, lineterminator="\n"))
    print(f"{len(sets)} sets, {len(table)} pairs of sets")
    sharing = table[(table["pictures"] > 0) | (table["near"] > 0)]
    print(sharing.to_string(index=False) if len(sharing) else "no two share a picture")
    if shared.outcomes:
        print(summary(shared.outcomes, params.named_rows))
    stop("across sets", shared.failed("hard"), params.named_rows)


def write_leaks(path: Path, rows: "pd.DataFrame") -> None:
    """Writes manifest.LEAKS."""
    with manifest.writing(path, manifest.LEAKS) as writer:
        writer.add_table(pa.Table.from_pandas(rows, manifest.LEAKS, preserve_index=False))


def summary(outcomes: list[Outcome], limit: int) -> str:
    """One line per expectation: mark, name, what was seen, and the first rows against it."""
    width = max(len(one.name) for one in outcomes)
    seen = max(len(one.observed) for one in outcomes)
    lines = [f"        {'expectation':<{width}}  {'against it':<{seen}}  rows"]
    for one in outcomes:
        mark = MARKS["passed" if one.passed else one.severity]
        rows = "" if one.passed else named(one, limit)
        lines.append(f"  {mark:<4}  {one.name:<{width}}  {one.observed:<{seen}}  {rows}".rstrip())
    return "\n".join(lines)


def reasons(drop: "pd.Series") -> str:
    """How many rows training must not use, by reason."""
    counts = drop.dropna().value_counts()
    parts = [f"{why} {counts[why]:,}" for why in sorted(counts.index)]
    return f"not for training or validation: {', '.join(parts) or 'no row'}"


def stop(title: str, failed: list[Outcome], limit: int) -> None:
    """Raises FailedValidation, naming each hard failure and its first rows, if there is any."""
    if not failed:
        return
    parts = [f"{one.name}: {one.sentence} {one.observed}: {named(one, limit)}" for one in failed]
    raise FailedValidation(
        f"{title} fails {len(failed)} hard expectation(s): {'; '.join(parts)}. Mend the data, or "
        "make it soft under validate.severities in params.yaml"
    )
