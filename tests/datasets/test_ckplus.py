"""CK+: which frames carry which label, in every layout."""

import numpy as np
import pytest

from fer_pipeline.datasets import ckplus
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.images import decode
from fer_pipeline.protocol import partition


def sequence(put, root, subject, take, count, code=None):
    stem = f"{subject}_{take}"
    for number in range(1, count + 1):
        put(root, f"cohn-kanade-images/{subject}/{take}/{stem}_{number:08d}.png")
    (root / "Emotion" / subject / take).mkdir(parents=True, exist_ok=True)
    if code is not None:
        name = f"Emotion/{subject}/{take}/{stem}_{count:08d}_emotion.txt"
        put(root, name, f"   {code:.7e}\n")


def original(put, root):
    sequence(put, root, "S005", "001", 6, 3.0)
    sequence(put, root, "S005", "002", 4)
    sequence(put, root, "S010", "001", 3, 2.0)
    put(root, "cohn-kanade-images/.DS_Store", "x")
    put(root, "cohn-kanade-images/S005/.DS_Store", "x")
    put(root, "Emotion/S005/001/.DS_Store", "x")
    put(root, "Emotion/S005/002/.DS_Store", "x")


def test_first_frame_is_neutral_and_the_last_three_carry_the_label(put, tmp_path):
    original(put, tmp_path)
    assert ckplus.recognise(tmp_path) == "original"
    rows = [row for row in ckplus.samples(tmp_path) if row.sequence == "S005_001"]
    assert [row.frame for row in rows] == [0, 1, 2, 3, 4, 5]
    assert [row.emotion for row in rows] == ["neutral", None, None, *["disgust"] * 3]
    assert [row.label for row in rows] == ["0", None, None, "3", "3", "3"]
    assert [row.phase for row in rows] == ["neutral", "onset", "onset", *["apex"] * 3]
    assert [row.status for row in rows] == ["ok", "uncertain", "uncertain", *["ok"] * 3]
    assert {row.subject for row in rows} == {"S005"}
    assert rows[5].id == "ckplus/S005_001_00000006"
    assert rows[5].path == "cohn-kanade-images/S005/001/S005_001_00000006.png"


def test_a_short_sequence_keeps_its_neutral_frame(put, tmp_path):
    original(put, tmp_path)
    rows = [row for row in ckplus.samples(tmp_path) if row.subject == "S010"]
    assert [row.emotion for row in rows] == ["neutral", "contempt", "contempt"]


def test_an_unlabelled_sequence_stays_uncertain(put, tmp_path):
    original(put, tmp_path)
    rows = [row for row in ckplus.samples(tmp_path) if row.sequence == "S005_002"]
    assert [row.status for row in rows] == ["uncertain"] * 4
    assert {row.emotion for row in rows} == {None}
    assert "no emotion label" in rows[0].reason


@pytest.mark.parametrize("how", ["absent", "without files"])
def test_without_labels_the_reading_stops(put, tmp_path, how):
    original(put, tmp_path)
    if how == "absent":
        (tmp_path / "Emotion").rename(tmp_path / "Feelings")
    else:
        for path in tmp_path.rglob("*_emotion.txt"):
            path.unlink()
    with pytest.raises(MissingData, match=r"unpack the folder Emotion beside .*cohn-kanade-images"):
        list(ckplus.samples(tmp_path))


def test_the_archives_may_lie_in_folders_of_their_own(put, tmp_path):
    original(put, tmp_path / "whole")
    put(tmp_path, "whole/FACS/S005/001/S005_001_00000006_facs.txt", "9 4\n")
    put(tmp_path, "whole/Landmarks/S005/001/S005_001_00000001_landmarks.txt", "1 2\n" * 68)
    expected = list(ckplus.samples(tmp_path / "whole"))
    for old, new in (
        ("cohn-kanade-images", "CK+/cohn-kanade-images"),
        ("Emotion", "Emotion_labels/Emotion"),
        ("FACS", "FACS_labels/FACS"),
        ("Landmarks", "Landmarks/Landmarks"),
    ):
        (tmp_path / "apart" / new).parent.mkdir(parents=True)
        (tmp_path / "whole" / old).rename(tmp_path / "apart" / new)
    found = list(ckplus.samples(tmp_path / "apart"))
    for row in found:
        row.path = row.path.removeprefix("CK+/")
    assert found == expected
    assert {"9": "4"} in [{k[2:]: v for k, v in row.attributes.items()} for row in found]
    assert sum(row.given_landmarks is not None for row in found) == 1


def test_letter_case_of_names_does_not_matter(put, tmp_path):
    sequence(put, tmp_path, "s005", "001", 3, 3.0)
    (tmp_path / "Emotion" / "s005").rename(tmp_path / "Emotion" / "S005")
    rows = list(ckplus.samples(tmp_path))
    assert [row.emotion for row in rows] == ["neutral", "disgust", "disgust"]
    assert {(row.subject, row.sequence) for row in rows} == {("S005", "S005_001")}
    put(tmp_path / "b", "happy/s010_004_00000017.png")
    assert ckplus.recognise(tmp_path / "b") == "ck48"
    (row,) = ckplus.samples(tmp_path / "b")
    assert (row.subject, row.sequence, row.frame) == ("S010", "S010_004", 16)


