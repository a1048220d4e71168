"""The two tables that travel between stages: samples (ingest) and faces (detect).

One row per image or frame. Rows never vanish: what cannot be used keeps its row, with a `status`
and a `reason`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.errors import BadManifest, MissingData, nearest
from fer_pipeline.outputs import atomic

SPLITS: Final = ("train", "val", "test")

OK: Final = "ok"
UNREADABLE: Final = "unreadable"
UNCERTAIN: Final = "uncertain"
"""Read, but the set itself gives no single emotion (FER+ without majority, AffectNet 8-10)."""
UNKNOWN_LABEL: Final = "unknown_label"
"""The label is none that the set documents."""
NO_FACE: Final = "no_face"
STATUSES: Final = (OK, UNREADABLE, UNCERTAIN, UNKNOWN_LABEL, NO_FACE)

_FIELDS = [
    pa.field("id", pa.string(), nullable=False),
    pa.field("dataset", pa.string(), nullable=False),
    pa.field("split", pa.string()),
    pa.field("subject", pa.string()),
    pa.field("sequence", pa.string()),
    pa.field("frame", pa.int32()),
    pa.field("phase", pa.string()),
    pa.field("path", pa.string()),
    pa.field("view", pa.string()),
    pa.field("line", pa.int64()),
    pa.field("label", pa.string()),
    pa.field("emotion", pa.string()),
    pa.field("votes", pa.list_(pa.float32(), len(EMOTIONS))),
    pa.field("valence", pa.float32()),
    pa.field("arousal", pa.float32()),
    pa.field("intensity", pa.float32()),
    pa.field("given_box", pa.list_(pa.float32(), 4)),
    pa.field("given_landmarks", pa.list_(pa.float32())),
    pa.field("attributes", pa.map_(pa.string(), pa.string())),
    pa.field("width", pa.int32()),
    pa.field("height", pa.int32()),
    pa.field("pixel_hash", pa.string()),
    pa.field("status", pa.string(), nullable=False),
    pa.field("reason", pa.string()),
]

SAMPLES: Final = pa.schema([*_FIELDS, pa.field("image", pa.binary())])
"""What ingest writes. Columns:

id            unique within and across sets: `<dataset>/<what names it on disk>`
split         official split (train, val, test); null where the set has none
subject       person, where the set or its file names tell
sequence      clip that the frame belongs to; null for a still
frame         0-based index within the clip, also the frame to read when `path` is a video
phase         neutral, onset, apex or offset, where the set tells
path          picture or video file, POSIX, below the raw folder; null when `image` is embedded
view          how to turn the raw picture upright, see `images.apply_view`; null: as it is
line          1-based line of the label file, or 0-based row of a CSV's data
label         the label as the set writes it
emotion       one of `emotions.EMOTIONS`; null without a usable label
votes         raters' votes per emotion in the order of EMOTIONS, (8,) float32
valence, arousal   in [-1, 1]; null where the set has none or marks it invalid
intensity     of the expression, as the set's raters or coders gave it, in [0, 1]; null without one
given_box     the set's own face box, pixels xyxy in the upright picture, (4,) float32
given_landmarks    the set's own points x0, y0, x1, y1, ... in pixels, any number
attributes    what else the set says: gender, race, age, AU12, unknown votes, ...
width, height pixels of the upright picture; null when unreadable
pixel_hash    `images.pixel_hash` of the upright picture; null when unreadable
status        one of STATUSES
image         PNG bytes, only where the raw set has no image file of its own
"""

FACES: Final = pa.schema(
    [
        *_FIELDS,
        pa.field("box", pa.list_(pa.float32(), 4)),
        pa.field("landmarks", pa.list_(pa.float32(), 10)),
        pa.field("score", pa.float32()),
        pa.field("faces", pa.int32()),
        pa.field("alignment", pa.string()),
        pa.field("detector", pa.string()),
        pa.field("crop", pa.binary()),
    ]
)
"""What detect writes: SAMPLES without `image`, and

box           chosen face, pixels xyxy in the upright picture, (4,) float32
landmarks     left eye, right eye, nose, left and right mouth corner as seen in the picture,
              x0, y0, ... in pixels; NaN where the detector gives none
score         the detector's own confidence
faces         how many faces were found
alignment     five_points, eyes, box, or precropped; null without a face
crop          PNG bytes of the aligned face, gray or RGB as the raw picture was; null without one
"""

LEAKS: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("pixel_hash", pa.string()),
        pa.field("perceptual_hash", pa.binary()),
        pa.field("drop", pa.string()),
    ]
)
"""What validate writes, one row per face row, same order.

