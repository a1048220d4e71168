"""The processes that detect: how they start, what each does with a shard."""

import json
import multiprocessing
import os
import threading
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import connection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fer_pipeline import registry
from fer_pipeline.detect import crops
from fer_pipeline.outputs import atomic


@dataclass(frozen=True)
class Work:
    """What a worker must know: where the pictures lie, and what is done with each."""

    raw: Path
    detector: str
    options: str
    """The detector's options as JSON."""
    size: int
    """Side of an aligned crop, pixels."""


def finish(work: Work, samples: pa.Table, shard: Path) -> int:
    """Detects on all rows and writes them to `shard`; the number of rows."""
    detect = detector(work.detector, work.options, threading.get_ident())
    table = crops.table(samples, work.raw, detect, work.detector, work.size)
    with atomic(shard) as part:
        pq.write_table(table, part, compression="zstd")
    return len(samples)


@lru_cache
def detector(name: str, options: str, thread: int) -> crops.Detect:
    """The detector, loaded once per thread: not all of them may be shared by two.

    OpenCV is held to one thread in this process; the cores are used by processes.
    """
    import cv2

    cv2.setNumThreads(1)
    return registry.load("detectors", name).load("cpu", **json.loads(options))


def processes(count: int) -> Executor:
    """A pool whose workers are forked from a server that has imported this module once.

    Forking this process itself is not safe: it may run threads by now.
    """
    known = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in known else "spawn")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload([__name__])
    return ProcessPoolExecutor(count, mp_context=context, initializer=_die_with_parent)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _die_with_parent() -> None:
    """Ends this worker when the process that started it is gone, even killed.

    Workers hold both ends of their own queue, and would wait for it for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def wait() -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
