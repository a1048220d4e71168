"""`python -m fer_pipeline.train`: one model trained on one source, all repeats."""

import argparse
from pathlib import Path

from fer_pipeline import errors, outputs
from fer_pipeline.params import keys
from fer_pipeline.train import params, report

PROCESSES = """\
FER_TRAIN_PROCESSES=N: trains on N processes of this machine, each with a GPU where there are any;
on several machines that share the folders: torchrun ... -m fer_pipeline.train ..."""


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Names and paths only; everything else is in params.yaml."""
    parser = argparse.ArgumentParser(
        prog="fer train",
        description=__doc__,
        epilog=f"{keys(params.TrainParams)}\n\n{PROCESSES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", required=True, help="file of fer_pipeline/models")
    parser.add_argument("--source", required=True, help="dataset to train on")
    parser.add_argument("--transfer", help="its name, where this is one of the axis transfers")
    parser.add_argument("--start", type=Path, help="checkpoints of the run that it starts from")
    parser.add_argument("--faces", type=Path, required=True, help="its table of faces")
    parser.add_argument("--leaks", type=Path, required=True, help="its leak table")
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to write")
    parser.add_argument("--plots", type=Path, required=True, help="CSV of curves")
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
    """Trains, then writes checkpoints, metrics and curves.

    Raises: PipelineError.
    """
    settings = params.resolve(asked.params, asked.model, asked.source, asked.transfer)
    count = params.repeats(asked.params)
    # torch loads here, after the parameters are known to be good.
    from fer_pipeline.train import parallel, repeats

    parallel.spread()
    name = asked.transfer or asked.model
    job = repeats.Job(
        asked.model, asked.source, asked.faces, asked.leaks, asked.runs, settings, name, asked.start
    )
    with parallel.ranks(settings.device) as ranks:
        finished = [repeats.train(job, repeat, ranks=ranks) for repeat in range(count)]
        if not ranks.first:
            return
    repeats.publish(asked.out, finished)
    outputs.write_json(asked.metrics, report.metrics(finished))
    outputs.write_text(asked.plots, report.curves(finished))
    print(report.table(name, asked.source, finished))


if __name__ == "__main__":
    main()
