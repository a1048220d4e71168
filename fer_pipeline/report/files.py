"""The files of other stages, read with an error that says which stage makes them."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_pipeline.errors import BadManifest, MissingData


def read_json(path: Path, stage: str) -> dict[str, Any]:
    """A stage's JSON file.

    Raises: MissingData, BadManifest.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingData(f"{path} is not there; `dvc repro {stage}` makes it") from None
    except json.JSONDecodeError as error:
        raise BadManifest(f"{path} is no JSON ({error}); run {stage} again") from None
    if not isinstance(value, dict):
        raise BadManifest(f"{path} holds no JSON object; run {stage} again")
    return value


def read_csv(path: Path, stage: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a stage's CSV file, which must have at least `columns`.

    Raises: MissingData, BadManifest.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise MissingData(f"{path} is not there; `dvc repro {stage}` makes it") from None
    missing = [name for name in columns if rows and name not in rows[0]]
    if missing:
        raise BadManifest(f"{path} has no column '{missing[0]}'; run {stage} again")
    return rows
