"""`python -m fer_pipeline.report`: one page of results and their summary; --show prints it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fer_pipeline.errors import one_line

INPUTS = {
    "metrics": "folder of the stages' metrics",
    "scores": "folder of evaluate's scores",
    "heat": "folder of explain's shares of heat",
    "ledger": "uses of test sets, JSON lines",
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
            from fer_pipeline.report import show

            print(show.told(given.show))
        else:
            write(given)


def write(given: argparse.Namespace) -> None:
    """Reads all inputs and writes the two outputs."""
    from fer_pipeline.outputs import write_json, write_text
    from fer_pipeline.params import section
    from fer_pipeline.report import page, study, tables
    from fer_pipeline.report.params import ReportParams

    settings = section(ReportParams, given.params, "report")
    places = (given.metrics, given.scores, given.heat, given.plots, given.comparison, given.ledger)
    found = study.read(study.Inputs(*places), given.params)
    write_text(given.out, page.render(found, settings))
    write_json(given.summary, tables.summary(found))
    size = given.out.stat().st_size / 1e6
    print(f"report: {len(found.runs)} runs, {len(found.datasets)} datasets, {size:.1f} MB")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="fer report",
        description=__doc__,
        epilog=_keys(sys.argv[1:] if argv is None else argv),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--show", type=Path, help="summary to print; nothing else is done")
    for name, meaning in INPUTS.items():
        parser.add_argument(f"--{name}", type=Path, help=meaning)
    default = Path("params.yaml")
    parser.add_argument("--params", type=Path, default=default, help="params.yaml by default")
    given = parser.parse_args(argv)
    missing = [f"--{name}" for name in INPUTS if getattr(given, name) is None]
    if missing and not given.show:
        parser.error(f"{', '.join(missing)} missing; or --show METRICS/summary.json")
    return given


def _keys(argv: Sequence[str]) -> str:
    # Loaded for --help alone, so that --show starts at once.
    if not {"-h", "--help"} & set(argv):
        return ""
    from fer_pipeline.params import keys
    from fer_pipeline.report.params import ReportParams

    return keys(ReportParams)


if __name__ == "__main__":
    main()
