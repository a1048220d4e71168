"""`python -m fer_pipeline.ingest`: one raw dataset -> its table of samples."""

import argparse
from pathlib import Path

from fer_pipeline import errors, params
from fer_pipeline.ingest import layouts
from fer_pipeline.ingest.params import IngestParams
from fer_pipeline.ingest.table import ingest
from fer_pipeline.outputs import write_json


class _Parser(argparse.ArgumentParser):
    """Reads the datasets' files for their layouts only when help is asked for."""

    def format_help(self) -> str:
        self.epilog = f"{params.keys(IngestParams)}\n\n{layouts.text()}"
        return super().format_help()


def main(argv: list[str] | None = None) -> None:
    """Reads the command line, ingests, prints what was found."""
    parser = _Parser(
        prog="fer ingest",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dataset", required=True, help="a file of fer_pipeline/datasets")
    parser.add_argument("--raw", required=True, type=Path, help="folder the set lies in")
    parser.add_argument("--out", required=True, type=Path, help="Parquet table to write")
    parser.add_argument("--metrics", required=True, type=Path, help="JSON of counts to write")
    parser.add_argument("--params", default="params.yaml", type=Path, help="params.yaml by default")
    options = parser.parse_args(argv)
    with errors.one_line():
        section = params.section(IngestParams, options.params, "ingest")
        summary, official = ingest(options.dataset, options.raw, options.out, section)
        write_json(options.metrics, summary.metrics(official))
        print(summary.text(official))


if __name__ == "__main__":
    main()
