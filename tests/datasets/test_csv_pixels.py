"""Pixels in CSV cells: the quick parser against Python's own, and every way a row can be wrong."""

import numpy as np
import pytest

from fer_pipeline.datasets._disk import csv_pixels
from fer_pipeline.errors import BadRaw

RNG = np.random.default_rng(3)


def text(pixels: np.ndarray) -> str:
    return " ".join(map(str, pixels.ravel()))


def faces(count: int) -> np.ndarray:
    return RNG.integers(0, 256, (count, 48, 48)).astype(np.uint8)


def write(path, lines: list[str], header: str = "emotion,pixels,Usage", end: str = "\n"):
    path.write_bytes((header + end + "".join(line + end for line in lines)).encode())
    return path


@pytest.mark.parametrize(
    ("header", "row", "end", "emotion", "usage"),
    [
        ("emotion,pixels,Usage", "3,{},Training", "\n", "3", "Training"),
        ("emotion, Usage, pixels", "3,Training,{}", "\n", "3", "Training"),
        ("emotion,pixels", '3,"{}"', "\r\n", "3", None),
        ("pixels", '"{}"', "\r\n", None, None),
        ("\ufeffemotion,pixels,Usage", "3,{},Training", "\n", "3", "Training"),
    ],
)
def test_every_official_form(tmp_path, header, row, end, emotion, usage):
    given = faces(40)
    given[7], given[8] = 0, 255
    path = write(tmp_path / "f.csv", [row.format(text(face)) for face in given], header, end)
    found = list(csv_pixels.rows(path))
    np.testing.assert_array_equal([row.pixels for row in found], given)
    assert found[0].pixels.dtype == np.uint8
    assert [(row.row, row.line) for row in found] == [(i, i + 2) for i in range(40)]
    assert {(row.emotion, row.usage) for row in found} == {(emotion, usage)}
    assert csv_pixels.count(path) == 40


def test_last_line_without_end_and_blank_lines(tmp_path):
    path = write(tmp_path / "f.csv", ["", f"0,{text(faces(1))},Training", ""])
    path.write_bytes(path.read_bytes() + f"1,{text(faces(1))},Training".encode())
    assert [(row.row, row.line, row.emotion) for row in csv_pixels.rows(path)] == [
        (0, 3, "0"),
        (1, 5, "1"),
    ]


def test_odd_spacing_and_leading_zeros_are_read(tmp_path):
    given = np.arange(2304).reshape(48, 48) % 256
    odd = "  " + "  ".join(f"{value:04d}" for value in given.ravel()) + " "
    path = write(tmp_path / "f.csv", [f"0,{odd},Training"])
    np.testing.assert_array_equal(next(csv_pixels.rows(path)).pixels, given)


@pytest.mark.parametrize("seed", range(40))
def test_quick_parser_agrees_with_pythons_own_or_steps_aside(seed):
    """Rows with a few bytes changed: whatever is parsed quickly is what int() makes of it."""
    rng = np.random.default_rng(seed)
    rows = [bytearray(text(face).encode()) for face in rng.integers(0, 256, (5, 48, 48))]
    for _ in range(seed % 4):
        row = rows[rng.integers(5)]
        row[rng.integers(len(row))] = rng.choice(list(b" 0123456789"))
    words = [bytes(row).split() for row in rows]
    good = all(len(row) == 2304 and max(map(int, row)) < 256 for row in words)
    quick = csv_pixels._quick([bytes(row) for row in rows])
    assert (quick is None) or good
    if quick is not None:
        np.testing.assert_array_equal(quick, np.array(words).astype(int).ravel())
    if seed % 4 == 0:
        assert quick is not None


def test_quick_parser_is_not_fooled_by_counts_that_cancel():
    short, long = "1 " * 2302 + "1", "1 " * 2304 + "1"
    assert csv_pixels._quick([short.encode(), long.encode()]) is None


GOOD = " ".join(["7"] * 2304)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f"0,{GOOD[:-2]},Training", "2303 pixels, not 2304"),
        (f"0,{GOOD} 7,Training", "2305 pixels, not 2304"),
        (f"0,256{GOOD[1:]},Training", "pixel 1 is '256'"),
        (f"0,{GOOD[:-1]}999,Training", "pixel 2304 is '999'"),
        (f"0,{GOOD[:-1]}1000,Training", "pixel 2304 is '1000'"),
        (f"0,{GOOD[:-1]}-3,Training", "pixel 2304 is '-3'"),
        (f"0,{GOOD[:-1]}x,Training", "pixel 2304 is 'x'"),
        (f"0,{GOOD[:-1]}1.5,Training", "pixel 2304 is '1.5'"),
        ("0,,Training", "0 pixels, not 2304"),
        (f"0,{GOOD}", "2 columns where the header has 3"),
        (f"0,{GOOD},Training,x", "4 columns where the header has 3"),
    ],
)
@pytest.mark.parametrize("before", [0, 11, 30])
def test_bad_line_is_named(tmp_path, line, complaint, before):
    path = write(tmp_path / "f.csv", [f"0,{GOOD},Training"] * before + [line, f"0,{GOOD},x"])
    with pytest.raises(BadRaw) as caught:
        list(csv_pixels.rows(path))
    assert f"{path}, line {before + 2}: {complaint}" in str(caught.value)
    assert "mend" in str(caught.value)


def test_file_cut_off_in_the_middle_of_a_row(tmp_path):
    path = write(tmp_path / "f.csv", [f"0,{GOOD},Training"] * 3)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(BadRaw, match="line 4: 2 columns where the header has 3"):
        list(csv_pixels.rows(path))


def test_file_without_pixels_column(tmp_path):
    path = write(tmp_path / "f.csv", ["a.jpg,1"], "image,label")
    with pytest.raises(BadRaw, match="line 1: no column 'pixels' in 'image,label'"):
        list(csv_pixels.rows(path))


def test_write_is_read_back(tmp_path):
    given = faces(3)
    lines = [(f"{i},", face, ",Training") for i, face in enumerate(given)]
    csv_pixels.write(tmp_path / "f.csv", "emotion,pixels,Usage", lines)
    assert (tmp_path / "f.csv").read_bytes() == (
        "emotion,pixels,Usage\n"
        + "".join(f"{i},{text(face)},Training\n" for i, face in enumerate(given))
    ).encode()
    found = [row.pixels for row in csv_pixels.rows(tmp_path / "f.csv")]
    np.testing.assert_array_equal(found, given)


def test_shrink_averages_areas():
    pixels = np.zeros((96, 96, 3), np.uint8)
    pixels[:, ::2] = 200
    np.testing.assert_array_equal(csv_pixels.shrink(pixels), np.full((48, 48), 100))
