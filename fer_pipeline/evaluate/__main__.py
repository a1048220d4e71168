"""`python -m fer_pipeline.evaluate`: predictions, scores, plots and ledger of one trained model."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from fer_pipeline import errors, manifest, memory, outputs, params
from fer_pipeline.evaluate import console, evaluation, ledger, plots, runs, summary, table
from fer_pipeline.evaluate.params import EvaluateParams
from fer_pipeline.validate.params import ValidateParams


def main(argv: Sequence[str] | None = None) -> None:
    """Tests every repeat of a model on every dataset of the axis `datasets`."""
    given = _arguments(argv)
    with errors.one_line():
        section = params.section(EvaluateParams, given.params, "evaluate")
        near = params.section(ValidateParams, given.params, "validate").near_distance
        names = list(params.axis(given.params, "datasets"))
        if given.source not in names:
            raise errors.BadParams(f"{given.params}: source '{given.source}' is not in 'datasets'")
        memory.keep_freed()
        device = runs.resolve(section.device)
        found = runs.load(given.checkpoints, given.model, given.source, device)
        places = evaluation.Places(given.faces, given.leaks)
        unit = "clip" if found[0].card.input.frames > 1 else "image"
        settings = summary.Settings(section.confidence, section.resamples, section.seed)
        seen = evaluation.trained(found, places)
        sizes = {run.repeat: part.examples for run, part in zip(found, seen, strict=True)}
        scores, tested = {}, {}
        with manifest.writing(given.out, table.schema(sizes)) as writer:
            for part in evaluation.evaluate(
                found, seen, names, places, section.batch_size, device, near, section.views
            ):
                writer.add_table(part.rows)
                tested[part.target] = part
                told = summary.summarise(part.rows, part.classes, settings)
                scores[part.target] = console.scope(part, unit) | told
                scores[part.target]["views"] = summary.viewed(part.viewed, part.classes, settings)
            uses = [use for part in tested.values() for use in part.uses]
            new = ledger.record(given.ledger, uses)
        head = {"model": given.model, "source": given.source, "confidence": section.confidence}
        repeats = [run.repeat for run in found]
        outputs.write_json(given.scores, head | {"repeats": repeats, "targets": scores})
        outputs.write_json(given.metrics, console.headline(given.source, scores))
        title = f"{given.model} on {given.source}, its own test set"
        with outputs.atomic(given.plots) as folder:
            plots.write(folder, tested[given.source], title)
        print(f"{given.model} trained on {given.source}, {len(found)} repeats; * its own test set")
        print("\n".join(console.table(given.source, scores, section.confidence)))
        times = ledger.times(ledger.read(given.ledger))
        print(console.uses(given.model, given.source, new, times))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="fer evaluate",
        description=main.__doc__,
        epilog=params.keys(EvaluateParams),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", required=True, help="file of fer_pipeline/models")
    parser.add_argument("--source", required=True, help="dataset that the model was trained on")
    parser.add_argument("--checkpoints", type=Path, required=True, help="one folder per repeat")
    parser.add_argument("--faces", type=Path, required=True, help="folder of <dataset>.parquet")
    parser.add_argument("--leaks", type=Path, required=True, help="folder of <dataset>.parquet")
    parser.add_argument("--out", type=Path, required=True, help="predictions, Parquet")
    parser.add_argument("--metrics", type=Path, required=True, help="headline scores, JSON")
    parser.add_argument("--scores", type=Path, required=True, help="all scores, JSON")
    parser.add_argument("--plots", type=Path, required=True, help="folder")
    parser.add_argument("--ledger", type=Path, required=True, help="uses of test sets, JSON lines")
    parser.add_argument(
        "--params", type=Path, default=Path("params.yaml"), help="params.yaml by default"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
