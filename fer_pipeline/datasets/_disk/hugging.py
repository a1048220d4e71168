"""Hugging Face tables: pictures and class numbers in Parquet or Arrow files."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fer_pipeline.datasets._disk import tree
from fer_pipeline.datasets._disk.class_folders import SPLIT_OF
from fer_pipeline.errors import BadImage, BadRaw
from fer_pipeline.images import decode
from fer_pipeline.manifest import UNREADABLE, Sample

Labels = Mapping[str, str | None]

_BROKEN = (pa.ArrowException, OSError)
"""What pyarrow raises on damaged files, on opening or later."""


def shards(folder: Path) -> list[Path]:
    """The table files in `folder` at any depth, however a download or `save_to_disk` lays them."""
    return tree.walk(folder, (".parquet", ".arrow"))


def split_of(shard: Path, root: Path) -> str | None:
    """train, val or test by the last word of its name that means one, else of its folders' names.

    So `train-00000-of-00001.parquet`, `raf-db-test.arrow`, `default/test/0000.parquet`.
    """
    below = shard.relative_to(root)
    for name in (below.stem, *reversed(below.parts[:-1])):
        found = [word for word in re.split(r"[-_.]", name.lower()) if word in SPLIT_OF]
        if found:
            return SPLIT_OF[found[-1]]
    return None


def samples(
    root: Path,
    dataset: str,
    emotion_of: Labels | None,
    splits: Mapping[Path, str | None],
    split_of_picture: Callable[[str], str | None] = lambda name: None,
) -> Iterator[Sample]:
    """One row per picture; its pixels come with it, since it has no file of its own.

    emotion_of   meaning of labels; None: only names mean anything, from the schema's metadata
                 (`ClassLabel`), which wins in any case, or in the table itself
    splits       of each shard; None: unknown
    split_of_picture   the split that a picture's own name tells, which wins

    Raises: BadRaw, also for a row whose split is not known.
    """
    name_of = tree.Names(dataset)
    for shard, split in splits.items():
        schema, batches = _open(shard)
        names = class_names(schema, str(shard))
        for line, image, value in _rows(shard, batches):
            where = f"{shard}, row {line}"
            data, inner = _picture(image, where)
            own = split_of_picture(inner) or split
            if own is None:
                raise BadRaw(
                    f"{where}: neither the table's name nor its folder tells the split; rename it "
                    f"to train-{shard.name} or test-{shard.name}"
                )
            label, known = _label(value, names, emotion_of, where)
            place = shard.relative_to(root).with_suffix("").as_posix()
            name = name_of(Path(inner).stem or f"{place}/{line}")
            yield _sample(name, label, known, data, own, line)


def class_names(schema: pa.Schema, where: str) -> list[str] | None:
    """Names of the label's classes from the schema's Hugging Face metadata; None without them.

    Raises: BadRaw when that metadata is not as Hugging Face writes it.
    """
    text = (schema.metadata or {}).get(b"huggingface")
    if text is None:
        return None
    try:
        label = json.loads(text).get("info", {}).get("features", {}).get("label", {})
        names = label.get("names")
        if isinstance(names, dict):
            names = [names[str(code)] for code in range(len(names))]
    except (ValueError, AttributeError, KeyError):
        raise BadRaw(f"{where}: damaged Hugging Face metadata; download the table again") from None
    return names


def _open(shard: Path) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    try:
        if shard.suffix.lower() == ".arrow":
            reader = pa.ipc.open_stream(pa.memory_map(str(shard)))
            schema, batches = reader.schema, iter(reader)
        else:
            file = pq.ParquetFile(shard)
            schema, batches = file.schema_arrow, file.iter_batches(256)
    except _BROKEN as error:
        raise BadRaw(f"{shard} cannot be read ({error}); download it again") from None
    for column in ("image", "label"):
        if column not in schema.names:
            raise BadRaw(f"{shard}: no column '{column}', only {schema.names}; download it again")
    return schema, batches


def _rows(shard: Path, batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, Any, Any]]:
    """0-based row, image and label of every record."""
    line = 0
    while True:
        try:
            batch = next(batches, None)
        except _BROKEN as error:
            raise BadRaw(
                f"{shard}: damaged after row {line} ({error}); download it again"
            ) from None
        if batch is None:
            return
        for record in batch.select(["image", "label"]).to_pylist():
            yield line, record["image"], record["label"]
            line += 1


def _picture(image: Any, where: str) -> tuple[bytes | None, str]:
    """The encoded picture, None without one, and its own file name, which may be empty."""
    if image is None or isinstance(image, bytes):
        return image, ""
    if not isinstance(image, dict) or not {"bytes", "path"} & image.keys():
        raise BadRaw(f"{where}: its image is no picture but {str(image)[:40]}; download it again")
    return image.get("bytes"), Path(image.get("path") or "").name


def _label(
    value: Any, names: list[str] | None, emotion_of: Labels | None, where: str
) -> tuple[str | None, Labels]:
    """The label as text and the map that gives it a meaning."""
    known = emotion_of or {}
    if value is None or value == -1:
        # Hugging Face marks a withheld label by -1.
        return None, known
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str) and names is not None:
        if not isinstance(value, int) or not 0 <= value < len(names):
            raise BadRaw(f"{where}: label {value}, but the schema names {len(names)} classes")
        value = names[value]
    text = str(value).strip()
    if text in known:
        return text, known
    if emotion_of is None and names is None and text.isdecimal():
        raise BadRaw(
            f"{where}: the schema does not name the classes, and numbers alone mean nothing; "
            "download the table again with its Hugging Face metadata"
        )
    return (text, known) if text.isdecimal() else (text.lower(), tree.WORDS)


def _sample(
    name: str, label: str | None, known: Labels, data: bytes | None, split: str, line: int
) -> Sample:
    emotion, status, reason = tree.judge(label, known)
    pixels = None
    try:
        if data is None:
            raise BadImage("the table holds no picture for it")
        pixels = decode(data)
    except BadImage as error:
        status, reason = UNREADABLE, str(error)
    return Sample(
        name, label, emotion, split=split, line=line, status=status, reason=reason, pixels=pixels
    )
