"""AffectNet's folder forms: spellings of split folders, and pictures that must not vanish."""

import numpy as np
import pytest

from fer_pipeline.datasets import affectnet
from fer_pipeline.errors import BadRaw, MissingData

LISTS = "Manually_Annotated_file_lists"


def annotate(root, stem, **values):
    for name, value in values.items():
        path = root / "annotations" / f"{stem}_{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.array(value))


def labels(put, root, *lines):
    put(root, "labels.csv", "\n".join([",pth,label,relFCs", *lines]) + "\n")


def lists(put, root, text, code=1):
    line = f"1/a.jpg,{text},{';'.join(['1'] * 136)},{code},0.5,0.5"
    header = (
        "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
        "expression,valence,arousal"
    )
    return put(root, f"{LISTS}/training.csv", f"{header}\n{line}\n")


PARTS = [
    (("train", "valid", "test"), ("train", "val", "test")),
    (("Train", "Val", "Test"), ("train", "val", "test")),
    (("training", "validation"), ("train", "test")),
    (("TRAIN", "val"), ("train", "test")),
    (("Train", "Test"), ("train", "test")),
]


@pytest.mark.parametrize(("folders", "splits"), PARTS)
def test_kaggle_split_folders_in_any_spelling(put, tmp_path, folders, splits):
    for part in folders:
        put(tmp_path, f"archive/{part}/happy/{part}.jpg")
    labels(put, tmp_path / "archive", "0,happy/none.jpg,happy,0.5")
    assert affectnet.recognise(tmp_path) == "kaggle"
    rows = list(affectnet.samples(tmp_path))
    assert tuple(row.split for row in rows if row.status == "ok") == splits


@pytest.mark.parametrize(("folders", "splits"), PARTS)
def test_coded_split_folders_in_any_spelling(put, tmp_path, folders, splits):
    for part in folders:
        put(tmp_path, f"{part}/3/a.jpg")
    assert affectnet.recognise(tmp_path) == "coded"
    assert tuple(row.split for row in affectnet.samples(tmp_path)) == splits


@pytest.mark.parametrize(("folders", "splits"), PARTS)
def test_yolo_split_folders_in_any_spelling(put, tmp_path, folders, splits):
    put(tmp_path, "data.yaml", "names: [Happy]\n")
    for part in folders:
        put(tmp_path, f"{part}/images/a.png")
        put(tmp_path, f"{part}/labels/a.txt", "0 0.5 0.5 1 1\n")
    assert tuple(row.split for row in affectnet.samples(tmp_path)) == splits


@pytest.mark.parametrize("place", ["", "pictures/anger/"])
def test_labels_without_a_class_folder_are_refused(put, tmp_path, place):
    labels(put, tmp_path, "0,anger/a.jpg,anger,0.9")
    if place:
        put(tmp_path, f"{place}a.jpg")
    with pytest.raises(BadRaw, match=r"labels\.csv has no class folder beside it"):
        list(affectnet.samples(tmp_path))


def test_a_picture_that_is_listed_twice_makes_two_rows(put, tmp_path):
    put(tmp_path, "Train/anger/a.jpg")
    put(tmp_path, "Train/anger/b.jpg")
    labels(put, tmp_path, "0,anger/a.jpg,anger,0.9", "1,anger/A.jpg,fear,0.8")
    rows = {row.id: (row.emotion, row.line) for row in affectnet.samples(tmp_path)}
    assert rows == {
        "affectnet/Train/anger/a": ("anger", 2),
        "affectnet/Train/anger/a#2": ("fear", 3),
        "affectnet/Train/anger/b": ("anger", None),
    }


