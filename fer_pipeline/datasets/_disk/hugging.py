"""Hugging Face tables: pictures and class numbers in Parquet or Arrow files."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fer_pipeline.datasets._disk import tree
from fer_pipeline.errors import BadImage, BadRaw
from fer_pipeline.images import decode
from fer_pipeline.manifest import UNREADABLE, Sample


def shards(folder: Path) -> list[Path]:
    """The table files in `folder` and its `data` folder, by name."""
    found = []
    for place in (folder, folder / "data"):
        found += tree.files(place, (".parquet", ".arrow"))
    return found


def samples(
    folder: Path,
    dataset: str,
    emotion_of: Mapping[str, str | None] | None,
    split_of: Callable[[str], str | None],
) -> Iterator[Sample]:
    """One row per picture; its pixels come with it, since it has no file of its own.

    Class names in the schema (`ClassLabel`) win; without them labels are looked up in
    `emotion_of`, and refused when that is None. The split is that of the picture's own name, else
    of the table's file name.

    Raises: BadRaw.
    """
    name_of = tree.Names(dataset)
    for shard in shards(folder):
        schema, batches = _open(shard)
        names = class_names(schema)
        if names is None and emotion_of is None:
            raise BadRaw(
                f"{shard}: the schema does not name the classes, and numbers alone mean nothing; "
                "download the table again with its Hugging Face metadata"
            )
        line = 0
        for batch in batches:
            for record in batch.select(["image", "label"]).to_pylist():
                inner = Path(record["image"]["path"] or "").name
                split = split_of(inner) or split_of(shard.name) or "train"
                label, known = _label(record["label"], names, emotion_of, f"{shard}, row {line}")
                name = name_of(Path(inner).stem or f"{shard.stem}/{line}")
                yield _sample(name, label, known, record["image"]["bytes"], split, line)
                line += 1


def class_names(schema: pa.Schema) -> list[str] | None:
    """Names of the label's classes from the schema's Hugging Face metadata; None without them."""
    text = (schema.metadata or {}).get(b"huggingface")
    if text is None:
        return None
    label = json.loads(text).get("info", {}).get("features", {}).get("label", {})
    names = label.get("names")
    if isinstance(names, dict):
        return [names[str(code)] for code in range(len(names))]
    return names


def _open(shard: Path) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    try:
        if shard.suffix == ".arrow":
            reader = pa.ipc.open_stream(pa.memory_map(str(shard)))
            schema, batches = reader.schema, iter(reader)
        else:
            file = pq.ParquetFile(shard)
            schema, batches = file.schema_arrow, file.iter_batches(256)
    except pa.ArrowInvalid as error:
        raise BadRaw(f"{shard} cannot be read ({error}); download it again") from None
    for column in ("image", "label"):
        if column not in schema.names:
            raise BadRaw(f"{shard}: no column '{column}', only {schema.names}; download it again")
    return schema, batches


def _label(
    value: Any, names: list[str] | None, emotion_of: Mapping[str, str | None] | None, where: str
) -> tuple[str | None, Mapping[str, str | None]]:
    """The label as text and the map that gives it a meaning."""
    known = emotion_of or {}
    if value is None or value == -1:
        # Hugging Face marks a withheld label by -1.
        return None, known
    if names is None:
        return str(value), known
    if not 0 <= value < len(names):
        raise BadRaw(f"{where}: label {value}, but the schema names {len(names)} classes")
    name = names[value]
    return (name, known) if name in known else (name.strip().lower(), tree.WORDS)


def _sample(
    name: str,
    label: str | None,
    known: Mapping[str, str | None],
    data: bytes | None,
    split: str,
    line: int,
) -> Sample:
    emotion, status, reason = tree.judge(label, known)
    pixels = None
    try:
        pixels = decode(data or b"")
    except BadImage as error:
        status, reason = UNREADABLE, str(error)
    return Sample(
        name, label, emotion, split=split, line=line, status=status, reason=reason, pixels=pixels
    )
