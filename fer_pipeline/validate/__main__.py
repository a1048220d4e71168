"""`python -m fer_pipeline.validate`: one set's tables, or with --across what all sets share."""

import argparse
from pathlib import Path

from fer_pipeline import errors, params
from fer_pipeline.validate import writing
from fer_pipeline.validate.params import ValidateParams


def main(argv: list[str] | None = None) -> None:
    """Reads the command line, validates, prints what was found."""
    parser = argparse.ArgumentParser(
        prog="fer validate",
        description=__doc__,
        epilog=params.keys(ValidateParams),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--dataset", help="a file of fer_pipeline/datasets")
    which.add_argument("--across", action="store_true", help="compare the sets of params.yaml")
    parser.add_argument("--samples", required=True, type=Path, help="table; --across: its folder")
    parser.add_argument("--metrics", required=True, type=Path, help="JSON of counts to write")
    parser.add_argument("--faces", type=Path, help="table of faces")
    parser.add_argument("--out", type=Path, help="leak table to write")
    parser.add_argument("--docs", type=Path, help="folder of HTML to write")
    parser.add_argument("--leaks", type=Path, help="--across: folder of leak tables")
    parser.add_argument("--pairs", type=Path, help="--across: CSV of pairs of sets to write")
    parser.add_argument("--params", default="params.yaml", type=Path, help="params.yaml by default")
    options = parser.parse_args(argv)
    needed = ("leaks", "pairs") if options.across else ("faces", "out", "docs")
    if missing := [f"--{name}" for name in needed if getattr(options, name) is None]:
        parser.error(f"needs {' and '.join(missing)}")
    with errors.one_line():
        section = params.section(ValidateParams, options.params, "validate")
        if options.across:
            sets = list(params.read(options.params).get("datasets") or {})
            writing.across(
                sets, options.samples, options.leaks, options.metrics, options.pairs, section
            )
        else:
            writing.one_set(
                options.dataset,
                options.samples,
                options.faces,
                options.out,
                options.metrics,
                options.docs,
                section,
            )


if __name__ == "__main__":
    main()
