"""`python -m fer_pipeline.report`: one page with all results, and their summary.

With --show METRICS/summary.json it prints the summary instead.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from fer_pipeline.errors import one_line

INPUTS = {
    "metrics": "folder of the stages' metrics",
    "scores": "folder of evaluate's scores",
    "comparison": "JSON of compare",
    "plots": "folder of the stages' plots",
    "out": "page to write",
    "summary": "JSON to write",
}


def main(argv: Sequence[str] | None = None) -> None:
    """Writes page and summary, or shows a summary."""
    given = _arguments(argv)
    with one_line():
        if given.show:
            show(given.show)
        else:
            write(given)


def show(summary: Path) -> None:
    """Prints the table of results and where the report, plots and data docs lie."""
    from fer_pipeline.report import show as terminal

    print(f"\n{terminal.table(terminal.read(summary))}\n")
    print("accuracy in percent with its interval, (low-high); * on the own test set\n")
    print(terminal.places(summary.parent.parent / "plots"))


def write(given: argparse.Namespace) -> None:
    """Reads all inputs and writes the two outputs."""
    from fer_pipeline.outputs import write_json, write_text
    from fer_pipeline.params import section
    from fer_pipeline.report import page, study, tables
    from fer_pipeline.report.params import ReportParams

    settings = section(ReportParams, given.params, "report")
    found = study.read(given.metrics, given.scores, given.comparison, given.plots, given.params)
    write_text(given.out, page.render(found, settings))
    write_json(given.summary, tables.summary(found))
    size = given.out.stat().st_size / 1e6
    print(f"report: {len(found.runs)} runs, {len(found.datasets)} datasets, {size:.1f} MB")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fer_pipeline.report", description=__doc__)
    parser.add_argument("--show", type=Path, help="summary to print; nothing else is done")
    for name, meaning in INPUTS.items():
        parser.add_argument(f"--{name}", type=Path, help=meaning)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    given = parser.parse_args(argv)
    missing = [f"--{name}" for name in INPUTS if getattr(given, name) is None]
    if missing and not given.show:
        parser.error(f"{', '.join(missing)} missing; or --show METRICS/summary.json")
    return given


if __name__ == "__main__":
    main()
