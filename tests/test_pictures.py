"""Pictures from files and videos below one folder; each video decoded once."""

import cv2
import numpy as np
import pytest

from fer_pipeline import images
from fer_pipeline.errors import BadImage
from fer_pipeline.pictures import Pictures

FRAMES = 6


@pytest.fixture
def raw(tmp_path):
    """Two videos whose frame i is gray 30 * i (+ 10 in the second), 64 wide, 48 high."""
    for name, more in (("a.avi", 0), ("b.AVI", 10)):
        codec = cv2.VideoWriter.fourcc(*"MJPG")
        writer = cv2.VideoWriter(str(tmp_path / name), codec, 25, (64, 48))
        for i in range(FRAMES):
            writer.write(np.full((48, 64, 3), 30 * i + more, np.uint8))
        writer.release()
    return tmp_path


def test_a_file_is_turned_as_its_view_says(tmp_path):
    given = np.arange(6, dtype=np.uint8).reshape(2, 3)
    (tmp_path / "p.png").write_bytes(images.encode_png(given))
    with Pictures(tmp_path) as pictures:
        np.testing.assert_array_equal(pictures.read("p.png", view="rot90"), np.rot90(given))


def test_each_video_is_opened_once_for_all_its_frames(raw, monkeypatch):
    opened = []
    capture = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", lambda path: opened.append(path) or capture(path))
    with Pictures(raw) as pictures:
        levels = [
            pictures.read(name, frame).mean()
            for name in ("a.avi", "b.AVI")
            for frame in (0, 1, 1, 3, 5)
        ]
    np.testing.assert_allclose(levels, [0, 30, 30, 90, 150, 10, 40, 40, 100, 160], atol=3)
    assert len(opened) == 2


def test_frames_in_any_order(raw):
    with Pictures(raw) as pictures:
        for frame in (4, 2, 5, 0, 0, 3):
            expected = images.read_frame(raw / "a.avi", frame)
            np.testing.assert_array_equal(pictures.read("a.avi", frame), expected)


def test_views_of_one_frame(raw):
    with Pictures(raw) as pictures:
        assert pictures.read("a.avi", 2, "crop:0,0,20,48").shape == (48, 20, 3)
        assert pictures.read("a.avi", 2, "rot270").shape == (64, 48, 3)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        (("a.avi", FRAMES), f"frame {FRAMES} cannot be read: the video has {FRAMES}"),
        (("a.avi",), "no frame of it is named"),
        (("none.avi", 0), "No such file"),
        (("none.png",), "No such file"),
        (("text.mp4", 0), "frame 0 cannot be read: the video has 0"),
        (("empty.jpg",), "the file is empty"),
    ],
)
def test_what_cannot_be_read_says_why_and_spoils_nothing_after_it(raw, where, reason):
    (raw / "text.mp4").write_text("no video")
    (raw / "empty.jpg").touch()
    with Pictures(raw) as pictures:
        pictures.read("a.avi", 0)
        with pytest.raises(BadImage, match=reason):
            pictures.read(*where)
        for frame in (1, FRAMES - 1):
            expected = images.read_frame(raw / "a.avi", frame)
            np.testing.assert_array_equal(pictures.read("a.avi", frame), expected)
