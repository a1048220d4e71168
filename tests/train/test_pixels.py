"""Crops as one array in memory-mapped form."""

import numpy as np
import pytest

from fer_pipeline import images
from fer_pipeline.emotions import COMMON7
from fer_pipeline.images import Input
from fer_pipeline.protocol import Protocol
from fer_pipeline.train import pixels, rows

OFFICIAL = Protocol(kind="official", source="test")
STILL = Input(size=48, channels=1, mean=(0.5,), std=(0.25,))
CLIP = Input(size=24, channels=1, mean=(0.5,), std=(0.25,), frames=4)


def test_array_holds_the_prepared_crops(stills, write, tmp_path):
    tables = write(stills)
    examples = rows.read(*tables, OFFICIAL, 0, COMMON7)
    array = pixels.decoded(tmp_path / "kept", tables.faces, examples, STILL)
    assert isinstance(array, np.memmap)
    assert array.shape == (91, 48, 48, 1)
    assert array.dtype == np.uint8
    for number in (0, 40, 90):
        crop = images.decode_png(stills[number]["crop"])
        np.testing.assert_array_equal(array[number], images.prepare(crop, STILL))


def test_decoded_once(stills, write, tmp_path, monkeypatch):
    tables = write(stills)
    examples = rows.read(*tables, OFFICIAL, 0, COMMON7)
    first = pixels.decoded(tmp_path, tables.faces, examples, STILL).copy()
    monkeypatch.setattr(pixels, "decode_png", lambda data: pytest.fail("decoded again"))
    np.testing.assert_array_equal(pixels.decoded(tmp_path, tables.faces, examples, STILL), first)


def test_a_kill_while_decoding_leaves_no_array(stills, write, tmp_path, monkeypatch):
    tables = write(stills)
    examples = rows.read(*tables, OFFICIAL, 0, COMMON7)
    calls = iter(range(50))

    def killed(data):
        if next(calls) == 40:
            raise KeyboardInterrupt
        return images.decode_png(data)

    monkeypatch.setattr(pixels, "decode_png", killed)
    with pytest.raises(KeyboardInterrupt):
        pixels.decoded(tmp_path / "kept", tables.faces, examples, STILL)
    assert not (tmp_path / "kept" / "pixels.npy").exists()


def test_digest_depends_on_used_pixels_only(stills, write):
    def digest(changed, name, contract=STILL):
        tables = write(changed, name=name)
        examples = rows.read(*tables, OFFICIAL, 0, COMMON7)
        return pixels.content(tables.faces, examples, contract)

    poisoned = [dict(row) for row in stills]
    poisoned[100]["crop"] = b"no picture"
    other = [dict(row) for row in stills]
    other[10]["crop"] = stills[11]["crop"]
    same = digest(stills, "a")
    assert digest(poisoned, "b") == same
    assert digest(other, "c") != same
    assert digest(stills, "d", Input(size=32, channels=1, mean=(0.5,), std=(0.25,))) != same


def test_clips_are_padded_and_sampled(face, write, tmp_path):
    made = [
        face(10 * clip + frame, "fear", "val" if clip else "train", sequence=f"c{clip}")
        | {"frame": frame}
        for clip, count in enumerate((3, 9))
        for frame in range(count)
    ]
    tables = write(made)
    examples = rows.read(*tables, OFFICIAL, 0, COMMON7, clips=True)
    array = pixels.decoded(tmp_path, tables.faces, examples, CLIP)
    assert array.shape == (2, 4, 24, 24, 1)
    assert pixels.lengths(examples, CLIP).tolist() == [3, 4]
    assert not array[0, 3].any()

    def crop(number):
        return images.prepare(images.decode_png(made[number]["crop"]), CLIP)

    np.testing.assert_array_equal(array[0, 2], crop(2))
    np.testing.assert_array_equal(array[1], [crop(3 + frame) for frame in (0, 3, 5, 8)])


@pytest.mark.parametrize(
    ("frames", "count", "expected"),
    [
        ((5, 6, 7), 4, (5, 6, 7)),
        (tuple(range(10)), 2, (0, 9)),
        (tuple(range(9)), 5, (0, 2, 4, 6, 8)),
    ],
)
def test_sampling_keeps_first_and_last(frames, count, expected):
    assert pixels.sampled(frames, count) == expected


@pytest.mark.parametrize(
    ("frames", "count", "peak", "expected"),
    [
        ((5, 6, 7), 4, 6, (5, 6, 7)),
        (tuple(range(9)), 5, 4, (0, 2, 4, 6, 8)),
        (tuple(range(9)), 5, 5, (0, 2, 5, 6, 8)),
        (tuple(range(9)), 3, 7, (0, 4, 7)),
    ],
)
def test_the_peak_is_always_among_the_sampled(frames, count, peak, expected):
    assert pixels.sampled(frames, count, peak) == expected


def test_peaks_of_clips(face, write):
    phases = ["neutral", "onset", "apex", "apex", "apex", "offset"]
    made = [
        face(10 * clip + frame, "fear", "val" if clip else "train", sequence=f"c{clip}")
        | {"frame": frame, "phase": phase if clip else None}
        for clip in range(2)
        for frame, phase in enumerate(phases)
    ]
    examples = rows.read(*write(made), OFFICIAL, 0, COMMON7, clips=True)
    assert examples.peaks.tolist() == [-1, 9]
    assert pixels.peaks(examples, CLIP).tolist() == [-1, 2]
    assert pixels.lengths(examples, CLIP).tolist() == [4, 4]