perceptual_hash    of the crop; null without one
drop               why training must not use this row (policy `drop_from_train`); null: it may
"""


@dataclass(slots=True)
class Sample:
    """One row of SAMPLES as a dataset's reader yields it; `pixels` only without a file of its own.

    Columns that the reader leaves alone are filled by ingest: dataset, width, height, pixel_hash.
    """

    id: str
    label: str | None
    emotion: str | None
    split: str | None = None
    subject: str | None = None
    sequence: str | None = None
    frame: int | None = None
    phase: str | None = None
    path: str | None = None
    view: str | None = None
    line: int | None = None
    votes: Sequence[float] | None = None
    valence: float | None = None
    arousal: float | None = None
    intensity: float | None = None
    given_box: Sequence[float] | None = None
    given_landmarks: Sequence[float] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    status: str = OK
    reason: str | None = None
    pixels: np.ndarray | None = None
    """(H, W) gray or (H, W, 3) RGB, uint8."""


def check(columns: Iterable[str], schema: pa.Schema, where: str) -> None:
    """Raises BadManifest when a column is missing or not in the schema (pyarrow drops those)."""
    have, want = list(columns), schema.names
    unknown = [name for name in have if name not in want]
    if unknown:
        hint = nearest(unknown[0], want)
        raise BadManifest(f"{where}: unknown column '{unknown[0]}'; {hint}known: {', '.join(want)}")
    missing = [name for name in want if name not in have]
    if missing:
        raise BadManifest(f"{where}: column '{missing[0]}' is missing; run the stage before again")


def to_table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema, where: str) -> pa.Table:
    """The rows as a table of exactly `schema`.

    Raises: BadManifest on unknown or missing columns, wrong types, or a null where none may be.
    """
    wanted = set(schema.names)
    for row in rows:
        if row.keys() != wanted:
            check(row.keys(), schema, where)
    try:
        table = pa.Table.from_pylist(list(rows), schema=schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise BadManifest(f"{where}: {error}") from None
    _no_nulls(table, schema, where)
    return table


def _no_nulls(table: pa.Table, schema: pa.Schema, where: str) -> None:
    for column in schema:
        if not column.nullable and table[column.name].null_count:
            raise BadManifest(f"{where}: column '{column.name}' has a null, it must be filled")


class Writer:
    """Collects rows and writes them in row groups; memory does not grow with the table."""

    def __init__(self, path: Path, schema: pa.Schema, group: int = 2048) -> None:
        self._path, self._schema, self._group = path, schema, group
        self._rows: list[Mapping[str, Any]] = []
        self._file = pq.ParquetWriter(path, schema, compression="zstd")
        self.count = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Appends one row, a mapping with exactly the schema's columns."""
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= self._group:
            self._flush()

    def add_table(self, table: pa.Table) -> None:
        """Appends a whole table as row groups of its own."""
        self._flush()
        where = str(self._path)
        check(table.column_names, self._schema, where)
        _no_nulls(table, self._schema, where)
        try:
            table = table.select(self._schema.names).cast(self._schema)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise BadManifest(f"{where}: {error}") from None
        self._file.write_table(table, self._group)
        self.count += table.num_rows

    def close(self) -> None:
        """Writes what is left and the file's footer."""
        self._flush()
        self._file.close()

    def abandon(self) -> None:
        """Closes the file without what is left; does nothing to a closed one."""
        self._file.close()

    def _flush(self) -> None:
        if self._rows:
            self._file.write_table(to_table(self._rows, self._schema, str(self._path)))
            self._rows = []


@contextmanager
def writing(path: Path, schema: pa.Schema, group: int = 2048) -> Iterator[Writer]:
    """A `Writer` whose file appears at `path` only when the block ends without an error."""
    with atomic(path) as part:
        writer = Writer(part, schema, group)
        try:
            yield writer
            writer.close()
        finally:
            writer.abandon()


def read(path: Path, schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """The table at `path`, all columns or those named.

    Raises: MissingData, BadManifest.
    """
    _open(path, schema)
    return pq.read_table(path, columns=list(columns) if columns else schema.names)


def batches(
    path: Path, schema: pa.Schema, columns: Sequence[str] | None = None, size: int = 1024
) -> Iterator[pa.RecordBatch]:
    """The table at `path` in batches of at most `size` rows, for tables larger than memory.

    Raises: MissingData, BadManifest.
    """
    file = _open(path, schema)
    yield from file.iter_batches(size, columns=list(columns) if columns else schema.names)


def _open(path: Path, schema: pa.Schema) -> pq.ParquetFile:
    if not Path(path).is_file():
        raise MissingData(f"{path} is not there; `dvc repro` makes it")
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise BadManifest(
            f"{path} is no Parquet file ({error}); delete it and run dvc repro"
        ) from None
    check(file.schema_arrow.names, schema, str(path))
    for column in schema:
        found = file.schema_arrow.field(column.name).type
        if found != column.type:
            raise BadManifest(f"{path}: column '{column.name}' is {found}, not {column.type}")
    return file
