"""The ledger of test sets: which weights have seen which test rows."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from fer_pipeline.errors import BadManifest
from fer_pipeline.outputs import write_text


def record(path: Path, uses: Sequence[Mapping[str, object]]) -> int:
    """Adds the uses that the ledger lacks, one JSON line each, sorted; returns how many were new.

    Stages that run at the same time take turns; a kill leaves the old ledger or the new one.

    Raises: BadManifest when a line of the file is no JSON object.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _turn(path.parent):
        known = {_line(use) for use in read(path)}
        new = {_line(use) for use in uses} - known
        if new:
            write_text(path, "".join(line + "\n" for line in sorted(known | new)))
    return len(new)


def times(uses: Iterable[Mapping[str, object]]) -> dict[tuple[str, str, str], int]:
    """How often each test set was used: model, source, target -> number of distinct weights."""
    weights: dict[tuple[str, str, str], set[object]] = {}
    for use in uses:
        key = (str(use["model"]), str(use["source"]), str(use["target"]))
        weights.setdefault(key, set()).add(use["weights"])
    return {key: len(found) for key, found in weights.items()}


def read(path: Path) -> list[dict[str, object]]:
    """All uses on record; none where the file does not exist.

    Raises: BadManifest.
    """
    if not path.exists():
        return []
    uses = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            use = json.loads(line)
        except json.JSONDecodeError:
            use = None
        if not isinstance(use, dict):
            raise BadManifest(f"{path}, line {number} is no JSON object; restore it from git")
        uses.append(use)
    return uses


def _line(use: Mapping[str, object]) -> str:
    return json.dumps(use, sort_keys=True, ensure_ascii=False)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    # The folder is locked, not the file: the file is replaced by a rename.
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
