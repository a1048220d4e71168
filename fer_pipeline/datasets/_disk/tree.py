"""What the readers of raw datasets share: finding folders, reading lines, judging labels."""

import csv
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from fer_pipeline.emotions import SPELLINGS
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.manifest import OK, UNCERTAIN, UNKNOWN_LABEL, UNREADABLE, Sample

PICTURES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".gif", ".webp")

WORDS: Final = {word: emotion for emotion, words in SPELLINGS.items() for word in words}
"""Lower-case class name, in any common spelling -> emotion."""


def folders(raw: Path, depth: int = 2) -> Iterator[Path]:
    """`raw` and the folders below it, nearest first, sorted by name, hidden ones left out."""
    level = [raw] if raw.is_dir() else []
    for left in range(depth, -1, -1):
        yield from level
        if left:
            level = [child for folder in level for child in subfolders(folder)]


def subfolders(folder: Path) -> list[Path]:
    """The folders in `folder` by name; none when it does not exist."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        found = [entry.name for entry in entries if entry.is_dir() and entry.name[0] not in "._"]
    return [folder / name for name in sorted(found, key=natural)]


def files(folder: Path, suffixes: tuple[str, ...] = PICTURES) -> list[Path]:
    """The files in `folder` with one of the lower-case suffixes, numbers in names by value.

    Hidden files (`.DS_Store`, `._x`) are left out; none when the folder does not exist.
    """
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if e.name[0] != "." and e.name.lower().endswith(suffixes)]
    return [folder / name for name in sorted(names, key=natural)]


def natural(name: str) -> tuple[list[int], str]:
    """Sort key under which `2.jpg` comes before `10.jpg`."""
    return [int(digits) for digits in re.findall(r"\d+", name)], name


def missing(title: str, raw: Path, expected: str, obtain: str) -> MissingData:
    """The error for a set that is not below `raw`."""
    return MissingData(f"no {title} below {raw}: expected {expected} there. {obtain}")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """1-based number and text of each line that is not blank.

    Raises: BadRaw when the file is no UTF-8 text.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    yield number, text.rstrip("\n")
    except UnicodeDecodeError as error:
        raise BadRaw(f"{path} is no text ({error.reason}); unpack the original again") from None


def table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """1-based line and the named columns' values of each row of a CSV file with a header.

    Raises: BadRaw when a column is missing or a row is short.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = [name.strip() for name in next(reader, [])]
        absent = [name for name in columns if name not in header]
        if absent:
            raise BadRaw(f"{path}, line 1: no column '{absent[0]}'; the header must be {columns}")
        places = [header.index(name) for name in columns]
        for values in reader:
            if not values:
                continue
            if len(values) != len(header):
                raise BadRaw(
                    f"{path}, line {reader.line_num}: {len(values)} values, not {len(header)}; "
                    "restore the original line"
                )
            yield reader.line_num, [values[place].strip() for place in places]


def numbers(text: str, count: int, path: Path, line: int) -> list[float]:
    """Exactly `count` numbers parted by white space.

    Raises: BadRaw.
    """
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        values = []
    if len(values) != count:
        raise BadRaw(
            f"{path}, line {line}: expected {count} numbers, found '{text.strip()[:60]}'; "
            "unpack the original file again"
        )
    return values


def judge(
    label: str | None, emotion_of: Mapping[str, str | None]
) -> tuple[str | None, str, str | None]:
    """Emotion, status and reason that follow from a raw label."""
    if label is None:
        return None, UNCERTAIN, "the set gives this picture no emotion label"
    if label not in emotion_of:
        return None, UNKNOWN_LABEL, f"label '{label}' is none that the set documents"
    if emotion_of[label] is None:
        return None, UNCERTAIN, f"label {label} stands for no single emotion"
    return emotion_of[label], OK, None


def row(
    raw: Path,
    name: str,
    path: Path,
    label: str | None,
    emotion_of: Mapping[str, str | None],
    **columns: Any,
) -> Sample:
    """The row of a picture file; a file that is not there makes it unreadable."""
    emotion, status, reason = judge(label, emotion_of)
    if not path.is_file():
        status, reason = UNREADABLE, "the set's label file lists it, but the file is not there"
    below = path.relative_to(raw).as_posix()
    return Sample(name, label, emotion, path=below, status=status, reason=reason, **columns)


def unlabelled(raw: Path, name: str, path: Path, reason: str, **columns: Any) -> Sample:
    """The row of a picture file that has no label where every picture should have one."""
    below = path.relative_to(raw).as_posix()
    return Sample(name, None, None, path=below, status=UNKNOWN_LABEL, reason=reason, **columns)


class Names:
    """Gives each row a name of its own: `x`, then `x#2`, `x#3` when a label file repeats x."""

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset
        self._seen: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        count = self._seen[name] = self._seen.get(name, 0) + 1
        return f"{self._dataset}/{name}" if count == 1 else f"{self._dataset}/{name}#{count}"
