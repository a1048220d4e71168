"""CSV files whose rows are pictures: `emotion`, `Usage` and `pixels`, in any order, some missing.

FER2013 in all its CSV forms and CK+ extended are written so: 48 x 48 gray, 2,304 space-separated
numbers 0 to 255 a row, row-major.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from fer_pipeline import images
from fer_pipeline.errors import BadRaw
from fer_pipeline.outputs import atomic

SIDE: Final = 48
COUNT: Final = SIDE * SIDE

_BUFFER: Final = 1 << 20
_ROWS: Final = 12
"""Rows parsed at a time: text and masks of 100 kB stay in a core's cache and below the size from
which malloc fetches every array from the kernel anew (half a million page faults a file)."""

_TEXT: Final = [str(value) for value in range(256)]


@dataclass(slots=True)
class Row:
    """One picture.

    row      0-based among the data rows; line: 1-based in the file
    emotion, usage   as written; None where the file has no such column
    pixels   (48, 48) uint8
    """

    row: int
    line: int
    emotion: str | None
    usage: str | None
    pixels: np.ndarray


def rows(path: Path, needed: Sequence[str] = ()) -> Iterator[Row]:
    """The rows in file order, streaming in blocks of a few MB.

    needed   columns that the header must have beside `pixels`, as the real file spells them

    Raises: BadRaw with file, line and remedy.
    """
    with path.open("rb", buffering=_BUFFER) as file:
        columns = _header(path, file.readline(), needed)
        number, lines = 0, _lines(file)
        while group := list(islice(lines, _ROWS)):
            fields = [_fields(path, line, text, len(columns)) for line, text in group]
            pixels = _parse(path, [line for line, _ in group], _column(fields, columns, "pixels"))
            codes = _column(fields, columns, "emotion")
            usages = _column(fields, columns, "usage")
            for i, (line, _) in enumerate(group):
                code, usage = _word(codes[i]), _word(usages[i])
                yield Row(number, line, code, usage, pixels[i])
                number += 1


def count(path: Path) -> int:
    """Data rows in the file, blank lines left out, without parsing them."""
    with path.open("rb", buffering=_BUFFER) as file:
        file.readline()
        return sum(1 for _ in _lines(file))


def write(path: Path, header: str, lines: Iterable[tuple[str, np.ndarray, str]]) -> None:
    """Writes header and rows of (text before the pixels, (48, 48) uint8, text after), LF ends."""
    with atomic(path) as part, part.open("w", encoding="ascii", newline="\n") as file:
        file.write(header + "\n")
        for before, pixels, after in lines:
            numbers = " ".join([_TEXT[value] for value in pixels.ravel().tolist()])
            file.write(f"{before}{numbers}{after}\n")


def shrink(pixels: np.ndarray) -> np.ndarray:
    """A gray or RGB picture as these files hold it: (48, 48) uint8."""
    return cv2.resize(images.to_gray(pixels), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _header(path: Path, line: bytes, needed: Sequence[str]) -> list[str]:
    text = line.decode("utf-8-sig", "replace").strip()
    columns = [name.strip().strip('"').lower() for name in text.split(",")]
    for name in ("pixels", *needed):
        if name.lower() not in columns:
            raise BadRaw(
                f"{path}, line 1: no column '{name}' in '{text[:80]}'; expected a header such as "
                "'emotion,pixels,Usage': download the file again"
            )
    return columns


def _lines(file: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """(1-based number, text) of every line after the header that is not blank."""
    for number, line in enumerate(file, start=2):
        text = line.rstrip(b"\r\n")
        if text:
            yield number, text


def _fields(path: Path, line: int, text: bytes, columns: int) -> list[bytes]:
    fields = text.split(b",")
    if len(fields) != columns:
        raise BadRaw(
            f"{path}, line {line}: {len(fields)} columns where the header has {columns}; "
            "mend the line or download the file again"
        )
    return fields


def _column(fields: Sequence[list[bytes]], columns: list[str], name: str) -> list[bytes | None]:
    if name not in columns:
        return [None] * len(fields)
    place = columns.index(name)
    return [row[place].strip(b'" ') for row in fields]


def _word(field: bytes | None) -> str | None:
    return None if field is None else field.decode("utf-8", "replace")


def _parse(path: Path, lines: Sequence[int], fields: Sequence[bytes | None]) -> np.ndarray:
    """(N, 48, 48) uint8. What the quick way cannot vouch for is read again, number by number."""
    texts = [field or b"" for field in fields]
    numbers = _quick(texts)
    if numbers is None:
        numbers = np.stack(
            [_careful(path, line, text) for line, text in zip(lines, texts, strict=True)]
        )
    return numbers.reshape(-1, SIDE, SIDE)


def _quick(texts: Sequence[bytes]) -> np.ndarray | None:
    """All numbers of all rows, uint8; None unless each row is 2,304 numbers of 1 to 3 digits.

    Every byte is read as the last digit of a number at once, with the two bytes before it as its
    tens and hundreds; then the bytes that do end a number are picked.
    """
    text = np.frombuffer(b"   " + b" ".join(texts) + b" ", np.uint8)
    value = text - np.uint8(ord("0"))
    digit = value < 10
    space = text == ord(" ")
    if np.count_nonzero(digit) + np.count_nonzero(space) != len(text):
        return None
    value *= digit
    ends = digit[3:-1] & space[4:]
    hundreds = value[1:-3] * digit[2:-2]
    hundreds *= ends
    low = value[2:-2] * np.uint8(10)
    low += value[3:-1]
    too_long = digit[:-4] & digit[1:-3] & digit[2:-2] & ends
    if hundreds.max() > 2 or too_long.any() or ((hundreds == 2) & (low > 55)).any():
        return None
    hundreds *= np.uint8(100)
    low += hundreds
    where = np.flatnonzero(ends)
    if len(where) != COUNT * len(texts) or not _in_rows(where, texts):
        return None
    return low.take(where)


def _in_rows(where: np.ndarray, texts: Sequence[bytes]) -> bool:
    """Whether the first and last of each 2,304 numbers lie in the same row."""
    after = np.cumsum([len(text) + 1 for text in texts])
    starts = np.concatenate([[0], after[:-1]])
    return bool((where[::COUNT] >= starts).all() and (where[COUNT - 1 :: COUNT] < after).all())


def _careful(path: Path, line: int, text: bytes) -> np.ndarray:
    words = text.split()
    if len(words) != COUNT:
        raise BadRaw(
            f"{path}, line {line}: {len(words)} pixels, not {COUNT} (48 x 48); "
            "mend the line or download the file again"
        )
    for place, word in enumerate(words, start=1):
        if not word.isdigit() or int(word) > 255:
            shown = word[:20].decode("utf-8", "replace")
            raise BadRaw(
                f"{path}, line {line}: pixel {place} is '{shown}', not a whole number 0 to 255; "
                "mend the line or download the file again"
            )
    return np.array([int(word) for word in words], np.uint8)