@pytest.mark.parametrize(
    "name",
    ["holiday.png", "S005/holiday.png", "S005/001/holiday.png", "S005/001/x/S005_001_01.png"],
)
def test_stray_pictures_are_rows_without_a_subject(put, tmp_path, name):
    original(put, tmp_path)
    count = len(list(ckplus.samples(tmp_path)))
    put(tmp_path, f"cohn-kanade-images/{name}")
    rows = list(ckplus.samples(tmp_path))
    (stray,) = (row for row in rows if row.path == f"cohn-kanade-images/{name}")
    assert (stray.status, stray.subject, stray.emotion) == ("unknown_label", None, None)
    assert len(rows) == count + 1
    assert sum(row.status == "ok" for row in rows) == 4 + 3


def test_all_codes(put, tmp_path):
    for code in range(1, 8):
        sequence(put, tmp_path, f"S{code:03d}", "001", 2, float(code))
    rows = list(ckplus.samples(tmp_path))
    assert [row.emotion for row in rows[1::2]] == [
        "anger",
        "contempt",
        "disgust",
        "fear",
        "happiness",
        "sadness",
        "surprise",
    ]


def test_units_and_landmarks(put, tmp_path):
    original(put, tmp_path)
    put(
        tmp_path,
        "FACS/S005/001/S005_001_00000006_facs.txt",
        "   9.0000000e+00   4.0000000e+00\n   1.7000000e+01   0.0000000e+00\n",
    )
    points = "".join(f"   {i:.7e}   {i + 0.5:.7e} \n" for i in range(68))
    put(tmp_path, "Landmarks/S005/001/S005_001_00000002_landmarks.txt", points)
    rows = [row for row in ckplus.samples(tmp_path) if row.sequence == "S005_001"]
    assert rows[5].attributes == {"AU9": "4", "AU17": "0"}
    # A unit without an intensity, 0, tells nothing of it.
    assert [row.intensity for row in rows] == [None] * 5 + [0.8]
    assert rows[4].attributes == {}
    assert rows[1].given_landmarks[:4] == [0, 0.5, 1, 1.5]
    assert len(rows[1].given_landmarks) == 136
    assert rows[0].given_landmarks is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Emotion/S005/001/S005_001_00000006_emotion.txt", "happy\n", "'happy' is no emotion code"),
        ("Emotion/S005/001/S005_001_00000006_emotion.txt", "   nan\n", "'nan' is no emotion code"),
        ("FACS/S005/001/S005_001_00000006_facs.txt", "  9 4\n  12\n", "facs.txt, line 2"),
        ("Landmarks/S005/001/S005_001_00000001_landmarks.txt", "1 2\n" * 67, "67 points, not 68"),
    ],
)
def test_broken_label_files_are_named(put, tmp_path, name, text, said):
    original(put, tmp_path)
    put(tmp_path, name, text)
    with pytest.raises(BadRaw, match=said):
        list(ckplus.samples(tmp_path))


def test_rows_never_vanish(put, tmp_path):
    original(put, tmp_path)
    sequence(put, tmp_path, "S011", "001", 2, 9.0)
    put(tmp_path, "Emotion/S099/001/S099_001_00000010_emotion.txt", "   1.0000000e+00\n")
    put(tmp_path, "cohn-kanade-images/S005/001/holiday.png")
    rows = {row.id: row for row in ckplus.samples(tmp_path)}
    assert rows["ckplus/S011_001_00000002"].status == "unknown_label"
    assert rows["ckplus/S011_001_00000002"].label == "9"
    assert rows["ckplus/S099_001"].status == "unreadable"
    assert rows["ckplus/S005_001/holiday.png"].status == "unknown_label"
    assert rows["ckplus/S005_001_00000001"].emotion == "neutral"
    assert len(rows) == 6 + 4 + 3 + 2 + 1 + 1


def test_folds_keep_subjects_apart(put, tmp_path):
    for number in range(1, 13):
        sequence(put, tmp_path, f"S{number:03d}", "001", 4, 1.0 + number % 7)
    rows = list(ckplus.samples(tmp_path))
    columns = [[getattr(row, name) for row in rows] for name in ("id", "split", "subject")]
    tested = []
    for repeat in range(10):
        parts = partition(ckplus.PROTOCOL, *columns, [row.emotion for row in rows], repeat)
        subjects = {
            part: {s for s, p in zip(columns[2], parts, strict=True) if p == part}
            for part in ("train", "val", "test")
        }
        assert not subjects["train"] & subjects["test"]
        assert not subjects["train"] & subjects["val"]
        tested += sorted(subjects["test"])
    assert sorted(tested) == sorted(set(columns[2]))


