"""Which rows a training may see: those of train and val, and of these the usable ones.

Rows of the test part are removed by number, before their label or picture is looked at.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from fer_pipeline import manifest, votes
from fer_pipeline.dimensions import DIMENSIONS
from fer_pipeline.emotions import COMMON7, EMOTIONS, in_order
from fer_pipeline.errors import BadManifest, BadParams, MissingData
from fer_pipeline.protocol import Protocol, partition


@dataclass(frozen=True)
class Examples:
    """What a run trains and validates on, stills or clips, in table order.

    ids      FACES id of a still, sequence of a clip
    part     (N,) "train" or "val"
    truth    (N,) int64 index into the classes; -1: no single label, only votes
    votes    (N, 10) float64 in the order of `votes.NAMES`; NaN: none, or not asked for
    frames   row numbers of the faces table, one for a still
    peaks    (N,) int64 row number of the frame at the expression's height; -1: not known, a still
    ratings  (N, 3) float32 in the order of DIMENSIONS, of a clip's last rated frame; NaN: none
    dropped  rows of train and val that are not used
    """

    ids: tuple[str, ...]
    part: np.ndarray
    truth: np.ndarray
    votes: np.ndarray
    frames: tuple[tuple[int, ...], ...]
    peaks: np.ndarray
    ratings: np.ndarray
    dropped: int


COLUMNS: Final = (
    "id",
    "sequence",
    "frame",
    "phase",
    "emotion",
    "status",
    "alignment",
    *DIMENSIONS,
)


def classes_of(emotion_of: dict[str, str | None], wanted: str) -> tuple[str, ...]:
    """The classes of a dataset in the order of EMOTIONS; `wanted` is common7 or all8."""
    allowed = COMMON7 if wanted == "common7" else EMOTIONS
    named = {emotion for emotion in emotion_of.values() if emotion is not None}
    return in_order(named & set(allowed))


def read(
    faces: Path,
    leaks: Path,
    protocol: Protocol,
    repeat: int,
    classes: Sequence[str],
    clips: bool = False,
    soft: bool = False,
) -> Examples:
    """The examples of one repeat.

    `soft` also takes training rows without a single label that have votes.

    Raises: MissingData, BadManifest.
    """
    parts = _parts(faces, protocol, repeat)
    seen = np.flatnonzero(parts != "test")
    columns = [*COLUMNS, "votes", "attributes"] if soft else list(COLUMNS)
    table = manifest.read(faces, manifest.FACES, columns).take(pa.array(seen))
    rows = table.to_pylist()
    for row, number, drop in zip(rows, seen, _drops(leaks, table["id"], seen), strict=True):
        row["number"], row["part"], row["drop"] = int(number), str(parts[number]), drop
    found = _clips(rows, classes) if clips else _stills(rows, classes, soft)
    if not {"train", "val"} <= {example["part"] for example in found}:
        raise MissingData(f"{faces}: no usable rows for training or validation in repeat {repeat}")
    used = sum(len(example["frames"]) for example in found)
    return _examples(found, classes, dropped=len(rows) - used)


def rated(examples: Examples, dimensions: Sequence[str], source: str) -> np.ndarray:
    """(N, D) float32 ratings on the given dimensions.

    Raises: BadParams where training or validation rows have hardly any.
    """
    ratings = examples.ratings[:, [DIMENSIONS.index(name) for name in dimensions]]
    for part in ("train", "val"):
        known = ~np.isnan(ratings[examples.part == part])
        for name, count in zip(dimensions, known.sum(axis=0), strict=True):
            if count < 2:
                raise BadParams(
                    f"{count} {part} rows of {source} are rated on {name}; take it out of "
                    "train.dimensions"
                )
    return ratings


def crops(faces: Path, wanted: np.ndarray) -> Iterator[tuple[int, bytes]]:
    """Row number and PNG of the wanted rows, in table order, streaming."""
    mask, start = np.asarray(wanted, dtype=bool), 0
    for batch in manifest.batches(faces, manifest.FACES, ["crop"]):
        here = np.flatnonzero(mask[start : start + batch.num_rows])
        picked = batch.column("crop").take(pa.array(here))
        for offset, crop in zip(here, picked, strict=True):
            yield start + int(offset), crop.as_py()
        start += batch.num_rows


def _parts(faces: Path, protocol: Protocol, repeat: int) -> np.ndarray:
    table = manifest.read(faces, manifest.FACES, ["id", "split", "subject"])
    splits = table["split"].to_pylist()
    emotions: list[str | None] = [None] * len(splits)
    if protocol.kind == "official" and "val" not in splits:
        # Only a carved validation set needs labels, and only those of training rows.
        train = [i for i, split in enumerate(splits) if split == "train"]
        labels = manifest.read(faces, manifest.FACES, ["emotion"])["emotion"].take(pa.array(train))
        for i, emotion in zip(train, labels.to_pylist(), strict=True):
            emotions[i] = emotion
    ids, subjects = table["id"].to_pylist(), table["subject"].to_pylist()
    return partition(protocol, ids, splits, subjects, emotions, repeat)


def _drops(leaks: Path, ids: pa.ChunkedArray, seen: np.ndarray) -> list[str | None]:
    table = manifest.read(leaks, manifest.LEAKS, ["id", "drop"])
    if len(seen) and (table.num_rows <= seen[-1] or table["id"].take(pa.array(seen)) != ids):
        raise BadManifest(f"{leaks} lists other rows than the faces table; run validate again")
    drops: list[str | None] = table["drop"].take(pa.array(seen)).to_pylist()
    return drops


def _stills(
    rows: Sequence[dict[str, Any]], classes: Sequence[str], soft: bool
) -> list[dict[str, Any]]:
    found = []
    for row in rows:
        good = row["status"] == manifest.OK and row["emotion"] in classes
        voted = soft and row["part"] == "train" and row["votes"] is not None
        if voted and row["status"] in (manifest.OK, manifest.UNCERTAIN):
            good = True
        if good and row["drop"] is None and row["alignment"] is not None:
            counts = votes.from_row(row["votes"], dict(row["attributes"])) if voted else None
            found.append({**row, "frames": (row["number"],), "votes": counts})
    return found


def _clips(rows: Sequence[dict[str, Any]], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Clips of the rows that have a sequence: frames in order, the label that the clip shows."""
    sequences: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["sequence"] is not None and row["drop"] is None and row["alignment"] is not None:
            sequences[row["sequence"]].append(row)
    found = []
    for name, members in sequences.items():
        members.sort(key=lambda row: row["frame"])
        emotion = clip_emotion(members)
        if emotion in classes:
            frames = tuple(row["number"] for row in members)
            first = members[0]
            place = peak([row["phase"] for row in members])
            found.append(
                {"id": name, "part": first["part"], "emotion": emotion, "votes": None}
                | {"frames": frames, "peak": frames[place] if place >= 0 else -1}
                | {name: _last([row[name] for row in members]) for name in DIMENSIONS}
            )
    return found


