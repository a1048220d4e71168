"""AffectNet's original lists: one CSV line per picture, with box, landmarks, valence, arousal."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_pipeline.datasets._disk import tree
from fer_pipeline.errors import BadRaw
from fer_pipeline.manifest import OK, UNCERTAIN, Sample

HEADER: Final = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)
COLUMNS: Final = tuple(HEADER.split(","))

FILES: Final = (
    ("Manually_Annotated_file_lists", "training.csv", "train"),
    ("Manually_Annotated_file_lists", "validation.csv", "test"),
    ("Automatically_Annotated_file_lists", "automatically_annotated.csv", "train"),
)
IMAGES: Final = {
    "Manually_Annotated_file_lists": Path("Manually_Annotated") / "Manually_Annotated_Images",
    "Automatically_Annotated_file_lists": (
        Path("Automatically_Annotated") / "Automatically_Annotated_Images"
    ),
}

_NULL: Final = ("", "null", "nan", "none")
"""In lower case."""


def samples(raw: Path, root: Path, emotion_of: Mapping[str, str | None]) -> Iterator[Sample]:
    """The rows of all lists that are there.

    Raises: BadRaw.
    """
    name_of = tree.Names("affectnet")
    by_person = (root / FILES[0][0]).is_dir()
    for folder, file, split in FILES:
        path = root / folder / file
        if not path.is_file():
            continue
        automatic = folder.startswith("Automatic")
        for line, values in _rows(path):
            sample = _sample(raw, root / IMAGES[folder], path, line, values, emotion_of)
            sample.id, sample.split, sample.line = name_of(sample.id), split, line
            if automatic:
                sample.attributes = {**sample.attributes, "annotator": "automatic"}
                if by_person and sample.status == OK:
                    sample.emotion, sample.status = None, UNCERTAIN
                    sample.reason = "labelled by a program; the manual lists are the standard"
            yield sample


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """1-based line and values by column; a first line that is no header is data."""
    first = next(tree.records(path), (1, []))[1]
    names, start = list(COLUMNS), 0
    if first and first[0].strip() == COLUMNS[0]:
        names, start = [value.strip() for value in first], 1
        absent = [name for name in COLUMNS if name not in names]
        if absent:
            raise BadRaw(f"{path}, line 1: no column '{absent[0]}'; the header must be {HEADER}")
    for line, values in islice(tree.records(path, len(names)), start, None):
        yield line, dict(zip(names, map(str.strip, values), strict=True))


def _sample(
    raw: Path,
    images: Path,
    path: Path,
    line: int,
    values: Mapping[str, str],
    emotion_of: Mapping[str, str | None],
) -> Sample:
    where = f"{path}, line {line}"
    columns: dict[str, Any] = {}
    columns["given_box"], fault = _box(values, where)
    columns["given_landmarks"], other = _landmarks(values["facial_landmarks"], where)
    faults = {"given_box": fault, "given_landmarks": other}
    columns["attributes"] = {name: text for name, text in faults.items() if text}
    for name in ("valence", "arousal"):
        columns[name] = affect(values[name], where)
    picture, label = values[COLUMNS[0]], values["expression"]
    return tree.row(raw, picture, images / picture, label, emotion_of, **columns)


def _box(values: Mapping[str, str], where: str) -> tuple[list[float] | None, str | None]:
    """Pixels xyxy, or why there are none."""
    names = COLUMNS[1:5]
    for name in names:
        if values[name].lower() in _NULL:
            return None, f"{name} is NULL"
    x, y, width, height = (_number(values[name], name, where) for name in names)
    if not np.isfinite([x, y, width, height]).all():
        return None, f"{x:g} {y:g} {width:g} {height:g} is no box"
    if width <= 0 or height <= 0 or x < 0 or y < 0:
        return None, f"{x:g} {y:g} {width:g} {height:g} is no box"
    return [x, y, x + width, y + height], None


def _landmarks(text: str, where: str) -> tuple[list[float] | None, str | None]:
    """x0, y0, ..., or why there are none."""
    if text.lower() in _NULL:
        return None, "facial_landmarks is NULL"
    try:
        points = np.array(text.rstrip(";").split(";"), np.float32)
    except ValueError:
        raise BadRaw(
            f"{where}: facial_landmarks '{text[:40]}' are no numbers; restore the original line"
        ) from None
    if len(points) != 136:
        return None, f"{len(points)} numbers, not 136"
    if not np.isfinite(points).all():
        return None, "not all of the numbers are finite"
    return points.tolist(), None


def affect(text: str, where: str) -> float | None:
    """Valence or arousal in [-1, 1]; None where the set marks it invalid (-2) or has none.

    Raises: BadRaw.
    """
    if text.lower() in _NULL:
        return None
    value = _number(text, "valence or arousal", where)
    return value if -1 <= value <= 1 else None


def _number(text: str, name: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadRaw(
            f"{where}: {name} is '{text[:40]}', no number; restore the original line"
        ) from None