@pytest.mark.parametrize("folder", [".", "CK+48", "archive/CK+48"])
def test_ck48(put, tmp_path, folder):
    for name in ("15", "16", "17"):
        put(tmp_path / folder, f"anger/S010_004_000000{name}.png")
    put(tmp_path / folder, "happy/S011_006_00000013.png")
    put(tmp_path / folder, "sadness/S010_004_00000017.png")
    put(tmp_path / folder, "sadness/other.png")
    put(tmp_path / folder, "sadness/more/S012_004_00000017.png")
    put(tmp_path / folder, "loose.png")
    assert ckplus.recognise(tmp_path) == "ck48"
    rows = list(ckplus.samples(tmp_path))
    emotions = [None, *["anger"] * 3, "happiness", None, "sadness", "sadness"]
    assert [row.emotion for row in rows] == emotions
    assert (rows[1].subject, rows[1].sequence, rows[1].frame) == ("S010", "S010_004", 14)
    assert len({row.id for row in rows}) == 8
    assert [row.status for row in rows if row.emotion is None] == ["unknown_label"] * 2


def test_ckextended_has_codes_of_its_own(put, tmp_path):
    pixels = " ".join(str(i % 256) for i in range(48 * 48))
    usages = ["Training", "PublicTest", "PrivateTest", *["Training"] * 6]
    lines = [f"{code},{pixels},{usage}\n" for code, usage in enumerate(usages)]
    put(tmp_path, "ckextended.csv", "emotion,pixels,Usage\n" + "".join(lines))
    assert ckplus.recognise(tmp_path) == "ckextended"
    rows = list(ckplus.samples(tmp_path))
    assert [row.emotion for row in rows] == [
        "anger",
        "disgust",
        "fear",
        "happiness",
        "sadness",
        "surprise",
        "neutral",
        "contempt",
        None,
    ]
    assert rows[8].status == "unknown_label"
    assert rows[1].attributes == {"usage": "PublicTest"}
    assert (rows[1].split, rows[1].subject) == (None, None)
    expected = (np.arange(48 * 48) % 256).reshape(48, 48)
    np.testing.assert_array_equal(rows[0].pixels, expected)
    # No fold can be made: all of it is tested, by models that were trained elsewhere.
    parts = partition(
        ckplus.PROTOCOL,
        [row.id for row in rows],
        [None] * 9,
        [row.subject for row in rows],
        [row.emotion for row in rows],
        0,
    )
    assert parts.tolist() == ["test"] * 9


@pytest.mark.parametrize(
    ("header", "absent"), [("emotion,pixels", "Usage"), ("Usage,pixels", "emotion")]
)
def test_ckextended_without_a_column_is_refused(put, tmp_path, header, absent):
    put(tmp_path, "ckextended.csv", f"{header}\n0,{'1 ' * 2303}1\n")
    with pytest.raises(BadRaw, match=rf"ckextended\.csv, line 1: no column '{absent}'"):
        list(ckplus.samples(tmp_path))


def test_ckextended_with_a_short_row_is_refused(put, tmp_path):
    put(tmp_path, "ckextended.csv", "emotion,pixels,Usage\n0,1 2 3,Training\n")
    with pytest.raises(BadRaw, match=r"ckextended.csv, line 2"):
        list(ckplus.samples(tmp_path))


def test_missing_set_says_where_to_get_it(put, tmp_path):
    put(tmp_path, "anger/not_a_frame.png")
    with pytest.raises(MissingData, match="jeffcohn"):
        ckplus.recognise(tmp_path)


def test_write_sample_is_read_back(clip, content, tmp_path):
    clips = [*clip("contempt", "s002", 1), *clip("anger", "s002", 2), *clip("neutral", "s013", 1)]
    ckplus.write_sample(iter(clips), tmp_path / "a")
    ckplus.write_sample(iter(clips), tmp_path / "b")
    files = content(tmp_path / "a")
    assert files == content(tmp_path / "b")
    assert files["Emotion/S002/001/S002_001_00000005_emotion.txt"] == b"   2.0000000e+00\n"
    assert (tmp_path / "a/Emotion/S013/001").is_dir()
    assert not list((tmp_path / "a/Emotion/S013/001").iterdir())
    assert files["FACS/S002/002/S002_002_00000005_facs.txt"] == (
        b"   1.2000000e+01   3.0000000e+00\n"
    )
    rows = list(ckplus.samples(tmp_path / "a"))
    assert [row.emotion for row in rows if row.sequence == "S002_002"] == [
        "neutral",
        None,
        "anger",
        "anger",
        "anger",
    ]
    assert {row.emotion for row in rows if row.subject == "S013"} == {None}
    pixels = decode((tmp_path / "a" / rows[0].path).read_bytes())
    assert pixels.shape == (490, 640)
    # 320 x 240 doubles to 640 x 480 and gets five lines above and below.
    x, y = rows[0].given_landmarks[60:62]
    assert (x, y) == (300, 255)
    assert pixels[255, 300] > pixels[255, 100]


def test_write_sample_wants_clips(portrait, tmp_path):
    with pytest.raises(ValueError, match="still"):
        ckplus.write_sample([portrait()], tmp_path)
