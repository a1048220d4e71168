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
from fer_pipeline.train.rows import peak


@dataclass(frozen=True, slots=True)
class Picture:
    """Face crops of one prediction in the order of their frames, (H, W) or (H, W, 3) RGB uint8.

    apex   index of the frame with the expression at its height: the one that training takes for
           it, else the middle one; 0 for a still
    known  whether it was marked, rather than taken to be the middle one
    """

    crops: Sequence[np.ndarray]
    apex: int = 0
    known: bool = False


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
    height = peak([phase for _, phase, _ in found])
    places = sampled(tuple(range(len(found))), frames, height)
    known = height >= 0
    apex = places.index(height) if known else len(places) // 2
    return Picture([decode_png(found[place][2]) for place in places], apex, known)
