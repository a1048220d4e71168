"""A Dask cluster in place of this machine's processes, where `FER_DASK_SCHEDULER` names one.

Its workers must see the raw pictures and the folder of unfinished work under the same paths as this
machine. A worker that is lost costs the shards it was at; Dask gives them to another.
"""

import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final

from fer_pipeline.errors import BadParams

SCHEDULER: Final = "FER_DASK_SCHEDULER"

PATIENCE: Final = "20s"
"""Time that a scheduler has to answer."""


def address() -> str | None:
    """The scheduler's address, such as tcp://host:8786; None: detect with processes here."""
    return os.environ.get(SCHEDULER) or None


def crew(scheduler: str) -> tuple[int, Callable[[int], Executor]]:
    """How many threads the cluster has, and what makes an executor of them.

    Raises: BadParams when Dask is not installed, or no cluster answers there, or one without
    workers.
    """
    client = _client(scheduler)
    threads = sum(client.nthreads().values())
    if not threads:
        client.close()
        raise BadParams(f"{SCHEDULER}: the cluster at {scheduler} has no workers; start some")
    return threads, lambda count: client.get_executor(pure=False)


def _client(scheduler: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise BadParams(
            f"{SCHEDULER} is set, but Dask is not installed: pip install 'fer-pipeline[dask]'"
        ) from None
    try:
        return Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadParams(
            f"{SCHEDULER}: no Dask scheduler at {scheduler} ({reason}); start one or unset it"
        ) from None
