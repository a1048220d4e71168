"""The face crops behind predictions: one for a still, all frames for a clip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from fer_pipeline import manifest
from fer_pipeline.errors import BadManifest
from fer_pipeline.images import decode_png
from fer_pipeline.train.pixels import sampled


@dataclass(frozen=True, slots=True)
class Picture:
    """Face crops of one prediction in the order of their frames, (H, W) or (H, W, 3) RGB uint8.

    apex   index of the frame with the expression at its height: the last one marked so, else the
           middle one; 0 for a still
    """

    crops: Sequence[np.ndarray]
    apex: int = 0


def read(path: Path, ids: Sequence[str], frames: int) -> Mapping[str, Picture]:
    """The pictures of the named FACES ids, or, with `frames` > 1, of the named sequences.

    A clip has at most `frames` frames, chosen as in training.

    Raises: MissingData, BadManifest when one of them is not in the table.
    """
    key = "sequence" if frames > 1 else "id"
    wanted = set(ids)
    rows: dict[str, list[tuple[int, str | None, bytes]]] = {name: [] for name in ids}
    columns = ["id", "sequence", "frame", "phase", "crop"]
    for batch in manifest.batches(path, manifest.FACES, columns):
        names = batch.column(key).to_pylist()
        hits = [i for i, name in enumerate(names) if name in wanted]
        for row in batch.take(pa.array(hits, pa.int64())).to_pylist():
            if row["crop"] is not None:
                rows[row[key]].append((row["frame"] or 0, row["phase"], row["crop"]))
    for name, found in rows.items():
        if not found:
            raise BadManifest(
                f"{path} has no face for {name}, which has a prediction; run detect and evaluate "
                "again"
            )
    return {name: _picture(found, frames) for name, found in rows.items()}


def _picture(found: list[tuple[int, str | None, bytes]], frames: int) -> Picture:
    found.sort(key=lambda row: row[0])
    rows = [found[place] for place in sampled(tuple(range(len(found))), frames)]
    marked = [i for i, (_, phase, _) in enumerate(rows) if phase == "apex"]
    apex = marked[-1] if marked else len(rows) // 2
    return Picture([decode_png(crop) for _, _, crop in rows], apex)
