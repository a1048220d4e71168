"""Pictures sorted into folders under any common spelling."""

import numpy as np
import pytest

from fer_pipeline import images
from fer_pipeline.datasets import folder
from fer_pipeline.errors import BadRaw, MissingData

PNG = images.encode_png(np.zeros((8, 8), np.uint8))


def put(raw, *names: str):
    for name in names:
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)


def found(raw) -> list[tuple[str | None, str | None, str | None]]:
    return [(sample.path, sample.split, sample.emotion) for sample in folder.samples(raw)]


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("train", "validation", "test"),
        ("Training", "Valid", "Testing"),
        ("TRAIN", "val", "TEST"),
        ("training", "dev", "test"),
    ],
)
@pytest.mark.parametrize("top", ["", "my faces/"])
def test_spellings_of_splits(tmp_path, train, val, test, top):
    put(tmp_path, *(f"{top}{part}/happy/a.png" for part in (train, val, test)))
    assert folder.recognise(tmp_path) == "split/class"
    assert found(tmp_path) == [
        (f"{top}{train}/happy/a.png", "train", "happiness"),
        (f"{top}{val}/happy/a.png", "val", "happiness"),
        (f"{top}{test}/happy/a.png", "test", "happiness"),
    ]


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("Angry", "anger"),
        ("DISGUSTED", "disgust"),
        ("fearful", "fear"),
        ("Joy", "happiness"),
        ("sad", "sadness"),
        ("surprised", "surprise"),
        ("normal", "neutral"),
        ("Contempt", "contempt"),
    ],
)
def test_spellings_of_classes(tmp_path, name, emotion):
    put(tmp_path, f"train/{name}/1.png")
    (only,) = folder.samples(tmp_path)
    assert (only.emotion, only.label) == (emotion, name)


def test_deeper_files_are_found_and_litter_is_not(tmp_path):
    put(tmp_path, "train/sad/b/2.png", "train/sad/1.jpg", "train/sad/notes.txt")
    put(tmp_path, "train/sad/.DS_Store", "train/sad/Thumbs.db", "train/.cache/x.png")
    names = ["train/sad/1.jpg", "train/sad/b/2.png", "train/sad/notes.txt"]
    assert [path for path, _, _ in found(tmp_path)] == names


def test_class_folder_that_is_no_emotion_is_named(tmp_path):
    put(tmp_path, "train/happy/1.png", "train/hapy/1.png")
    with pytest.raises(BadRaw, match=r"train/hapy: 'hapy' is no emotion; did you mean 'happy'"):
        list(folder.samples(tmp_path))


def test_two_folders_of_one_split_are_refused(tmp_path):
    put(tmp_path, "val/happy/1.png", "validation/happy/1.png")
    with pytest.raises(BadRaw, match="both mean the val split"):
        folder.recognise(tmp_path)


def test_no_split_folders(tmp_path):
    put(tmp_path, "happy/1.png")
    with pytest.raises(MissingData, match="no folders train, validation or test"):
        folder.recognise(tmp_path)


def test_picture_in_no_class_folder_is_named(tmp_path):
    put(tmp_path, "train/happy/1.png", "train/2.PNG", "train/notes.txt")
    with pytest.raises(BadRaw, match=r"train/2\.PNG lies in no class folder"):
        list(folder.samples(tmp_path))
