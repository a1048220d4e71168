"""FER+: ten raters' votes for each face of FER2013, 8 classes, unknown, and not a face (NF).

Layouts on disk, in the raw folder or up to two folders deeper:
    fer2013new.csv beside fer2013.csv (or icml_face_data.csv): header `Usage,Image name,neutral,
                                happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF`,
                                joined by line, never by name: names are not row numbers, 173 are
                                empty and 4 occur twice
    FER2013{Train,Valid,Test}/fer%07d.png, each with label.csv without header:
                                `fer0000000.png,"(0, 0, 48, 48)",<the ten votes>`; of a name that
                                occurs twice only the later row's picture exists, the earlier row
                                is kept with status `unreadable`; a picture that label.csv does not
                                list is a row with status `unknown_label`
    Where both are there, as in the set's own repository, the joined form is read if a CSV of
    FER2013 is found, else the folders.
Labels: the majority, as the set's own code finds it (see `votes.majority`). A row whose majority is
not a face has status `no_face`; one whose majority is unknown, or that has none, `uncertain`. The
column `votes` holds the eight emotions, attributes the rest as `votes_unknown` and `votes_NF`.
Splits: FER2013's Usage. Subjects: not known.
Licence: votes MIT (Microsoft); pictures as FER2013.
Obtain: https://github.com/microsoft/FERPlus and FER2013.
Paper: Barsoum et al., ICMI 2016, arXiv:1608.01041.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, Final

from fer_pipeline import votes
from fer_pipeline.datasets import fer2013
from fer_pipeline.datasets._disk import csv_pixels, tree
from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.manifest import NO_FACE, OK, SPLITS, UNCERTAIN, UNREADABLE, Sample
from fer_pipeline.outputs import atomic
from fer_pipeline.portraits import Portrait
from fer_pipeline.protocol import Protocol

COLUMNS: Final = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    votes.UNKNOWN,
    votes.NOT_A_FACE,
)
"""The votes as both label files order them."""

HEADER: Final = ("Usage", "Image name", *COLUMNS)

EMOTION_OF: Final = {name: name if name in EMOTIONS else None for name in COLUMNS}

PROTOCOL: Final = Protocol(
    kind="official",
    source="Barsoum et al. 2016, arXiv:1608.01041; rows and Usage of FER2013",
    counts=fer2013.PROTOCOL.counts,
)
CLASS_COUNTS: Final = {
    split: dict(zip(EMOTIONS, counts, strict=True))
    for split, counts in {
        "train": (2100, 119, 532, 7287, 3014, 3149, 8740, 119),
        "val": (287, 24, 62, 865, 351, 415, 1182, 13),
        "test": (273, 18, 83, 893, 384, 396, 1090, 16),
    }.items()
}
"""Rows with a majority, computed from the official file."""

OBTAIN: Final = (
    "FER+: fer2013new.csv from https://github.com/microsoft/FERPlus (MIT), whose pictures are "
    f"those of {fer2013.OBTAIN}"
)

VOTES: Final = "fer2013new.csv"
FOLDERS: Final = "folders-with-label.csv"
LAYOUT_COUNTS: Final = {FOLDERS: {"train": 28561, "val": 3579, "test": 3574}}
"""Rows that have a picture's name; the folder form leaves the others out."""

FOLDER_OF: Final = {"train": "FER2013Train", "val": "FER2013Valid", "test": "FER2013Test"}


def recognise(raw: Path) -> str:
    """`fer2013new.csv+<FER2013's file>` or `folders-with-label.csv`.

    Raises: MissingData.
    """
    layout, paths = _find(raw)
    return layout if layout == FOLDERS else "+".join(path.name for path in paths)


def _find(raw: Path) -> tuple[str, list[Path]]:
    """The layout, and its two files, or its folders."""
    votes_file = _first(raw, (VOTES,))
    if votes_file:
        places = (votes_file.parent, raw)
        pictures = next((path for place in places if (path := _first(place, fer2013.CSV))), None)
        if pictures:
            return VOTES, [votes_file, pictures]
    for root in tree.folders(raw):
        parts = [root / name for name in FOLDER_OF.values()]
        if any((part / "label.csv").is_file() for part in parts):
            return FOLDERS, [part for part in parts if part.is_dir()]
    if votes_file:
        raise MissingData(
            f"{votes_file} holds votes only: its pictures are missing; put fer2013.csv beside it "
            f"({OBTAIN})"
        )
    raise tree.missing("FER+", raw, f"{VOTES} and fer2013.csv", OBTAIN)


def _first(raw: Path, names: tuple[str, ...]) -> Path | None:
    places = (folder / name for folder in tree.folders(raw) for name in names)
    return next((path for path in places if path.is_file()), None)


def samples(raw: Path) -> Iterator[Sample]:
    """One sample per row of votes, in file order.

    Raises: MissingData, BadRaw.
    """
    layout, paths = _find(raw)
    if layout == VOTES:
        yield from _joined(*paths)
    else:
        for split, name in FOLDER_OF.items():
            for part in paths:
                if part.name == name:
                    yield from _labelled(raw, part, split)