def test_kaggle_pictures_never_vanish(put, tmp_path):
    put(tmp_path, "Train/anger/a.jpg")
    put(tmp_path, "Train/anger/more/b.jpg")
    put(tmp_path, "Train/loose.jpg")
    put(tmp_path, "Train/listed.jpg")
    (tmp_path / "Train/anger/gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    labels(put, tmp_path, "0,listed.jpg,sad,0.9")
    rows = {row.path: (row.emotion, row.status) for row in affectnet.samples(tmp_path)}
    assert rows == {
        "Train/anger/a.jpg": ("anger", "ok"),
        "Train/anger/more/b.jpg": ("anger", "ok"),
        "Train/loose.jpg": (None, "unknown_label"),
        "Train/listed.jpg": ("sadness", "ok"),
        "Train/anger/gone.jpg": ("anger", "unreadable"),
    }


def test_coded_pictures_never_vanish(put, tmp_path):
    put(tmp_path, "train/1/a.jpg")
    put(tmp_path, "train/1/more/b.jpg")
    put(tmp_path, "train/loose.jpg")
    put(tmp_path / "elsewhere", "c.jpg")
    (tmp_path / "train/2").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    rows = {row.path: (row.emotion, row.status) for row in affectnet.samples(tmp_path)}
    assert rows == {
        "train/loose.jpg": (None, "unknown_label"),
        "train/1/a.jpg": ("happiness", "ok"),
        "train/1/more/b.jpg": ("happiness", "ok"),
        "train/2/c.jpg": ("sadness", "ok"),
    }


def test_pictures_of_one_stem_are_rows_each(put, tmp_path):
    for suffix in ("jpg", "png"):
        put(tmp_path / "npy", f"train_set/images/5.{suffix}")
        put(tmp_path / "yolo", f"train/images/5.{suffix}")
    annotate(tmp_path / "npy/train_set", "5", exp="6", val="0", aro="0")
    put(tmp_path / "yolo", "data.yaml", "names: [Anger]\n")
    put(tmp_path / "yolo", "train/labels/5.txt", "0 0.5 0.5 1 1\n")
    for form in ("npy", "yolo"):
        rows = list(affectnet.samples(tmp_path / form))
        assert [row.path.rpartition(".")[2] for row in rows] == ["jpg", "png"]
        assert [row.emotion for row in rows] == ["anger", "anger"]
        assert len({row.id for row in rows}) == 2


@pytest.mark.parametrize(
    ("value", "label", "emotion"),
    [(1.0, "1", "happiness"), ("1.0", "1", "happiness"), (1, "1", "happiness"),
     (1.5, "1.5", None), ("x", "x", None), (np.nan, "nan", None)],
)  # fmt: skip
def test_codes_stored_as_floats(put, tmp_path, value, label, emotion):
    put(tmp_path, "train_set/images/5.jpg")
    annotate(tmp_path / "train_set", "5", exp=value, val=0.5, aro=np.nan)
    (row,) = affectnet.samples(tmp_path)
    assert (row.label, row.emotion, row.arousal) == (label, emotion, None)


@pytest.mark.parametrize(
    "box", ["NaN,1,2,3", "1,null,2,3", "1,2,None,3", "1,2,3,inf", "1,2,-inf,3"]
)
def test_a_box_of_no_numbers_is_none(put, tmp_path, box):
    lists(put, tmp_path, box)
    (row,) = affectnet.samples(tmp_path)
    assert row.given_box is None
    assert row.attributes["given_box"]
    assert row.emotion == "happiness"


def test_lists_that_are_no_text_are_named(put, tmp_path):
    path = lists(put, tmp_path, "1,2,3,4")
    path.write_bytes(path.read_bytes() + b"1/\xe9.jpg,1\n")
    with pytest.raises(BadRaw, match=r"training\.csv, line 3: no UTF-8 text"):
        list(affectnet.samples(tmp_path))


@pytest.mark.parametrize("names", ["", "[]", "{}", "Happy", "3", "{a: Happy, 1: Sad}"])
def test_yolo_without_names_is_refused(put, tmp_path, names):
    put(tmp_path, "data.yaml", f"names: {names}\n")
    put(tmp_path, "train/images/a.png")
    with pytest.raises(BadRaw, match=r"data\.yaml has no list 'names'"):
        list(affectnet.samples(tmp_path))


def test_yolo_names_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "data.yaml").write_bytes(b"names: [Fr\xe9de]\n")
    with pytest.raises(BadRaw, match=r"data\.yaml, line 1: no UTF-8 text"):
        list(affectnet.samples(tmp_path))


def test_split_folders_without_classes_are_no_layout(put, tmp_path):
    put(tmp_path, "train/a.jpg")
    with pytest.raises(MissingData, match="up to 2 levels below"):
        affectnet.recognise(tmp_path)
