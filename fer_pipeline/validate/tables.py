"""The two tables of a set as data frames, with what the expectations need to know of each row."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fer_pipeline import images, manifest
from fer_pipeline.errors import BadManifest, MissingData
from fer_pipeline.faces import EYES, FIVE_POINTS
from fer_pipeline.protocol import Protocol, partition
from fer_pipeline.validate.perceptual import phash

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_COLUMNS: Final = (
    "id", "dataset", "split", "subject", "sequence", "status", "emotion", "width", "height",
    "pixel_hash",
)  # fmt: skip
FACE_COLUMNS: Final = (*SAMPLE_COLUMNS, "box", "alignment")

NO_CROP, CONSTANT, HASHED = 0, 1, 2
"""States of a face: none, all pixels alike (nothing to hash), hashed."""


def fields(path: Path, schema: pa.Schema) -> "pd.DataFrame":
    """One row per column of the schema and of the Parquet file: table, id (column), found, wanted.

    A column that is missing on either side has the type "none".

    Raises: MissingData, BadManifest when the file is no Parquet file.
    """
    import pandas as pd

    if not path.is_file():
        raise MissingData(f"{path} is not there; `dvc repro` makes it")
    try:
        found = pq.read_schema(path)
    except pa.ArrowInvalid as error:
        raise BadManifest(
            f"{path} is no Parquet file ({error}); delete it, run dvc repro"
        ) from None
    names = [*schema.names, *(name for name in found.names if name not in schema.names)]
    return pd.DataFrame(
        {
            "id": [f"{path.parent.name}.{name}" for name in names],
            "found": [_type(found, name, schema) for name in names],
            "wanted": [_type(schema, name, schema) for name in names],
        }
    )


def _type(schema: pa.Schema, name: str, wanted: pa.Schema) -> str:
    if name not in schema.names:
        return "none"
    kind = schema.field(name).type
    # Parquet names the items of lists anew: types that are equal must also read the same.
    same = name in wanted.names and kind == wanted.field(name).type
    return str(wanted.field(name).type if same else kind)


def samples(path: Path, faces_path: Path, protocol: Protocol) -> "pd.DataFrame":
    """SAMPLE_COLUMNS, and per row

    usable        read, with an emotion; unlabelled: read, without
    lost          the faces table has another row, or none, in its place
    short_side    pixels; NaN without a picture
    split_emotion `<split>/<emotion>` of usable rows
    fault         what the protocol needs and the row lacks
    part          see `_part`; null where the protocol cannot be applied
    repeats       whether an earlier row has the same pixels
    """
    table = manifest.read(path, manifest.SAMPLES, SAMPLE_COLUMNS).to_pandas()
    table["usable"] = (table["status"] == manifest.OK) & table["emotion"].notna()
    table["unlabelled"] = (table["status"] == manifest.OK) & table["emotion"].isna()
    kept = manifest.read(faces_path, manifest.FACES, ["id"]).to_pandas()["id"]
    table["lost"] = (table["id"] != kept.reindex(table.index)).fillna(True).astype(bool)
    table["short_side"] = np.minimum(table["width"], table["height"])
    whole = table["usable"] & table["split"].notna()
    table["split_emotion"] = (table["split"] + "/" + table["emotion"]).where(whole)
    table["fault"] = faults(table, protocol)
    table["part"] = None if table["fault"].notna().any() else _part(table, protocol)
    read = table["pixel_hash"].notna()
    table["repeats"] = read & table["pixel_hash"].duplicated()
    return table


def _part(table: "pd.DataFrame", protocol: Protocol) -> np.ndarray:
    """(N,) str: train, val or test; with folds the one that tests the row, `test` if they all do.

    What two rows of one fold share, they share in every repeat: whoever looked at the first repeat
    alone would miss a clip of two subjects that are parted later.
    """
    if protocol.kind == "official":
        return parts_of(table, protocol, repeat=0)
    folds = protocol.folds or table["subject"].nunique()
    tested = np.array([parts_of(table, protocol, r) == "test" for r in range(max(folds, 1))])
    fold = np.char.add("fold ", (tested.argmax(axis=0) + 1).astype(str))
    return np.where(tested.all(axis=0), "test", fold)


def faults(table: "pd.DataFrame", protocol: Protocol) -> "pd.Series":
    """Why the protocol cannot be applied to a row, null where it can.

    Of folds, rows that are not ok need no subject, and a set that names none at all is only tested.
    """
    import pandas as pd

    found = pd.Series([None] * len(table), index=table.index, dtype=object)
    if protocol.kind == "official":
        found[~table["split"].isin(manifest.SPLITS)] = "unknown split"
        found[table["split"].isna()] = "no split"
        return found
    unnamed = table["subject"].isna()
    if unnamed.all():
        return found
    found[unnamed & (table["status"] == manifest.OK)] = "no subject"
    if table["subject"].nunique() < 3:
        found[found.isna()] = "fewer than three subjects in the set"
    return found


def parts_of(table: "pd.DataFrame", protocol: Protocol, repeat: int) -> np.ndarray:
    """(N,) str: the part of each row, exactly as training sees it."""
    split, subject, emotion = (
        [value if isinstance(value, str) else None for value in table[column]]
        for column in ("split", "subject", "emotion")
    )
    return partition(protocol, table["id"].tolist(), split, subject, emotion, repeat)


def faces(path: Path) -> "pd.DataFrame":
    """FACE_COLUMNS, and per row

    usable        read, with an emotion and a face
    found         whether a readable picture has a face; null where it cannot be read
    uncropped     status ok, yet no face
    overhang      how far the box leaves the picture, in its own sides, or infinite for an empty box
    face_side     the box's shorter side, pixels
    """
    table = manifest.read(path, manifest.FACES, FACE_COLUMNS)
    box = boxes(table["box"])
    frame = table.drop_columns(["box"]).to_pandas()
    # None, unlike NaN, equals itself: rows without a subject are not taken for several people.
    frame["subject"] = frame["subject"].astype(object).where(frame["subject"].notna(), None)
    cropped, good = frame["alignment"].notna(), frame["status"] == manifest.OK
    frame["found"] = cropped.astype(object).where(frame["pixel_hash"].notna())
    frame["usable"] = good & frame["emotion"].notna() & cropped
    frame["uncropped"] = good & ~cropped
    size = frame[["width", "height"]].to_numpy(np.float64, na_value=np.nan)
    frame["overhang"] = overhang(box, size)
    frame["face_side"] = (box[:, 2:] - box[:, :2]).min(axis=1)
    return frame


def boxes(column: pa.ChunkedArray) -> np.ndarray:
    """(N, 4) float64, NaN without a box."""
    none = [np.nan] * 4
    return np.array([box or none for box in column.to_pylist()], np.float64).reshape(-1, 4)


def overhang(box: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(N,) share of its width or height by which a box xyxy leaves a picture (width, height).

    Infinite for a box that is empty or turned inside out; NaN without a box.
    """
    side = box[:, 2:] - box[:, :2]
    beyond = np.maximum(np.maximum(-box[:, :2], box[:, 2:] - size), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(side > 0, beyond / side, np.inf).max(axis=1)
    return np.where(np.isnan(box).any(axis=1), np.nan, share)


def hashes(path: Path, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Perceptual hash (N, side * side / 8) uint8 and state (N,) of each face's crop, streaming.

    State: NO_CROP, CONSTANT or HASHED.
    """
    marks: list[np.ndarray] = []
    states: list[np.ndarray] = []
    for batch in manifest.batches(path, manifest.FACES, ["crop", "alignment"]):
        crops = [_gray(crop) for crop in batch.column("crop").to_pylist()]
        state = np.array([_state(crop) for crop in crops], np.uint8)
        aligned = np.isin(batch.column("alignment").to_pylist(), (FIVE_POINTS, EYES))
        found = np.zeros((len(crops), side * side // 8), np.uint8)
        for kind in (False, True):
            chosen = np.flatnonzero((state == HASHED) & (aligned == kind))
            if len(chosen):
                full = [crop for i in chosen if (crop := crops[i]) is not None]
                found[chosen] = phash(full, side, kind)
        marks.append(found)
        states.append(state)
    if not marks:
        return np.zeros((0, side * side // 8), np.uint8), np.zeros(0, np.uint8)
    return np.concatenate(marks), np.concatenate(states)


def _gray(crop: bytes | None) -> np.ndarray | None:
    return None if crop is None else images.to_gray(images.decode_png(crop))


def _state(crop: np.ndarray | None) -> int:
    if crop is None:
        return NO_CROP
    return CONSTANT if crop.min() == crop.max() else HASHED
