"""Runs detection over all shards of a samples table, keeps those done, and joins them.

A shard is a run of rows in a file of its own, written whole or not at all, so that a killed run
goes on where it stopped. The joined table is the same however many workers or runs made it.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
from tqdm import tqdm

from fer_pipeline import manifest
from fer_pipeline.detect.workers import Work, detector, finish, processes

_START_UP = 1.0
"""What starting a pool of processes costs, seconds: less work than that is done without."""
_GROUP = 2048
"""Rows of the joined table's row groups, at least."""

Job = tuple[Work, pa.Table, Path]


def run(
    samples: Path,
    folder: Path,
    work: Work,
    workers: int,
    rows: int,
    executor: Callable[[int], Executor] = processes,
) -> list[Path]:
    """The shards of `samples` in order, each of at most `rows` rows; makes those not in `folder`.

    The first is done here and timed: a pool is started only when it saves more than it costs.

    Raises: MissingData, BadManifest, BadParams, UnknownName.
    """
    total = manifest.read(samples, manifest.SAMPLES, ["id"]).num_rows
    detector(work.detector, work.options, threading.get_ident())
    shards: list[Path] = []
    bar: tqdm[NoReturn] = tqdm(
        total=total, unit="row", desc=f"detect {work.detector}", mininterval=0.5
    )
    with bar:
        jobs = _pending(samples, folder, work, rows, shards, bar)
        began = time.perf_counter()
        for job in islice(jobs, 1):
            bar.update(finish(*job))
        left = (time.perf_counter() - began) * (total - bar.n) / rows
        if left * (1 - 1 / workers) > _START_UP:
            _spread(executor(workers), jobs, workers, bar)
        else:
            for job in jobs:
                bar.update(finish(*job))
    return shards


def join(shards: Sequence[Path], out: Path) -> None:
    """Writes the shards' rows, in order, as one manifest.FACES table at `out`, streaming."""
    with manifest.writing(out, manifest.FACES) as writer:
        tables: list[pa.Table] = []
        for shard in shards:
            tables.append(manifest.read(shard, manifest.FACES))
            if sum(table.num_rows for table in tables) >= _GROUP:
                writer.add_table(pa.concat_tables(tables).combine_chunks())
                tables = []
        if tables:
            writer.add_table(pa.concat_tables(tables).combine_chunks())


def _pending(
    samples: Path, folder: Path, work: Work, rows: int, shards: list[Path], bar: "tqdm[NoReturn]"
) -> Iterator[Job]:
    """What is still to do; lists every shard in `shards` and counts the finished on `bar`."""
    for index, batch in enumerate(manifest.batches(samples, manifest.SAMPLES, size=rows)):
        shard = folder / f"shard-{index:05d}.parquet"
        shards.append(shard)
        if shard.exists():
            bar.update(batch.num_rows)
        else:
            yield work, pa.Table.from_batches([batch]), shard


def _spread(pool: Executor, jobs: Iterator[Job], workers: int, bar: "tqdm[NoReturn]") -> None:
    """Does the jobs on the pool, a few in flight at a time: the table is never all in memory."""
    running: set[Future[int]] = set()
    try:
        for job in jobs:
            running.add(pool.submit(finish, *job))
            if len(running) >= 2 * workers:
                running = _progress(running, bar)
        while running:
            running = _progress(running, bar)
    finally:
        for future in running:
            future.cancel()
        pool.shutdown()


def _progress(running: set[Future[int]], bar: "tqdm[NoReturn]") -> set[Future[int]]:
    done, left = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        bar.update(future.result())
    return left
