"""`python -m fer_pipeline.ablate`: what each part of a model and of its training brings."""

import argparse
from pathlib import Path

from fer_pipeline import errors, outputs, params
from fer_pipeline.ablate.params import AblateParams


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Names and paths only; everything else is in params.yaml."""
    parser = argparse.ArgumentParser(
        prog="fer ablate",
        description=__doc__,
        epilog=params.keys(AblateParams),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", required=True, help="file of fer_pipeline/models")
    parser.add_argument("--source", required=True, help="dataset to train on")
    parser.add_argument(
        "--raw", type=Path, required=True, help="folder of ORIGIN/SOURCE, raw files"
    )
    parser.add_argument("--faces", type=Path, required=True, help="its table of faces")
    parser.add_argument("--leaks", type=Path, required=True, help="its leak table")
    parser.add_argument("--metrics", type=Path, required=True, help="main differences, JSON")
    parser.add_argument("--out", type=Path, required=True, help="all of them, JSON")
    parser.add_argument("--plots", type=Path, required=True, help="folder to write")
    parser.add_argument("--runs", type=Path, required=True, help="keeps finished repeats")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), help="params.yaml by default"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Runs the stage."""
    with errors.one_line():
        run(parse(argv))


def run(asked: argparse.Namespace) -> None:
    """Trains base and variants, then writes their differences.

    Raises: PipelineError.
    """
    from fer_pipeline.train.params import repeats as counted
    from fer_pipeline.train.params import resolve

    line = params.searched(asked.params, "ablations", asked.model)
    section = params.section(AblateParams, asked.params, "ablate", line)
    settings = resolve(asked.params, asked.model, asked.source)
    if section.epochs is not None:
        settings = settings.model_copy(update={"epochs": section.epochs})
    sets = params.axis(asked.params, "datasets")
    if "origin" not in sets.get(asked.source, {}):
        raise errors.BadParams(
            f"{asked.params}: source '{asked.source}' has no origin under datasets"
        )
    # torch loads here, after the parameters are known to be good.
    from fer_pipeline.ablate import differences, report, study, unaligned, variants
    from fer_pipeline.train.repeats import Job

    hindrance = unaligned.hindrance(asked.faces)
    found = variants.variants(asked.model, settings, section, hindrance)
    raw = asked.raw / sets[asked.source]["origin"] / asked.source
    job = Job(asked.model, asked.source, asked.faces, asked.leaks, asked.runs, settings)
    count = section.repeats or counted(asked.params)
    told = differences.compare(found, study.run(job, found, count, raw), section)
    outputs.write_json(asked.out, {"model": asked.model, "source": asked.source, **told})
    outputs.write_json(asked.metrics, report.metrics(told))
    with outputs.atomic(asked.plots) as folder:
        report.write(folder, told, f"{asked.model} on {asked.source}")
    print(report.table(asked.model, asked.source, told))


if __name__ == "__main__":
    main()
