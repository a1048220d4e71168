"""Test items and their probabilities as rows of the predictions table."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from fer_pipeline.dimensions import DIMENSIONS
from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.errors import BadManifest
from fer_pipeline.evaluate.runs import Run
from fer_pipeline.evaluate.targets import Faces, Items
from fer_pipeline.predictions import PREDICTIONS, TRAIN_ROWS


def schema(train_rows: Mapping[int, int]) -> pa.Schema:
    """PREDICTIONS with the number of rows that each repeat was trained on beside it."""
    return PREDICTIONS.with_metadata({TRAIN_ROWS: json.dumps(train_rows, sort_keys=True)})


def rows_of(
    run: Run,
    target: Faces,
    items: Items,
    place: int,
    classes: tuple[str, ...],
    shares: np.ndarray,
    values: np.ndarray,
    repeated: np.ndarray,
    leak: np.ndarray,
) -> pa.Table:
    """The items that the run at `place` tests, as a table of PREDICTIONS.

    shares: (items, classes) float32; values: (items, D) float32 of the model's dimensions;
    repeated (items,) bool; leak (items,) objects.

    Raises: BadManifest when a probability is not finite: it would count as the first class.
    """
    mine = np.flatnonzero(items.tested[place])
    chosen = target.rows.take(pa.array(items.rows[mine]))
    shares = shares[mine]
    broken = np.flatnonzero(~np.isfinite(shares).all(axis=1))
    if len(broken):
        raise BadManifest(
            f"{run.card.name} trained on {run.card.source}, repeat {run.repeat}: probabilities "
            f"for {items.ids[mine[broken[0]]]} are not finite ({len(broken)} such items); its "
            "weights are broken, delete its checkpoints and train it again"
        )
    columns: dict[str, object] = {
        "model": [run.card.name] * len(mine),
        "source": [run.card.source] * len(mine),
        "repeat": pa.array([run.repeat] * len(mine), pa.int32()),
        "target": [target.dataset] * len(mine),
        "id": [items.ids[item] for item in mine],
        "emotion": [items.emotions[item] for item in mine],
        "predicted": [classes[best] for best in shares.argmax(axis=1)],
        "repeated": repeated[mine],
        "leak": pa.array(leak[mine].tolist(), pa.string()),
    }
    for emotion in EMOTIONS:
        known = emotion in classes
        column: Any = shares[:, classes.index(emotion)] if known else [None] * len(mine)
        columns[f"p_{emotion}"] = pa.array(column, pa.float32())
    for name in DIMENSIONS:
        told = run.card.dimensions
        column = values[mine, told.index(name)] if name in told else [None] * len(mine)
        columns[f"predicted_{name}"] = pa.array(column, pa.float32())
    for name in ("subject", "votes", *DIMENSIONS):
        columns[name] = chosen[name]
    return pa.table({name: columns[name] for name in PREDICTIONS.names}, schema=PREDICTIONS)
