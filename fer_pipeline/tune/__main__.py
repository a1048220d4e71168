"""`python -m fer_pipeline.tune`: a study of one model; `... tune accept MODEL` takes it over."""

import argparse
import os
import sys
from pathlib import Path

from fer_pipeline import errors, outputs, params
from fer_pipeline.tune.params import TuneParams


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Names and paths only; everything else is in params.yaml."""
    parser = argparse.ArgumentParser(
        prog="fer tune",
        description=__doc__,
        epilog=params.keys(TuneParams)
        + "\n\nFER_TUNE_STORAGE: URL of the storage that several workers share, such as\n"
        "postgresql://user@host/database or journal:///shared/tune.log; else a local file",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", required=True, help="file of fer_pipeline/models")
    parser.add_argument("--source", required=True, help="dataset to train on")
    parser.add_argument("--faces", type=Path, required=True, help="its table of faces")
    parser.add_argument("--leaks", type=Path, required=True, help="its leak table")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to write")
    parser.add_argument("--plots", type=Path, required=True, help="folder to write")
    parser.add_argument("--runs", type=Path, required=True, help="keeps trainings and trials")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), help="params.yaml by default"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Runs the stage, or accepts what it found."""
    given = sys.argv[1:] if argv is None else argv
    with errors.one_line():
        if given[:1] == ["accept"]:
            from fer_pipeline.tune import accept

            accept.command(given[1:])
        else:
            run(parse(given))


def run(asked: argparse.Namespace) -> None:
    """Works on the study until it has all its trials, then writes what it found.

    Raises: PipelineError.
    """
    line = params.searched(asked.params, "studies", asked.model)
    section = params.section(TuneParams, asked.params, "tune", line)
    from fer_pipeline.train.params import resolve

    settings = resolve(asked.params, asked.model, asked.source)
    # Optuna and torch load here, after the parameters are known to be good.
    from fer_pipeline.train.repeats import Job
    from fer_pipeline.tune import plots, results, storage, study

    job = Job(asked.model, asked.source, asked.faces, asked.leaks, asked.runs, settings)
    place = storage.connect(os.environ.get(storage.VARIABLE) or None, asked.runs / "studies")
    found = study.run(job, section, place)
    epochs = section.epochs or settings.epochs
    told = results.metrics(found, settings.score, section.repeats, epochs)
    outputs.write_json(asked.metrics, told)
    with outputs.atomic(asked.plots) as folder:
        plots.write(folder, found, f"{asked.model} on {asked.source}", settings.score)
    print(results.table(asked.model, asked.source, told))


if __name__ == "__main__":
    main()
