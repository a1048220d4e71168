"""FER2013: every layout it is handed around in, and what is refused."""

import os

import numpy as np
import pytest

from fer_pipeline import images
from fer_pipeline.datasets import fer2013
from fer_pipeline.emotions import COMMON7
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.manifest import OK, UNCERTAIN
from fer_pipeline.portraits import Portrait

PIXELS = " ".join(["9"] * 2304)
KAGGLE = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
PARTICIPLES = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")


def portrait(emotion: str, split: str | None, level: int = 100, votes=None) -> Portrait:
    return Portrait(
        pixels=np.full((96, 96, 3), level, np.uint8),
        emotion=emotion,
        subject="s001",
        split=split,
        intensity=1.0,
        votes=votes or (0,) * 10,
        landmarks=np.zeros((68, 2), np.float32),
        box=np.array([0, 0, 96, 96], np.float32),
        valence=0.0,
        arousal=0.0,
        gender="male",
        race="Asian",
        age=30,
    )


def write(path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def put(folder, names, data: bytes | None = None):
    """Pictures of one gray value under the given names, all links to one file."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder.parent / ".one.png"
    source.write_bytes(data or images.encode_png(np.full((48, 48), 5, np.uint8)))
    for name in names:
        os.link(source, folder / name)


def test_codes_run_angry_disgust_fear_happy_sad_surprise_neutral():
    words = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    assert [fer2013.EMOTION_OF[str(code)] for code in range(7)] == list(words)
    for folders in (KAGGLE, PARTICIPLES):
        assert [fer2013.EMOTION_OF[folder] for folder in folders] == list(words)


def test_a_number_that_is_no_code_is_a_row_with_a_status(tmp_path):
    write(tmp_path / "fer2013.csv", f"emotion,pixels,Usage\n7,{PIXELS},Training\n")
    (row,) = fer2013.samples(tmp_path)
    assert (row.label, row.emotion, row.split) == ("7", None, "train")
    assert (row.status, row.reason) == ("unknown_label", "7 is no code 0 to 6")


def test_official_counts():
    assert fer2013.PROTOCOL.counts == {"train": 28709, "val": 3589, "test": 3589}
    for split, cells in fer2013.CLASS_COUNTS.items():
        assert sum(cells.values()) == fer2013.PROTOCOL.counts[split]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fer2013.csv", f"emotion,pixels,Usage\n6,{PIXELS},Training\n1,{PIXELS},PrivateTest\n"),
        (
            "icml_face_data.csv",
            f"emotion, Usage, pixels\n6,Training,{PIXELS}\n1,PrivateTest,{PIXELS}\n",
        ),
    ],
)
@pytest.mark.parametrize("below", [".", "fer2013"])
def test_csv_forms(tmp_path, name, text, below):
    write(tmp_path / below / name, text)
    assert fer2013.recognise(tmp_path) == name
    first, second = fer2013.samples(tmp_path)
    assert (first.id, first.label, first.emotion, first.split, first.line) == (
        "fer2013/00000",
        "6",
        "neutral",
        "train",
        0,
    )
    assert (second.id, second.emotion, second.split) == ("fer2013/00001", "disgust", "test")
    assert first.pixels.shape == (48, 48)
    assert first.path is None


def test_icml_training_file_alone(tmp_path):
    write(tmp_path / "train.csv", f'emotion,pixels\r\n3,"{PIXELS}"\r\n')
    assert fer2013.recognise(tmp_path) == "train.csv"
    (only,) = fer2013.samples(tmp_path)
    assert (only.emotion, only.split, only.status) == ("happiness", "train", OK)


def test_icml_pair_splits_the_complete_test_file_by_position(tmp_path):
    write(tmp_path / "train.csv", f'emotion,pixels\r\n3,"{PIXELS}"\r\n')
    write(tmp_path / "test.csv", "pixels\r\n" + f'"{PIXELS}"\r\n' * 7178)
    assert fer2013.recognise(tmp_path) == "train.csv+test.csv"
    found = list(fer2013.samples(tmp_path))[1:]
    assert [sample.split for sample in found] == ["val"] * 3589 + ["test"] * 3589
    assert {(s.emotion, s.label, s.status, s.reason) for s in found} == {
        (None, None, UNCERTAIN, "test.csv has no labels")
    }
    # The same ids as the rows of fer2013.csv have.
    assert (found[0].id, found[-1].id) == ("fer2013/28709", "fer2013/35886")


def test_icml_pair_refuses_a_part_of_the_test_file(tmp_path):
    write(tmp_path / "train.csv", f'emotion,pixels\r\n3,"{PIXELS}"\r\n')
    path = write(tmp_path / "test.csv", "pixels\r\n" + f'"{PIXELS}"\r\n' * 3)
    with pytest.raises(BadRaw, match="3 rows, not 7178") as caught:
        list(fer2013.samples(tmp_path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (f"happy,{PIXELS},Training", "emotion 'happy' is no code 0 to 6"),
        (f",{PIXELS},Training", "emotion '' is no code 0 to 6"),
        (f"0,{PIXELS},Test", "Usage 'Test' is none of Training, PublicTest, PrivateTest"),
        (f"0,{PIXELS} 1,Training", "2305 pixels, not 2304"),
    ],
)
def test_bad_row_is_named_with_file_and_line(tmp_path, row, complaint):
    good = f"0,{PIXELS},Training\n"
    path = write(tmp_path / "fer2013.csv", f"emotion,pixels,Usage\n{good}{row}\n{good}")
    with pytest.raises(BadRaw) as caught:
        list(fer2013.samples(tmp_path))
    assert f"{path}, line 3: {complaint}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "header", "absent"),
    [
        ("fer2013.csv", "emotion,pixels", "Usage"),
        ("fer2013.csv", "pixels,Usage", "emotion"),
        ("icml_face_data.csv", "emotion, pixels", "Usage"),
        ("train.csv", "pixels,Usage", "emotion"),
    ],
)
def test_a_column_that_is_not_there_is_named(tmp_path, name, header, absent):
    cells = {"emotion": "0", "pixels": PIXELS, "Usage": "Training"}
    row = ",".join(cells[column.strip()] for column in header.split(","))
    path = write(tmp_path / name, f"{header}\n{row}\n")
    with pytest.raises(BadRaw) as caught:
        list(fer2013.samples(tmp_path))
    assert f"{path}, line 1: no column '{absent}' in '{header}'" in str(caught.value)


def test_folders_are_found_two_levels_down_and_other_files_left_out(tmp_path):
    root = tmp_path / "archive" / "images"
    put(root / "train" / "angry", ["5.jpg", "notes.txt", "Thumbs.db"])
    put(root / "validation" / "angry", ["40.PNG"])
    write(root / "train" / "readme.md", "hello")
    assert fer2013.recognise(tmp_path) == "folders-by-row"
    found = {sample.path: sample.split for sample in fer2013.samples(tmp_path)}
    assert found == {
        "archive/images/train/angry/5.jpg": "train",
        "archive/images/validation/angry/40.PNG": "train",
    }
    left = [path.relative_to(root).as_posix() for path in fer2013.left_out(tmp_path)]
    assert left == ["train/angry/notes.txt", "train/readme.md"]


def test_nothing_is_left_out_of_a_csv(tmp_path):
    write(tmp_path / "fer2013.csv", f"emotion,pixels,Usage\n0,{PIXELS},Training\n")
    assert fer2013.left_out(tmp_path) == []


def test_linked_folders_and_dead_links_are_rows(tmp_path):
    put(tmp_path / "more", ["Training_2.jpg"])
    put(tmp_path / "train" / "sad", ["Training_1.jpg"])
    put(tmp_path / "test" / "sad", ["PublicTest_1.jpg"])
    (tmp_path / "train/sad/linked").symlink_to(tmp_path / "more", target_is_directory=True)
    (tmp_path / "train/sad/Training_3.jpg").symlink_to(tmp_path / "gone.jpg")
    assert [sample.path for sample in fer2013.samples(tmp_path)] == [
        "train/sad/Training_1.jpg",
        "train/sad/Training_3.jpg",
        "train/sad/linked/Training_2.jpg",
        "test/sad/PublicTest_1.jpg",
    ]


def test_msambare_is_split_by_prefix(tmp_path):
    put(tmp_path / "train" / "happy", ["Training_10118481.jpg"])
    put(tmp_path / "test" / "happy", ["PrivateTest_1.jpg", "PublicTest_2.jpg", ".DS_Store"])
    assert fer2013.recognise(tmp_path) == "folders-by-prefix"
    found = {s.id: (s.split, s.emotion, s.label, s.path) for s in fer2013.samples(tmp_path)}
    assert found == {
        f"fer2013/{path}": (split, "happiness", "happy", path)
        for path, split in (
            ("train/happy/Training_10118481.jpg", "train"),
            ("test/happy/PrivateTest_1.jpg", "test"),
            ("test/happy/PublicTest_2.jpg", "val"),
        )
    }


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("10131363.jpg", "lost its prefix"), ("Training_4.jpg", "a Training picture in the test")],
)
def test_msambare_is_refused_without_its_prefixes(tmp_path, name, complaint):
    put(tmp_path / "train" / "sad", ["Training_1.jpg"])
    put(tmp_path / "test" / "sad", ["PublicTest_1.jpg", name])
    with pytest.raises(BadRaw, match=complaint) as caught:
        list(fer2013.samples(tmp_path))
    assert name in str(caught.value)


@pytest.fixture
def atulapra(tmp_path):
    """The complete test part and two training pictures."""
    put(tmp_path / "data" / "train" / "sad", ["im0.png", "im1.png"])
    for word, emotion in zip(PARTICIPLES, COMMON7, strict=True):
        count = sum(fer2013.CLASS_COUNTS[split][emotion] for split in ("val", "test"))
        put(tmp_path / "data" / "test" / word, [f"im{k}.png" for k in range(count)])
    return tmp_path


def test_atulapra_is_split_by_position_in_each_class(atulapra):
    assert fer2013.recognise(atulapra) == "folders-by-position"
    found = list(fer2013.samples(atulapra))
    assert [sample.split for sample in found[:3]] == ["train", "train", "val"]
    counts = {split: dict.fromkeys(COMMON7, 0) for split in ("val", "test")}
    for sample in found[2:]:
        counts[sample.split][sample.emotion] += 1
    assert counts == {split: fer2013.CLASS_COUNTS[split] for split in ("val", "test")}
    split_of = {sample.path: sample.split for sample in found}
    # 56 disgusted faces in PublicTest: numbers 0 to 55, counted, not sorted as text.
    assert split_of["data/test/disgusted/im55.png"] == "val"
    assert split_of["data/test/disgusted/im56.png"] == "test"
    assert split_of["data/test/happy/im1000.png"] == "test"
    assert split_of["data/test/happy/im894.png"] == "val"


@pytest.mark.parametrize(
    ("lost", "kept"), [("im110.png", None), ("im3.png", None), ("im3.png", "im111.png")]
)
def test_atulapra_is_refused_unless_complete(atulapra, lost, kept):
    folder = atulapra / "data" / "test" / "disgusted"
    if kept:
        (folder / lost).rename(folder / kept)
    else:
        (folder / lost).unlink()
    with pytest.raises(BadRaw, match=r"not im0\.png to im110\.png"):
        list(fer2013.samples(atulapra))


def test_jonathanoheix_usage_is_recovered_from_the_row(tmp_path):
    put(tmp_path / "images" / "train" / "fear", ["28708.jpg", "28709.jpg", "35886.jpg"])
    put(tmp_path / "images" / "validation" / "fear", ["0.jpg", "32297.jpg", "32298.jpg"])
    assert fer2013.recognise(tmp_path) == "folders-by-row"
    assert {s.path.split("/")[-1]: s.split for s in fer2013.samples(tmp_path)} == {
        "0.jpg": "train",
        "28708.jpg": "train",
        "28709.jpg": "val",
        "32297.jpg": "val",
        "32298.jpg": "test",
        "35886.jpg": "test",
    }


@pytest.mark.parametrize("name", ["35887.jpg", "a.jpg", "-1.jpg"])
def test_jonathanoheix_is_refused_without_row_numbers(tmp_path, name):
    put(tmp_path / "images" / "train" / "fear", [name])
    put(tmp_path / "images" / "validation" / "fear", ["1.jpg"])
    with pytest.raises(BadRaw, match=r"no row of fer2013\.csv"):
        list(fer2013.samples(tmp_path))


@pytest.mark.parametrize(("word", "complaint"), [("contempt", "has no contempt"), ("x", "'x'")])
def test_foreign_class_folder_is_named(tmp_path, word, complaint):
    put(tmp_path / "train" / word, ["Training_1.jpg"])
    put(tmp_path / "test" / "sad", ["PublicTest_1.jpg"])
    with pytest.raises(BadRaw, match=complaint):
        list(fer2013.samples(tmp_path))


def test_training_folder_alone_is_no_layout(tmp_path):
    put(tmp_path / "train" / "sad", ["Training_1.jpg"])
    with pytest.raises(MissingData):
        fer2013.recognise(tmp_path)


def test_sample_is_written_in_file_order(tmp_path):
    given = [
        portrait("sadness", "test", 1),
        portrait("anger", "train", 2),
        portrait("neutral", "val", 3),
        portrait("fear", "train", 4),
    ]
    fer2013.write_sample(iter(given), tmp_path)
    lines = (tmp_path / "fer2013.csv").read_text().split("\n")
    assert [f"{line[:4]}...{line.rpartition(',')[2]}" for line in lines] == [
        "emot...Usage",
        "0,2 ...Training",
        "2,4 ...Training",
        "6,3 ...PublicTest",
        "4,1 ...PrivateTest",
        "...",
    ]


@pytest.mark.parametrize(
    ("votes", "code"),
    [((1, 3, 0, 0, 0, 0, 2, 4, 0, 0), 1), ((0,) * 7 + (9, 1, 0), 6), ((0, 2, 2) + (0,) * 7, 1)],
)
def test_contempt_becomes_the_next_most_voted_class(votes, code):
    assert fer2013.code_of(portrait("contempt", "train", votes=votes)) == code


def test_portrait_without_split_is_refused(tmp_path):
    with pytest.raises(ValueError, match="split"):
        fer2013.write_sample([portrait("anger", None)], tmp_path)
