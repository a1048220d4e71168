"""`python -m fer_pipeline.detect`: from samples to aligned faces of one dataset."""

import argparse
import json
import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from fer_pipeline import errors, outputs, params
from fer_pipeline.detect import cluster, counts, identity, shards
from fer_pipeline.detect.params import DetectParams, detector_of
from fer_pipeline.detect.workers import Work, cores, processes


@errors.one_line()
def main(argv: list[str] | None = None) -> None:
    """Reads --samples and the pictures below --raw, writes --out and --metrics."""
    parser = argparse.ArgumentParser(
        prog="fer detect",
        description=__doc__,
        epilog=params.keys(DetectParams),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dataset", required=True, help="name under `datasets` in the parameters")
    parser.add_argument("--raw", required=True, type=Path, help="folder of the raw dataset")
    parser.add_argument("--samples", required=True, type=Path, help="table that ingest wrote")
    parser.add_argument("--out", required=True, type=Path, help="table of faces to write")
    parser.add_argument("--metrics", required=True, type=Path, help="counts to write, JSON")
    parser.add_argument("--runs", required=True, type=Path, help="folder for unfinished work")
    parser.add_argument(
        "--params", default=Path("params.yaml"), type=Path, help="params.yaml by default"
    )
    args = parser.parse_args(argv)
    if not args.samples.is_file():
        raise errors.MissingData(f"{args.samples} is not there; `dvc repro` makes it")

    section = params.section(DetectParams, args.params, "detect")
    detector = detector_of(args.params, args.dataset)
    options = json.dumps(section.options.get(detector, {}), sort_keys=True)
    work = Work(args.raw.resolve(), detector, options, section.size)
    folder = args.runs.resolve() / f"detect-{identity.identity(work, args.samples, section.shard)}"
    pool: tuple[int, Callable[[int], Executor]] = (section.workers or cores(), processes)
    if scheduler := cluster.address():
        pool = cluster.crew(scheduler)
    parts = shards.run(args.samples, folder, work, pool[0], section.shard, pool[1])
    shards.join(parts, args.out)
    found = counts.count(args.out)
    outputs.write_json(args.metrics, found)
    shutil.rmtree(folder, ignore_errors=True)
    print(f"detect {args.dataset} with {detector}\n{counts.lines(found)}")


if __name__ == "__main__":
    main()