def _last(ratings: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(ratings) if value is not None), None)


def clip_emotion(members: Sequence[dict[str, Any]]) -> str | None:
    """The emotion of a clip from its frames in order (keys status, emotion, phase).

    That of an apex frame, else of the last labelled frame that is not neutral, else neutral; None
    without any label.
    """
    labelled = [
        row for row in members if row["status"] == manifest.OK and row["emotion"] is not None
    ]
    apex = [row["emotion"] for row in labelled if row["phase"] == "apex"]
    shown = [row["emotion"] for row in labelled if row["emotion"] != "neutral"]
    for candidates in (apex, shown, [row["emotion"] for row in labelled]):
        if candidates:
            return str(candidates[-1])
    return None


def peak(phases: Sequence[str | None]) -> int:
    """Place of the frame at the expression's height: the middle one of those marked apex, or -1."""
    marked = [place for place, phase in enumerate(phases) if phase == "apex"]
    return marked[len(marked) // 2] if marked else -1


def _examples(found: Sequence[dict[str, Any]], classes: Sequence[str], dropped: int) -> Examples:
    index = {emotion: number for number, emotion in enumerate(classes)}
    none = [np.nan] * len(votes.NAMES)
    return Examples(
        ids=tuple(example["id"] for example in found),
        part=np.array([example["part"] for example in found]),
        truth=np.array([index.get(example["emotion"], -1) for example in found], dtype=np.int64),
        votes=np.array([none if e["votes"] is None else e["votes"] for e in found]),
        frames=tuple(example["frames"] for example in found),
        peaks=np.array([example.get("peak", -1) for example in found], dtype=np.int64),
        ratings=np.array([[e[name] for name in DIMENSIONS] for e in found], dtype=np.float32),
        dropped=dropped,
    )
