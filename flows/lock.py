"""One study at a time on a working tree."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fer_pipeline.errors import PipelineError

PLACE: Final = Path(".dvc") / "tmp" / "study.lock"


class Busy(PipelineError):
    """Another study runs on the same working tree."""


@contextmanager
def working_tree(root: Path, wait: float, path: Path | None = None) -> Iterator[None]:
    """Holds the tree; waits up to `wait` seconds for whoever holds it now.

    path: the file to lock in place of the tree's own, for a tree that is yet to be made or goes.

    The kernel frees the lock when its holder dies.

    Raises: Busy.
    """
    path = path or root / PLACE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + wait
        while not _taken(file.fileno()):
            if time.monotonic() >= deadline:
                file.seek(0)
                holder = file.read().strip() or "another process"
                raise Busy(
                    f"{holder} already runs a study in {root}; wait for it, cancel it, or give "
                    "overrides, which run in a copy"
                )
            time.sleep(0.2)
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
