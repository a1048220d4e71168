"""`python -m fer_pipeline.compare`: tests and intervals between models, from predictions alone."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from fer_pipeline import errors, outputs, params
from fer_pipeline.compare import answers, comparison, console, plots
from fer_pipeline.compare.params import CompareParams


def main(argv: Sequence[str] | None = None) -> None:
    """Compares all models that the axes of params.yaml name."""
    given = _arguments(argv)
    with errors.one_line():
        section = params.section(CompareParams, given.params, "compare")
        runs = answers.read(given.predictions, params.runs(given.params))
        results = comparison.compare(runs, section)
        outputs.write_json(given.out, results)
        outputs.write_json(given.metrics, console.headline(results["pairs"]))
        with outputs.atomic(given.plots) as folder:
            plots.write(folder, results)
        print("\n".join(console.table(results)))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="fer compare",
        description=main.__doc__,
        epilog=params.keys(CompareParams),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--predictions", type=Path, required=True, help="folder of Parquet files")
    parser.add_argument("--out", type=Path, required=True, help="all results, JSON")
    parser.add_argument("--metrics", type=Path, required=True, help="headline numbers, JSON")
    parser.add_argument("--plots", type=Path, required=True, help="folder")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), help="params.yaml by default"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
