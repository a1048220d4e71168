"""What the readers of raw datasets share: finding folders, reading lines, judging labels."""

import csv
import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from PIL import Image

from fer_pipeline.emotions import SPELLINGS
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.manifest import OK, UNCERTAIN, UNKNOWN_LABEL, UNREADABLE, Sample

PICTURES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".gif", ".webp")

WORDS: Final = {word: emotion for emotion, words in SPELLINGS.items() for word in words}
"""Lower-case class name, in any common spelling -> emotion."""


DEPTH: Final = 2
"""Levels of folders below the raw one at which a set may begin, as archives unpack it."""


def folders(raw: Path, depth: int = DEPTH) -> Iterator[Path]:
    """`raw` and the folders below it, nearest first, sorted by name, hidden ones left out."""
    level = [raw] if raw.is_dir() else []
    for left in range(depth, -1, -1):
        yield from level
        if left:
            level = [child for folder in level for child in subfolders(folder)]


def subfolders(folder: Path) -> list[Path]:
    """The folders in `folder` by name, without hidden ones; none when it does not exist."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        found = [entry.name for entry in entries if entry.is_dir()]
    found = [name for name in found if not name.startswith((".", "__MACOSX"))]
    return [folder / name for name in sorted(found, key=natural)]


def child(folder: Path, name: str) -> Path | None:
    """The folder of that name in `folder`, in any letter case; the exact spelling wins."""
    found = [path for path in subfolders(folder) if path.name.lower() == name.lower()]
    return next((path for path in found if path.name == name), found[0] if found else None)


def files(folder: Path, suffixes: tuple[str, ...] = PICTURES) -> list[Path]:
    """The files in `folder` with one of the lower-case suffixes, numbers in names by value.

    Links to files that are not there count; hidden files (`.DS_Store`, `._x`) are left out. None
    when the folder does not exist.
    """
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        named = [e for e in entries if e.name[0] != "." and e.name.lower().endswith(suffixes)]
        names = [entry.name for entry in named if not entry.is_dir()]
    return [folder / name for name in sorted(names, key=natural)]


def walk(
    folder: Path, suffixes: tuple[str, ...] = PICTURES, above: tuple[Path, ...] = ()
) -> list[Path]:
    """`files` of `folder` and then of every folder below it, linked ones too.

    above   what was entered on the way, resolved: a link back to it is not followed
    """
    real = folder.resolve()
    if real in above:
        return []
    found = files(folder, suffixes)
    for below in subfolders(folder):
        found += walk(below, suffixes, (*above, real))
    return found


def natural(name: str) -> tuple[list[int], str]:
    """Sort key under which `2.jpg` comes before `10.jpg`."""
    return [int(digits) for digits in re.findall(r"\d+", name)], name


def size(path: Path) -> tuple[int, int] | None:
    """Width and height by the picture's header; None where none can be read."""
    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        # Pillow's own errors on damaged headers; reading the pixels later tells the reason.
        return None


def missing(title: str, raw: Path, expected: str, obtain: str) -> MissingData:
    """The error for a set that is neither in `raw` nor in the folders of DEPTH levels below it."""
    return MissingData(
        f"no {title} in {raw}, nor in the folders up to {DEPTH} levels below it: expected "
        f"{expected} there. {obtain}"
    )


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """1-based number and text of each line that is not blank.

    Raises: BadRaw when the file is no UTF-8 text.
    """
    for number, text in _decoded(path):
        if text.strip():
            yield number, text.rstrip("\r\n")


def _decoded(path: Path) -> Iterator[tuple[int, str]]:
    """Every line with its end; decoded one by one, so that a bad one is known by its number."""
    with path.open("rb") as file:
        for number, data in enumerate(file, start=1):
            try:
                text = data.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise BadRaw(
                    f"{path}, line {number}: no UTF-8 text ({error.reason}); save the file as "
                    "UTF-8, or unpack the original again"
                ) from None
            if "\0" in text:
                raise BadRaw(
                    f"{path}, line {number}: holds a NUL byte, which no text does; save the file "
                    "as UTF-8, or unpack the original again"
                )
            yield number, text


def records(path: Path, width: int | None = None) -> Iterator[tuple[int, list[str]]]:
    """1-based line and fields of each record of a CSV file, blank lines left out.

    width   of every record; None: any

    Raises: BadRaw when the file is no UTF-8 text, breaks CSV's rules, or has another width.
    """
    reader = csv.reader(text for _, text in _decoded(path))
    while True:
        try:
            values = next(reader, None)
        except csv.Error as error:
            where = f"{path}, line {reader.line_num}"
            raise BadRaw(f"{where}: {error}; restore the original line") from None
        if values is None:
            return
        if values and width not in (None, len(values)):
            raise BadRaw(
                f"{path}, line {reader.line_num}: {len(values)} values, not {width}; "
                "restore the original line"
            )
        if values:
            yield reader.line_num, values


def table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """1-based line and the named columns' values of each row of a CSV file with a header.

    Raises: BadRaw when a column is missing or a row is short.
    """
    header = [name.strip() for name in next(records(path), (1, []))[1]]
    absent = [name for name in columns if name not in header]
    if absent:
        raise BadRaw(f"{path}, line 1: no column '{absent[0]}'; the header must be {columns}")
    places = [header.index(name) for name in columns]
    for line, values in islice(records(path, len(header)), 1, None):
        yield line, [values[place].strip() for place in places]


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
    """The row of a picture file; a file that is not there makes it unreadable.

    Raises: BadRaw for a file that does not lie below `raw`.
    """
    emotion, status, reason = judge(label, emotion_of)
    if not path.is_file():
        status, reason = UNREADABLE, "the set's label file lists it, but the file is not there"
        if path.is_symlink():
            reason = "a link to a file that is not there"
    if not path.is_relative_to(raw):
        raise BadRaw(f"the set lists {path}, which is not below {raw}; restore the original list")
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
