"""Faces cut out by their box alone, neither turned nor centred on eyes: what alignment is worth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fer_pipeline import faces, images, manifest
from fer_pipeline.errors import BadImage, BadManifest
from fer_pipeline.faces import Face
from fer_pipeline.outputs import digest
from fer_pipeline.pictures import Pictures


def hindrance(source: Path) -> str:
    """Why the faces of a table cannot be had without alignment; empty where they can."""
    ways: set[str] = set()
    embedded = 0
    for batch in manifest.batches(source, manifest.FACES, ["path", "alignment"]):
        for row in batch.to_pylist():
            if row["alignment"] is not None:
                ways.add(row["alignment"])
                embedded += row["path"] is None
    if ways <= {faces.PRECROPPED}:
        return "its faces come as crops, nothing is aligned"
    if ways <= {faces.PRECROPPED, faces.BOX}:
        return "its faces are cut by their boxes as it is, for want of landmarks"
    if embedded:
        return f"{embedded} of its rows have no picture file that a box could be cut from"
    return ""


def table(source: Path, raw: Path, size: int, folder: Path) -> Path:
    """A table of FACES like `source` with other crops, kept in `folder`; `size` of crops, pixels.

    raw: where the pictures lie that `source` was made from.

    Raises: BadManifest when a picture cannot be read any more.
    """
    path = folder / f"unaligned-{digest(source, size)}.parquet"
    if path.is_file():
        return path
    place = manifest.FACES.get_field_index("crop")
    with manifest.writing(path, manifest.FACES) as writer, Pictures(raw) as pictures:
        for batch in manifest.batches(source, manifest.FACES):
            crops: list[bytes | None] = []
            for row in batch.to_pylist():
                if row["crop"] is None:
                    crops.append(None)
                    continue
                box = np.asarray(row["box"], np.float32)
                face = Face(box, faces.no_landmarks(), row["score"] or 0.0)
                pixels = _picture(row, pictures, source)
                crop, _ = faces.align(pixels, face, size)
                crops.append(images.encode_png(crop, stored=True))
            columns = batch.columns
            columns[place] = pa.array(crops, manifest.FACES.field("crop").type)
            writer.add_table(pa.Table.from_arrays(columns, schema=manifest.FACES))
    return path


def _picture(row: Mapping[str, Any], pictures: Pictures, source: Path) -> np.ndarray:
    if row["path"] is None:
        raise BadManifest(f"{source}: {row['id']} has no picture file that a box could be cut from")
    try:
        return pictures.read(row["path"], row["frame"], row["view"])
    except BadImage as error:
        raise BadManifest(
            f"{source}: {row['id']} cannot be read ({error}); run detect again"
        ) from None
