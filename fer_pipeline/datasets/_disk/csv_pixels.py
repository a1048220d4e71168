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
_ROWS: Final = 7
"""Rows parsed at a time: the places of their numbers, 129 kB, stay in a core's cache and below the
size from which malloc fetches every array from the kernel anew (half a million page faults a file).
"""

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

    A number ends before each space; its tens and hundreds are the two bytes before its last digit,
    as far as they are digits. Where all bytes are accounted for so, there is nothing else.
    """
    text = np.frombuffer(b"   " + b" ".join(texts) + b" ", np.uint8)
    spaces = np.flatnonzero(text == ord(" "))[3:]
    row_ends = np.cumsum([len(row) + 1 for row in texts]) + 2
    if len(spaces) != COUNT * len(texts) or (spaces[COUNT - 1 :: COUNT] != row_ends).any():
        return None
    before = []
    for _ in range(3):
        spaces -= 1
        before.append(text.take(spaces) - np.uint8(ord("0")))
    ones, tens, hundreds = before  # what is no digit is above 9
    two = tens < 10
    three = (hundreds < 10) & two
    digits = len(ones) + np.count_nonzero(two) + np.count_nonzero(three)
    if ones.max() > 9 or 3 + digits + len(spaces) != len(text):
        return None
    ones += tens * two * np.uint8(10)
    hundreds *= three
    if hundreds.max() > 2 or ((hundreds == 2) & (ones > 55)).any():
        return None
    ones += hundreds * np.uint8(100)
    return ones


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
