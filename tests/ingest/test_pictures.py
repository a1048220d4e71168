"""Pictures from memory, files and videos; each video opened once."""

import cv2
import numpy as np
import pytest

from fer_pipeline import images
from fer_pipeline.errors import BadImage
from fer_pipeline.ingest.pictures import Pictures
from fer_pipeline.manifest import Sample

FRAMES = 6


def sample(**columns) -> Sample:
    return Sample("x/1", None, None, **columns)


@pytest.fixture
def raw(tmp_path):
    """Two videos whose frame i is gray 30 * i (+ 10 in the second), 64 wide, 48 high."""
    for name, more in (("a.avi", 0), ("b.AVI", 10)):
        writer = cv2.VideoWriter(
            str(tmp_path / name), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48)
        )
        for i in range(FRAMES):
            writer.write(np.full((48, 64, 3), 30 * i + more, np.uint8))
        writer.release()
    return tmp_path


def test_pixels_in_memory_are_taken_as_they_are(tmp_path):
    given = np.arange(6, dtype=np.uint8).reshape(2, 3)
    with Pictures(tmp_path) as pictures:
        assert pictures.read(sample(pixels=given)) is given


def test_a_file_is_turned_as_its_view_says(tmp_path):
    given = np.arange(6, dtype=np.uint8).reshape(2, 3)
    (tmp_path / "p.png").write_bytes(images.encode_png(given))
    with Pictures(tmp_path) as pictures:
        found = pictures.read(sample(path="p.png", view="rot90"))
    np.testing.assert_array_equal(found, np.rot90(given))


def test_each_video_is_opened_once_for_all_its_frames(raw, monkeypatch):
    opened = []
    capture = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", lambda path: opened.append(path) or capture(path))
    levels = []
    with Pictures(raw) as pictures:
        for name in ("a.avi", "b.AVI"):
            for frame in (0, 1, 1, 3, 5):
                levels.append(pictures.read(sample(path=name, frame=frame)).mean())
    np.testing.assert_allclose(levels, [0, 30, 30, 90, 150, 10, 40, 40, 100, 160], atol=3)
    assert len(opened) == 2


def test_frames_in_any_order_are_those_that_seeking_by_decoding_gives(raw):
    with Pictures(raw) as pictures:
        for frame in (4, 2, 5, 0):
            found = pictures.read(sample(path="a.avi", frame=frame))
            np.testing.assert_array_equal(found, images.read_frame(raw / "a.avi", frame))


def test_views_of_one_frame(raw):
    with Pictures(raw) as pictures:
        left = pictures.read(sample(path="a.avi", frame=2, view="crop:0,0,20,48"))
        right = pictures.read(sample(path="a.avi", frame=2, view="rot270"))
    assert left.shape == (48, 20, 3)
    assert right.shape == (64, 48, 3)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"path": "a.avi", "frame": FRAMES}, f"frame {FRAMES} cannot be read"),
        ({"path": "a.avi"}, "names no frame"),
        ({"path": "none.avi", "frame": 0}, "No such file"),
        ({"path": "none.png"}, "No such file"),
        ({"path": "text.mp4", "frame": 0}, "frame 0 cannot be read"),
        ({"path": "empty.jpg"}, "the file is empty"),
        ({}, "names no picture file"),
    ],
)
def test_what_cannot_be_read_says_why(raw, columns, reason):
    (raw / "text.mp4").write_text("no video")
    (raw / "empty.jpg").touch()
    with Pictures(raw) as pictures:
        with pytest.raises(BadImage, match=reason):
            pictures.read(sample(**columns))
        # A fault spoils nothing for the rows after it.
        assert pictures.read(sample(path="a.avi", frame=1)).mean() == pytest.approx(30, abs=3)
