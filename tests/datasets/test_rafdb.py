"""RAF-DB: every layout, the codes, and what can be wrong in it."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fer_pipeline.datasets import rafdb
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.images import decode

LABELS = "EmoLabel/list_patition_label.txt"
ORDER = ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]


def basic(put, root, lines, aligned=True):
    put(root, LABELS, "".join(f"{line}\n" for line in lines))
    for line in lines if aligned else ():
        put(root, f"Image/aligned/{line.split()[0].removesuffix('.jpg')}_aligned.jpg")
    return root


@pytest.mark.parametrize("folder", ["basic", "raf-basic", "."])
def test_basic_is_found_under_any_top_folder(put, tmp_path, folder):
    basic(put, tmp_path / folder, ["train_00001.jpg 5", "test_0001.jpg 1"])
    assert rafdb.recognise(tmp_path) == ("raf-basic" if folder == "raf-basic" else "basic")
    train, test = rafdb.samples(tmp_path)
    assert (train.id, train.split, train.emotion, train.label) == (
        "rafdb/train_00001",
        "train",
        "sadness",
        "5",
    )
    assert (test.split, test.emotion, test.line) == ("test", "surprise", 2)
    assert (tmp_path / train.path).name == "train_00001_aligned.jpg"
    assert train.status == "ok"
    assert train.subject is None


def test_codes_follow_the_official_order(put, tmp_path):
    lines = [f"train_{code:05d}.jpg {code}" for code in range(1, 8)]
    basic(put, tmp_path / "basic", lines)
    assert [row.emotion for row in rafdb.samples(tmp_path)] == ORDER


def test_official_counts_add_up():
    assert rafdb.PROTOCOL.counts == {"train": 12271, "test": 3068}
    train = [rafdb.CLASS_COUNTS["train"][emotion] for emotion in ORDER]
    assert train == [1290, 281, 717, 4772, 1982, 705, 2524]
    assert [rafdb.CLASS_COUNTS["test"][e] for e in ORDER] == [329, 74, 160, 1185, 478, 162, 680]


def test_annotations_become_words_and_points_belong_to_the_original_only(put, tmp_path):
    root = basic(put, tmp_path / "basic", ["train_00001.jpg 4", "train_00002.jpg 4"])
    (root / "Image/aligned/train_00002_aligned.jpg").unlink()
    put(root, "Image/original/train_00001.jpg")
    put(root, "Image/original/train_00002.jpg")
    points = "10.5\t20\n30 20\n20\t30\n12 40\n28 40\n"
    put(root, "Annotation/manual/train_00001_manu_attri.txt", points + "1\n0\n4\n")
    put(root, "Annotation/manual/train_00002_manu_attri.txt", points + "0\n2\n1\n")
    put(root, "Annotation/boundingbox/train_00002_boundingbox.txt", "5 6 50 60\n")
    aligned, original = rafdb.samples(tmp_path)
    assert aligned.attributes == {"gender": "female", "race": "Caucasian", "age": "70+"}
    assert aligned.given_landmarks is None
    assert aligned.given_box is None
    assert original.path == "basic/Image/original/train_00002.jpg"
    assert original.attributes == {"gender": "male", "race": "Asian", "age": "4-19"}
    assert original.given_landmarks == [10.5, 20, 30, 20, 20, 30, 12, 40, 28, 40]
    assert original.given_box == [5, 6, 50, 60]


def test_rows_never_vanish(put, tmp_path):
    lines = ["train_00001.jpg 5", "train_00001.jpg 4", "train_00002.jpg 9", "train_00003.jpg 1"]
    root = basic(put, tmp_path / "basic", lines)
    (root / "Image/aligned/train_00003_aligned.jpg").unlink()
    put(root, "Image/aligned/test_0009_aligned.jpg")
    rows = list(rafdb.samples(tmp_path))
    assert len({row.id for row in rows}) == 5
    assert [row.status for row in rows] == [
        "ok",
        "ok",
        "unknown_label",
        "unreadable",
        "unknown_label",
    ]
    assert rows[2].emotion is None
    assert rows[2].label == "9"
    assert "not there" in rows[3].reason
    assert (rows[4].path, rows[4].split) == (
        "basic/Image/aligned/test_0009_aligned.jpg",
        "test",
    )


@pytest.mark.parametrize("line", ["train_00002.jpg", "00002.jpg 3", "train_00002.png 3"])
def test_a_broken_line_is_named(put, tmp_path, line):
    basic(put, tmp_path / "basic", ["train_00001.jpg 5", line], aligned=False)
    with pytest.raises(BadRaw, match=r"list_patition_label.txt, line 2: .*restore"):
        list(rafdb.samples(tmp_path))


@pytest.mark.parametrize("text", ["1\t2\n" * 5 + "3\n0\n0\n", "1 2\n" * 4 + "0\n0\n0\n", "x\n" * 8])
def test_broken_annotations_are_named(put, tmp_path, text):
    root = basic(put, tmp_path / "basic", ["train_00001.jpg 5"])
    put(root, "Annotation/manual/train_00001_manu_attri.txt", text)
    with pytest.raises(BadRaw, match=r"train_00001_manu_attri\.txt"):
        list(rafdb.samples(tmp_path))


@pytest.mark.parametrize("place", ["", "DATASET/"])
def test_kaggle_csv_wins_over_the_folder(put, tmp_path, place):
    put(tmp_path, "DATASET/train/5/train_00001_aligned.jpg")
    put(tmp_path, "DATASET/train/4/train_00002_aligned.jpg")
    put(tmp_path, "DATASET/test/1/test_0001_aligned.jpg")
    put(tmp_path, f"{place}train_labels.csv", "image,label\ntrain_00001_aligned.jpg,6\n"
        "train_00009_aligned.jpg,2\n")  # fmt: skip
    put(tmp_path, f"{place}test_labels.csv", "image,label\ntest_0001_aligned.jpg,1\n")
    assert rafdb.recognise(tmp_path) == "kaggle"
    rows = {row.id: row for row in rafdb.samples(tmp_path)}
    assert rows["rafdb/train_00001"].emotion == "anger"
    assert rows["rafdb/train_00001"].attributes == {"folder": "5"}
    assert rows["rafdb/train_00002"].emotion == "happiness"
    assert rows["rafdb/test_0001"].split == "test"
    assert rows["rafdb/train_00009"].status == "unreadable"
    assert len(rows) == 4


@pytest.mark.parametrize(("train", "test"), [("Train", "TEST"), ("training", "testing")])
def test_kaggle_split_folders_in_other_spellings(put, tmp_path, train, test):
    put(tmp_path, f"DATASET/{train}/5/train_00001_aligned.jpg")
    put(tmp_path, f"DATASET/{test}/1/test_0001_aligned.jpg")
    put(tmp_path, "DATASET/train_labels.csv", "image,label\ntrain_00001_aligned.jpg,6\n")
    assert rafdb.recognise(tmp_path) == "kaggle"
    rows = {row.split: row.emotion for row in rafdb.samples(tmp_path)}
    assert rows == {"train": "anger", "test": "surprise"}


def test_kaggle_pictures_never_vanish(put, tmp_path):
    put(tmp_path, "train/5/train_00001_aligned.jpg")
    put(tmp_path, "train/5/more/train_00002_aligned.jpg")
    put(tmp_path, "train/train_00003_aligned.jpg")
    put(tmp_path, "train/train_00004_aligned.jpg")
    (tmp_path / "train/4").mkdir()
    (tmp_path / "train/4/train_00005_aligned.jpg").symlink_to(tmp_path / "gone.jpg")
    lines = ["train_00001_aligned.jpg,5", "train_00001_aligned.jpg,4", "train_00004_aligned.jpg,1"]
    put(tmp_path, "train_labels.csv", "\n".join(["image,label", *lines]) + "\n")
    rows = {row.id: row for row in rafdb.samples(tmp_path)}
    assert {name: (row.emotion, row.status) for name, row in rows.items()} == {
        "rafdb/train_00001": ("sadness", "ok"),
        "rafdb/train_00001#2": ("happiness", "ok"),
        "rafdb/train_00002": ("sadness", "ok"),
        "rafdb/train_00003": (None, "unknown_label"),
        "rafdb/train_00004": ("surprise", "ok"),
        "rafdb/train_00005": ("happiness", "unreadable"),
    }
    assert rows["rafdb/train_00001#2"].line == 3
    assert rows["rafdb/train_00005"].reason == "a link to a file that is not there"


def test_kaggle_csv_without_its_header_is_refused(put, tmp_path):
    put(tmp_path, "DATASET/train/5/train_00001_aligned.jpg")
    put(tmp_path, "train_labels.csv", "train_00001_aligned.jpg,6\n")
    with pytest.raises(BadRaw, match="line 1: no column 'image'"):
        list(rafdb.samples(tmp_path))


def jpeg(value):
    data = io.BytesIO()
    Image.new("RGB", (10, 8), (value, value, value)).save(data, "JPEG")
    return data.getvalue()


def parquet(path, records, names=None):
    table = pa.Table.from_pylist(records)
    if names:
        features = {"label": {"names": names, "_type": "ClassLabel"}}
        meta = {"huggingface": json.dumps({"info": {"features": features}})}
        table = table.replace_schema_metadata(meta)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def test_hugging_face_rows_carry_their_pixels(tmp_path):
    records = [
        {"image": {"bytes": jpeg(200), "path": "train_00001_aligned.jpg"}, "label": 1},
        {"image": {"bytes": b"broken", "path": "train_00002_aligned.jpg"}, "label": 7},
        {"image": {"bytes": jpeg(9), "path": "test_0001_aligned.jpg"}, "label": 8},
        {"image": {"bytes": jpeg(9), "path": None}, "label": None},
    ]
    parquet(tmp_path / "data" / "train-00000-of-00001.parquet", records)
    assert rafdb.recognise(tmp_path) == "huggingface"
    good, broken, unknown, nameless = rafdb.samples(tmp_path)
    assert good.pixels.shape == (8, 10, 3)
    assert good.pixels.dtype == np.uint8
    assert (good.emotion, good.split, good.path) == ("surprise", "train", None)
    assert broken.status == "unreadable"
    assert broken.emotion == "neutral"
    assert broken.pixels is None
    assert (unknown.status, unknown.split) == ("unknown_label", "test")
    assert (nameless.id, nameless.status) == (
        "rafdb/data/train-00000-of-00001/3",
        "uncertain",
    )


def test_hugging_face_class_names_win_over_codes(tmp_path):
    records = [
        {"image": {"bytes": jpeg(1), "path": f"train_0000{k}.jpg"}, "label": k} for k in (0, 1)
    ]
    parquet(tmp_path / "train-00000-of-00001.parquet", records, ["Happy", "7"])
    assert [row.emotion for row in rafdb.samples(tmp_path)] == ["happiness", "neutral"]


def test_a_table_that_is_none_is_refused(put, tmp_path):
    put(tmp_path, "train-00000-of-00001.parquet", "not a table")
    with pytest.raises(BadRaw, match="download it again"):
        list(rafdb.samples(tmp_path))


def test_missing_set_says_where_to_get_it(tmp_path):
    with pytest.raises(MissingData, match=r"whdeld.cn.*EmoLabel"):
        rafdb.recognise(tmp_path)
    with pytest.raises(MissingData):
        rafdb.recognise(tmp_path / "nowhere")


def test_write_sample_is_read_back(portrait, content, tmp_path):
    splits = ["train", "test", "val", "train"]
    portraits = [
        portrait(emotion, f"s{i:03d}", split=split, age=age, gender="male")
        for i, (emotion, split, age) in enumerate(
            zip(["anger", "neutral", "fear", "surprise"], splits, [3, 4, 70, 39], strict=True)
        )
    ]
    rafdb.write_sample(iter(portraits), tmp_path / "a")
    rafdb.write_sample(iter(portraits), tmp_path / "b")
    assert content(tmp_path / "a") == content(tmp_path / "b")
    text = (tmp_path / "a/basic" / LABELS).read_text()
    assert text == "train_00001.jpg 6\ntest_0001.jpg 7\ntrain_00002.jpg 2\ntrain_00003.jpg 1\n"
    rows = list(rafdb.samples(tmp_path / "a"))
    assert [row.emotion for row in rows] == [p.emotion for p in portraits]
    assert [row.attributes["age"] for row in rows] == ["0-3", "4-19", "70+", "20-39"]
    pixels = decode((tmp_path / "a" / rows[0].path).read_bytes())
    assert pixels.shape == (100, 100, 3)
    # The face square fills the aligned picture's middle; red above blue says RGB was kept.
    assert pixels[50, 50, 0] > pixels[50, 50, 2] + 50
    lines = (tmp_path / "a/basic/Annotation/manual/train_00001_manu_attri.txt").read_text()
    assert lines.splitlines()[:2] == ["125.000\t95.000", "175.000\t95.000"]
    # Box and points are the original's: they show once the aligned picture is gone.
    assert rows[0].given_box is None
    (tmp_path / "a" / rows[0].path).unlink()
    original = next(rafdb.samples(tmp_path / "a"))
    assert original.path == "basic/Image/original/train_00001.jpg"
    assert original.given_box == [90, 50, 210, 190]
    assert original.given_landmarks[:2] == [125, 95]


def test_a_broken_box_is_named_even_where_it_is_not_used(put, tmp_path):
    root = basic(put, tmp_path / "basic", ["train_00001.jpg 5"])
    put(root, "Annotation/boundingbox/train_00001_boundingbox.txt", "5 6 50\n")
    with pytest.raises(BadRaw, match=r"train_00001_boundingbox\.txt, line 1: expected 4 numbers"):
        list(rafdb.samples(tmp_path))


def test_write_sample_knows_no_contempt(portrait, tmp_path):
    with pytest.raises(ValueError, match="contempt"):
        rafdb.write_sample([portrait("contempt", split="train")], tmp_path)
