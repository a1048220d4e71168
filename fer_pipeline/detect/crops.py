"""From a table of samples to a table of faces: read, detect, choose, align.

Which face is the labelled one: with a box given by the set, the face that overlaps it most (a
face elsewhere is someone else's); without, the one that `faces.choose` takes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fer_pipeline import faces, images, manifest
from fer_pipeline.errors import BadImage
from fer_pipeline.faces import Face
from fer_pipeline.pictures import Pictures

Detect = Callable[[Sequence[np.ndarray]], list[list[Face]]]

_NEEDED = ("path", "view", "frame", "image", "given_box", "status", "reason")
_TOGETHER = 8
"""Pictures decoded at a time: what a detector may batch, and what memory must hold."""


@dataclass(frozen=True, slots=True)
class Found:
    """What detect adds to a row; the names are the columns of manifest.FACES."""

    status: str
    reason: str | None
    box: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    score: float | None = None
    faces: int | None = None
    alignment: str | None = None
    crop: bytes | None = None


def table(samples: pa.Table, raw: Path, detect: Detect, detector: str, size: int) -> pa.Table:
    """manifest.FACES with one row per row of `samples` (manifest.SAMPLES), in the same order."""
    rows = samples.select(_NEEDED).to_pylist()
    found: list[Found] = []
    with Pictures(raw) as pictures:
        for start in range(0, len(rows), _TOGETHER):
            found += _together(rows[start : start + _TOGETHER], pictures, detect, detector, size)
    added = {name: [getattr(item, name) for item in found] for name in Found.__slots__}
    added["detector"] = [detector] * len(found)
    columns = [
        pa.array(added[field.name], field.type) if field.name in added else samples[field.name]
        for field in manifest.FACES
    ]
    return pa.table(columns, schema=manifest.FACES)


def _together(
    rows: Sequence[Mapping[str, Any]], pictures: Pictures, detect: Detect, detector: str, size: int
) -> Iterator[Found]:
    read = [_read(row, pictures) for row in rows]
    all_found = iter(detect([images.to_rgb(item) for item in read if not isinstance(item, Found)]))
    for row, item in zip(rows, read, strict=True):
        if isinstance(item, Found):
            yield item
        else:
            yield _chosen(row, item, next(all_found), detector, size)


def _read(row: Mapping[str, Any], pictures: Pictures) -> np.ndarray | Found:
    if row["status"] == manifest.UNREADABLE:
        return Found(row["status"], row["reason"])
    try:
        if row["image"] is not None:
            return images.decode_png(row["image"])
        return pictures.read(row["path"], row["frame"], row["view"])
    except BadImage as error:
        return Found(manifest.UNREADABLE, str(error))


def _chosen(
    row: Mapping[str, Any], pixels: np.ndarray, found: list[Face], detector: str, size: int
) -> Found:
    height, width = pixels.shape[:2]
    given = None if row["given_box"] is None else np.asarray(row["given_box"], np.float32)
    if not found:
        return _faceless(row, 0, f"{detector} finds no face")
    face = faces.choose(found, width, height, given)
    if given is not None and faces.iou(face.box, given) == 0:
        missed = f"none of the {len(found)} faces that {detector} finds overlaps the set's own box"
        return _faceless(row, len(found), missed)
    if detector == faces.PRECROPPED:
        crop, alignment = pixels, faces.PRECROPPED
    else:
        crop, alignment = faces.align(pixels, face, size)
    return Found(
        status=row["status"],
        reason=row["reason"],
        box=np.clip(face.box, 0, [width, height, width, height]).astype(np.float32),
        landmarks=face.landmarks.ravel(),
        score=face.score,
        faces=len(found),
        alignment=alignment,
        crop=images.encode_png(crop, stored=True),
    )


def _faceless(row: Mapping[str, Any], count: int, why: str) -> Found:
    """A row without a crop; a status that ingest gave is kept, with both reasons."""
    if row["status"] == manifest.OK:
        return Found(manifest.NO_FACE, why, faces=count)
    return Found(row["status"], f"{row['reason']}; {why}", faces=count)
