"""MMI: emotions, views, phases and stills of hand-made sessions."""

import cv2
import numpy as np
import pytest

from fer_pipeline.datasets import mmi
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.ingest.rows import read
from fer_pipeline.pictures import Pictures

LEFT, RIGHT = 200, 60


def video(path, count=9, width=64, height=48):
    """Left half bright, right half dark, so that turning and cutting can be told."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), 25, (width, height)
    )
    frame = np.full((height, width, 3), RIGHT, np.uint8)
    frame[:, : width // 2] = LEFT
    for _ in range(count):
        writer.write(frame)
    writer.release()


def session(put, root, number, stem, value=None, view="0", **size):
    folder = root / "Sessions" / str(number)
    video(folder / f"{stem}.avi", **size)
    put(folder, "session.xml", f'<session><track view="{view}" type="video"/></session>')
    tag = "" if value is None else f'<Metatag Name="Emotion" Value="{value}"/>'
    put(folder, f"{stem}.xml", f'<r><Metatag Name="Age" Value="30"/>{tag}</r>')
    return folder


def coding(put, folder, stem, units, namespace=""):
    body = "".join(
        f'<ActionUnit Number="{number}">'
        + "".join(f'<Marker Frame="{frame}" Type="{kind}"/>' for frame, kind in markers)
        + "</ActionUnit>"
        for number, markers in units
    )
    put(
        folder,
        f"{stem}-oao_aucs.xml",
        f"<AnnotationTrack{namespace}><x>{body}</x></AnnotationTrack>",
    )


def test_uncoded_video_has_its_apex_in_the_middle_third(put, tmp_path):
    session(put, tmp_path, 2, "S001-002", 4)
    assert mmi.recognise(tmp_path) == "sessions"
    rows = list(mmi.samples(tmp_path))
    assert [row.frame for row in rows] == list(range(9))
    assert [row.phase for row in rows] == [
        "neutral",
        "onset",
        "onset",
        *["apex"] * 3,
        *["offset"] * 3,
    ]
    assert [row.emotion for row in rows] == [
        "neutral",
        None,
        None,
        *["happiness"] * 3,
        None,
        None,
        None,
    ]
    assert [row.status == "ok" for row in rows] == [row.emotion is not None for row in rows]
    assert (rows[3].label, rows[3].subject, rows[3].sequence) == ("4", "S001", "S001-002")
    assert rows[3].path == "Sessions/2/S001-002.avi"
    assert rows[3].attributes == {"view": "0"}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_short_videos_have_an_apex(put, tmp_path, count):
    session(put, tmp_path, 1, "S001-001", 1, count=count)
    phases = [row.phase for row in mmi.samples(tmp_path)]
    assert len(phases) == count
    assert "apex" in phases


@pytest.mark.parametrize(
    ("value", "emotion"),
    [
        (1, "anger"),
        (2, "disgust"),
        (3, "fear"),
        (4, "happiness"),
        (5, "sadness"),
        (6, "surprise"),
    ],
)
def test_codes(put, tmp_path, value, emotion):
    session(put, tmp_path, 1, "S002-001", value, count=3)
    assert {row.emotion for row in mmi.samples(tmp_path)} == {"neutral", emotion, None}


@pytest.mark.parametrize(
    ("value", "status"),
    [(0, "unknown_label"), (42, "unknown_label"), ("x", "unknown_label"), (None, "uncertain")],
)
def test_a_video_without_an_emotion_is_one_row(put, tmp_path, value, status):
    session(put, tmp_path, 1, "S002-001", value)
    (row,) = mmi.samples(tmp_path)
    assert (row.status, row.emotion, row.frame) == (status, None, 0)
    assert row.reason


def test_the_emotion_is_not_taken_from_session_xml(put, tmp_path):
    folder = session(put, tmp_path, 1, "S002-001")
    put(
        folder,
        "session.xml",
        '<session><track view="0"/><Metatag Name="Emotion" Value="4"/></session>',
    )
    assert {row.emotion for row in mmi.samples(tmp_path)} == {None}


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://example.org/au"'])
def test_coded_phases(put, tmp_path, namespace):
    folder = session(put, tmp_path, 7, "S003-001", 6)
    units = [
        ("1", [(1, 0), (3, 1), (5, 2), (7, 3), (9, 0)]),
        ("26", [(1, 0), (2, 1), (4, 2), (6, 3)]),
        ("46L", [(1, 2)]),
    ]
    coding(put, folder, "S003-001", units, namespace)
    rows = list(mmi.samples(tmp_path))
    # Frames are counted from 1 in the file: unit 26 peaks on frames 3 and 4, unit 1 on 4 and 5.
    assert [row.phase for row in rows] == [
        "neutral",
        "onset",
        "onset",
        "apex",
        "apex",
        "apex",
        "offset",
        "offset",
        "offset",
    ]
    assert [row.frame for row in rows if row.emotion == "surprise"] == [3, 4, 5]
    assert rows[0].emotion == "neutral"
    assert rows[5].attributes == {"view": "0", "AU1": "apex", "AU26": "offset"}
    assert rows[0].attributes == {"view": "0"}


def test_a_first_frame_at_work_is_not_neutral(put, tmp_path):
    folder = session(put, tmp_path, 7, "S003-001", 6, count=3)
    coding(put, folder, "S003-001", [("12", [(1, 1), (2, 2)])])
    rows = list(mmi.samples(tmp_path))
    assert [row.emotion for row in rows] == [None, "surprise", "surprise"]


def test_coding_without_an_apex_falls_to_the_middle(put, tmp_path):
    folder = session(put, tmp_path, 7, "S003-001", 6)
    coding(put, folder, "S003-001", [("12", [(1, 0), (2, 1)])])
    assert [row.frame for row in mmi.samples(tmp_path) if row.emotion == "surprise"] == [3, 4, 5]


@pytest.mark.parametrize(
    ("view", "size", "column", "shape", "corners"),
    [
        ("0", (640, 480), None, (480, 640), (LEFT, RIGHT, LEFT, RIGHT)),
        # Turned clockwise the left half comes to lie on top, counter-clockwise below.
        ("0", (720, 576), "rot270", (720, 576), (LEFT, LEFT, RIGHT, RIGHT)),
        ("1", (720, 576), "rot90", (720, 576), (RIGHT, RIGHT, LEFT, LEFT)),
        ("2", (720, 576), "crop:0,0,361,576", (576, 361), (LEFT, LEFT, LEFT, LEFT)),
    ],
)
def test_views(put, tmp_path, view, size, column, shape, corners):
    width, height = size
    session(put, tmp_path, 1, "S002-001", 1, view, count=3, width=width, height=height)
    rows = list(mmi.samples(tmp_path))
    assert {row.view for row in rows} == {column}
    with Pictures(tmp_path) as pictures:
        pixels = read(rows[0], pictures)
    assert pixels.shape == (*shape, 3)
    for (y, x), value in zip([(5, 5), (5, -20), (-5, 5), (-5, -20)], corners, strict=True):
        assert abs(int(pixels[y, x, 0]) - value) < 12


def test_a_track_of_that_name_wins(put, tmp_path):
    folder = session(put, tmp_path, 1, "S002-001", 1, count=3, width=720, height=576)
    put(
        folder,
        "session.xml",
        '<s><track view="2" filename="x.avi"/><track view="1" filename="S002-001.avi"/></s>',
    )
    assert {row.view for row in mmi.samples(tmp_path)} == {"rot90"}


def test_stills(put, tmp_path):
    folder = tmp_path / "mmi-facial-expression-database_download_2020-01-01/Sessions/1900"
    put(folder, "S050-001.jpg")
    put(folder, "S050-002.png")
    put(folder, "S050-001.xml", '<r><Metatag Name="Emotion" Value="5"/></r>')
    put(folder, "session.xml", '<session><track view="0"/></session>')
    labelled, bare = mmi.samples(tmp_path)
    assert (labelled.emotion, labelled.subject, labelled.sequence) == ("sadness", "S050", None)
    assert labelled.frame is None
    assert (bare.status, bare.emotion) == ("uncertain", None)


@pytest.mark.parametrize(
    ("view", "size", "column"),
    [
        ("0", (640, 480), None),
        ("0", (720, 576), "rot270"),
        ("1", (720, 576), "rot90"),
        ("2", (720, 576), "crop:0,0,361,576"),
    ],
)
def test_stills_are_turned_as_videos_are(put, tmp_path, view, size, column):
    put(tmp_path, "SESSIONS/7/S050-001.png", size=size)
    put(tmp_path, "SESSIONS/7/session.xml", f'<session><track view="{view}"/></session>')
    (tmp_path / "SESSIONS/7/S050-002.png").touch()
    whole, broken = mmi.samples(tmp_path)
    assert (whole.view, whole.attributes) == (column, {"view": view})
    assert broken.view is None


def test_a_broken_video_is_a_row(put, tmp_path):
    folder = session(put, tmp_path, 1, "S002-001", 1)
    (folder / "S002-001.avi").write_bytes(b"")
    (row,) = mmi.samples(tmp_path)
    assert row.status == "unreadable"
    assert "cannot be opened" in row.reason


def test_sessions_come_in_the_order_of_their_numbers(put, tmp_path):
    for number, stem in ((10, "S001-003"), (9, "S001-002"), (100, "S001-002")):
        session(put, tmp_path, number, stem, 1, count=3)
    rows = list(mmi.samples(tmp_path))
    assert [row.path for row in rows[::3]] == [
        "Sessions/9/S001-002.avi",
        "Sessions/10/S001-003.avi",
        "Sessions/100/S001-002.avi",
    ]
    assert len({row.id for row in rows}) == 9
    # Two recordings under one name stay two clips.
    assert len({row.sequence for row in rows}) == 3


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("S002-001.xml", "<r>\n<Metatag", "S002-001.xml, line 2"),
        ("S002-001-oao_aucs.xml", '<r><ActionUnit Number="1"><Marker Frame="1" Type="4"/>'
         "</ActionUnit></r>", "Type='4'"),
        ("session.xml", "no xml", "session.xml, line 1"),
    ],
)  # fmt: skip
def test_broken_xml_is_named(put, tmp_path, name, text, said):
    folder = session(put, tmp_path, 1, "S002-001", 1)
    put(folder, name, text)
    with pytest.raises(BadRaw, match=said):
        list(mmi.samples(tmp_path))


def test_missing_set_says_where_to_get_it(tmp_path):
    with pytest.raises(MissingData, match="mmifacedb"):
        mmi.recognise(tmp_path)


def test_write_sample_is_read_back(clip, content, tmp_path):
    people = [("anger", "s001", 1), ("fear", "s001", 2), ("neutral", "s002", 1), ("happiness",
              "s003", 1)]  # fmt: skip
    frames = [portrait for person in people for portrait in clip(*person)]
    mmi.write_sample(iter(frames), tmp_path / "a")
    mmi.write_sample(iter(frames), tmp_path / "b")
    files = content(tmp_path / "a")
    assert files == content(tmp_path / "b")
    assert b'<Metatag Name="Emotion" Value="3"/>' in files["Sessions/2/S001-002.xml"]
    assert b"Emotion" not in files["Sessions/3/S002-001.xml"]
    assert "Sessions/4/S003-001-oao_aucs.xml" not in files
    rows = list(mmi.samples(tmp_path / "a"))
    fear = [row for row in rows if row.sequence == "S001-002"]
    assert [row.phase for row in fear] == ["neutral", "onset", "apex", "apex", "apex", "offset"]
    assert [row.emotion for row in fear] == ["neutral", None, "fear", "fear", "fear", None]
    uncoded = [row for row in rows if row.subject == "S003"]
    assert [row.emotion for row in uncoded] == ["neutral", None, "happiness", "happiness", None,
                                                None]  # fmt: skip
    with Pictures(tmp_path / "a") as pictures:
        for row in (fear[0], next(row for row in rows if row.subject == "S002")):
            pixels = read(row, pictures)
            assert pixels.shape == (480, 640, 3)
            # The face of a clip that lies on its side stands upright again.
            assert pixels[240, 300, 0] > pixels[240, 100, 0] + 100
            assert pixels[120, 300, 0] > pixels[60, 300, 0] + 100


def test_write_sample_refuses_what_the_set_cannot_hold(portrait, clip, tmp_path):
    with pytest.raises(ValueError, match="still"):
        mmi.write_sample([portrait()], tmp_path / "a")
    with pytest.raises(ValueError, match="contempt"):
        mmi.write_sample(clip("contempt", "s001", 1), tmp_path / "b")
    mixed = [*clip("anger", "s001", 1), *clip("fear", "s002", 1), *clip("anger", "s001", 1)]
    with pytest.raises(ValueError, match="follow each other"):
        mmi.write_sample(mixed, tmp_path / "c")