def _joined(labels: Path, pictures: Path) -> Iterator[Sample]:
    rows = csv_pixels.rows(pictures, ("emotion", "Usage"))
    for row, entry in zip_longest(rows, _vote_rows(labels)):
        if row is None or entry is None:
            longer, line = (labels, entry[0]) if row is None else (pictures, row.line)
            raise BadRaw(
                f"{longer}, line {line}: {labels.name} and {pictures.name} are joined by line, but "
                "the other file ends before this line; use both files as downloaded"
            )
        line, (usage, name, *counts) = entry
        if usage != row.usage:
            raise BadRaw(
                f"{labels}, line {line}: Usage '{usage}', but '{row.usage}' in {pictures.name}, "
                f"line {row.line}; the files are joined by line: use both as downloaded"
            )
        yield Sample(
            f"ferplus/{row.row:05d}",
            split=fer2013.split_of(pictures, row),
            line=row.row,
            pixels=row.pixels,
            **_judged(_numbers(labels, line, counts), name, row.emotion),
        )


def _vote_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(1-based line, fields) of fer2013new.csv."""
    header = next(tree.records(path), (1, []))[1]
    if tuple(header) != HEADER:
        raise BadRaw(f"{path}, line 1: the header is not '{','.join(HEADER)}'; download again")
    yield from islice(tree.records(path, len(HEADER)), 1, None)


def _labelled(raw: Path, part: Path, split: str) -> Iterator[Sample]:
    path = part / "label.csv"
    if not path.is_file():
        raise BadRaw(f"{path} is missing, which holds the votes of this folder; restore it")
    entries = list(tree.records(path, 2 + len(COLUMNS)))
    last = {fields[0]: line for line, fields in entries}
    for line, (name, box, *counts) in entries:
        below = (part / name).relative_to(raw).as_posix()
        sample = Sample(
            f"ferplus/{below}",
            split=split,
            path=below,
            line=line,
            given_box=_box(path, line, box),
            **_judged(_numbers(path, line, counts), name, None),
        )
        if last[name] != line or not name:
            sample.id, sample.path, sample.status = f"{sample.id}@{line}", None, UNREADABLE
            sample.reason = f"its picture was overwritten by that of line {last[name]}, same name"
        if not name:
            sample.reason = "its line names no picture"
        yield sample
    for picture in tree.walk(part):
        below = picture.relative_to(part).as_posix()
        if below not in last:
            name = f"ferplus/{picture.relative_to(raw).as_posix()}"
            reason = "label.csv does not list it"
            yield tree.unlabelled(raw, name, picture, reason, split=split)


def _numbers(path: Path, line: int, words: Sequence[str]) -> dict[str, int]:
    if not all(word.strip().isdecimal() for word in words):
        raise BadRaw(f"{path}, line {line}: votes {','.join(words)} are not ten whole numbers")
    return dict(zip(COLUMNS, map(int, words), strict=True))


def _box(path: Path, line: int, text: str) -> list[float]:
    words = text.strip("() ").split(",")
    if len(words) != 4 or not all(word.strip().isdecimal() for word in words):
        raise BadRaw(f"{path}, line {line}: '{text}' is no box such as (0, 0, 48, 48)")
    return [float(word) for word in words]


def _judged(count: dict[str, int], name: str, fer_code: str | None) -> dict[str, Any]:
    """The columns of a sample that follow from its votes."""
    label = votes.majority([count[column] for column in votes.NAMES])
    status, reason = OK, None
    if label is None:
        status, reason = UNCERTAIN, "no emotion has the majority of the votes"
    elif label == votes.UNKNOWN:
        status, reason = UNCERTAIN, "most raters voted unknown"
    elif label == votes.NOT_A_FACE:
        status, reason = NO_FACE, "most raters voted not a face"
    attributes = {f"votes_{key}": str(count[key]) for key in (votes.UNKNOWN, votes.NOT_A_FACE)}
    if name:
        attributes["name"] = name
    if fer_code is not None:
        attributes["fer2013_code"] = fer_code
    return {
        "label": label,
        "emotion": EMOTION_OF[label] if label else None,
        "votes": [count[emotion] for emotion in EMOTIONS],
        "attributes": attributes,
        "status": status,
        "reason": reason,
    }


def write_sample(portraits: Iterable[Portrait], raw: Path) -> None:
    """Writes raw/fer2013.csv and raw/fer2013new.csv, joined by line, both as the real ones are."""
    ordered = fer2013.in_file_order(portraits)
    fer2013.write_sample(ordered, raw)
    with atomic(raw / VOTES) as part, part.open("w", encoding="ascii", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *_lines(ordered)])


def _lines(portraits: Iterable[Portrait]) -> Iterator[list[str]]:
    number = 0
    for portrait in portraits:
        count = dict(zip(votes.NAMES, portrait.votes, strict=True))
        # The real file names no picture that is no face, and does not count it.
        is_face = votes.majority(portrait.votes) != votes.NOT_A_FACE
        name = f"fer{number:07d}.png" if is_face else ""
        number += is_face
        usage = fer2013.USAGE_OF[portrait.split or SPLITS[0]]
        yield [usage, name, *(str(count[column]) for column in COLUMNS)]
