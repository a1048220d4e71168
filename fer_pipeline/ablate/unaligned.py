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
