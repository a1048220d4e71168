"""AffectNet: every form in which it is handed around, and the traps of each."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fer_pipeline.datasets import affectnet
from fer_pipeline.errors import BadRaw, MissingData

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)
MANUAL = "Manually_Annotated_file_lists"
PICTURES = "Manually_Annotated/Manually_Annotated_Images"
POINTS = ";".join(str(value / 2) for value in range(136))
ORDER = ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"]


def line(name="1/a.jpg", box="10,20,30,40", points=POINTS, code=1, affect="0.5,-0.25"):
    return f"{name},{box},{points},{code},{affect}"


def lists(put, root, training, validation=(), header=True):
    top = [HEADER] if header else []
    put(root, f"{MANUAL}/training.csv", "\n".join([HEADER, *training]) + "\n")
    put(root, f"{MANUAL}/validation.csv", "\n".join([*top, *validation]) + "\n")
    for text in (*training, *validation):
        put(root, f"{PICTURES}/{text.split(',')[0]}")
    return root


@pytest.mark.parametrize("header", [True, False])
def test_lists_with_and_without_a_header(put, tmp_path, header):
    lists(put, tmp_path / "AffectNet", [line()], [line("2/b.jpg", code=6)], header)
    assert affectnet.recognise(tmp_path) == "lists"
    train, test = affectnet.samples(tmp_path)
    assert (train.split, train.emotion, train.label, train.line) == ("train", "happiness", "1", 2)
    assert (test.split, test.emotion, test.line) == ("test", "anger", 2 if header else 1)
    assert train.path == f"AffectNet/{PICTURES}/1/a.jpg"
    # x, y, width, height become corners, without swapping the axes.
    assert train.given_box == [10, 20, 40, 60]
    assert train.given_landmarks[:3] == [0, 0.5, 1]
    assert len(train.given_landmarks) == 136
    assert (train.valence, train.arousal) == (0.5, -0.25)
    assert train.subject is None


def test_all_codes(put, tmp_path):
    lists(put, tmp_path, [line(f"1/{code}.jpg", code=code) for code in range(12)])
    rows = list(affectnet.samples(tmp_path))
    assert [row.emotion for row in rows] == [*ORDER, None, None, None, None]
    assert [row.status for row in rows] == [*["ok"] * 8, *["uncertain"] * 3, "unknown_label"]


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ("NULL,NULL,NULL,NULL", "face_x is NULL"),
        ("NULL,5,30,40", "face_x is NULL"),
        ("10,20,-30,40", "10 20 -30 40 is no box"),
        ("10,20,0,0", "10 20 0 0 is no box"),
    ],
)
def test_a_box_that_is_none_keeps_its_row(put, tmp_path, box, reason):
    lists(put, tmp_path, [line(box=box)])
    (row,) = affectnet.samples(tmp_path)
    assert row.given_box is None
    assert row.attributes == {"given_box": reason}
    assert (row.status, row.emotion) == ("ok", "happiness")


def test_other_gaps(put, tmp_path):
    texts = [
        line("1/a.jpg", affect="-2,-2", code=9),
        line("1/b.jpg", points="NULL"),
        line("1/c.jpg", points="1;2;3"),
        line("1/a.jpg"),
        line("1/gone.jpg"),
    ]
    lists(put, tmp_path, texts)
    (tmp_path / PICTURES / "1/gone.jpg").unlink()
    rows = list(affectnet.samples(tmp_path))
    assert (rows[0].valence, rows[0].arousal, rows[0].status) == (None, None, "uncertain")
    assert rows[1].attributes == {"given_landmarks": "facial_landmarks is NULL"}
    assert rows[2].attributes == {"given_landmarks": "3 numbers, not 136"}
    assert rows[3].id != rows[0].id
    assert (rows[4].status, rows[4].emotion) == ("unreadable", "happiness")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (line(affect="high,0"), "line 2: valence or arousal is 'high'"),
        (line(box="a,b,c,d"), "line 2: face_x is 'a'"),
        (line(points="a;b"), "line 2: facial_landmarks"),
        ("1/a.jpg,1,2,3", "line 2: 4 values, not 9"),
    ],
)
def test_broken_lines_are_named(put, tmp_path, text, said):
    lists(put, tmp_path, [text])
    with pytest.raises(BadRaw, match=said):
        list(affectnet.samples(tmp_path))


def test_a_header_without_a_column_is_refused(put, tmp_path):
    lists(put, tmp_path, [])
    put(tmp_path, f"{MANUAL}/training.csv", HEADER.replace(",arousal", "") + "\n")
    with pytest.raises(BadRaw, match="line 1: no column 'arousal'"):
        list(affectnet.samples(tmp_path))


@pytest.mark.parametrize("beside", [True, False])
def test_automatic_labels_count_only_alone(put, tmp_path, beside):
    if beside:
        lists(put, tmp_path, [line()])
    put(
        tmp_path,
        "Automatically_Annotated_file_lists/automatically_annotated.csv",
        f"{HEADER}\n{line('9/z.jpg', code=2)}\n",
    )
    put(tmp_path, "Automatically_Annotated/Automatically_Annotated_Images/9/z.jpg")
    row = list(affectnet.samples(tmp_path))[-1]
    assert row.attributes["annotator"] == "automatic"
    assert (row.label, row.split) == ("2", "train")
    assert (row.emotion, row.status) == ((None, "uncertain") if beside else ("sadness", "ok"))


def annotate(root, stem, **values):
    for name, value in values.items():
        path = root / "annotations" / f"{stem}_{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.array(value))


def test_npy(put, tmp_path):
    train, test = tmp_path / "train_set", tmp_path / "val_set"
    for stem in ("2", "10"):
        put(train, f"images/{stem}.jpg")
    put(test, "images/0.jpg")
    points = np.arange(136) / 4
    annotate(train, "2", exp="7", val="0.25", aro="-0.5", lnd=points.astype(str))
    annotate(train, "10", exp="8", val="-2", aro="-2")
    annotate(train, "11", exp="1", val="0.1", aro="0.1")
    annotate(test, "0", exp=3, val=0.5, aro=0.5, lnd=points)
    assert affectnet.recognise(tmp_path) == "npy"
    rows = list(affectnet.samples(tmp_path))
    assert [row.id for row in rows] == [
        "affectnet/train_set/2",
        "affectnet/train_set/10",
        "affectnet/train_set/11",
        "affectnet/val_set/0",
    ]
    assert [row.emotion for row in rows] == ["contempt", None, "happiness", "surprise"]
    assert [row.split for row in rows] == ["train", "train", "train", "test"]
    assert [row.status for row in rows] == ["ok", "uncertain", "unreadable", "ok"]
    assert (rows[0].valence, rows[0].arousal) == (0.25, -0.5)
    assert (rows[1].valence, rows[1].arousal) == (None, None)
    assert rows[0].given_landmarks == points.tolist() == rows[3].given_landmarks


def test_npy_without_an_annotation_stays(put, tmp_path):
    put(tmp_path, "train_set/images/5.jpg")
    (tmp_path / "train_set/annotations").mkdir()
    (row,) = affectnet.samples(tmp_path)
    assert (row.status, row.emotion) == ("uncertain", None)


def test_broken_npy_is_named(put, tmp_path):
    put(tmp_path, "train_set/images/5.jpg")
    put(tmp_path, "train_set/annotations/5_exp.npy", "broken")
    with pytest.raises(BadRaw, match=r"5_exp\.npy"):
        list(affectnet.samples(tmp_path))
    annotate(tmp_path / "train_set", "5", exp="1", lnd=np.arange(10.0))
    with pytest.raises(BadRaw, match=r"5_lnd.npy: not 136"):
        list(affectnet.samples(tmp_path))


def test_kaggle_csv_wins_over_the_folder(put, tmp_path):
    put(tmp_path, "Train/anger/image0000006.jpg")
    put(tmp_path, "Train/happy/image0000007.jpg")
    put(tmp_path, "Test/Contempt/image0000001.jpg")
    put(tmp_path, "Test/anger/image0000006.jpg")
    rows = [
        ",pth,label,relFCs",
        "0,anger/image0000006.jpg,surprise,0.87",
        "1,contempt/image0000001.jpg,contempt,0.5",
        "2,fear/image0000099.jpg,fear,0.5",
    ]
    put(tmp_path, "labels.csv", "\n".join(rows) + "\n")
    assert affectnet.recognise(tmp_path) == "kaggle"
    found = {row.id: row for row in affectnet.samples(tmp_path)}
    train = found["affectnet/Train/anger/image0000006"]
    assert (train.emotion, train.split, train.line) == ("surprise", "train", 2)
    assert train.attributes == {"relFCs": "0.87", "folder": "anger"}
    assert found["affectnet/Test/anger/image0000006"].emotion == "surprise"
    test = found["affectnet/Test/Contempt/image0000001"]
    assert (test.emotion, test.split, test.attributes) == ("contempt", "test", {"relFCs": "0.5"})
    unlisted = found["affectnet/Train/happy/image0000007"]
    assert (unlisted.emotion, unlisted.line) == ("happiness", None)
    assert found["affectnet/labels.csv/4"].status == "unreadable"
    assert len(found) == 5


def test_kaggle_without_split_folders_is_training(put, tmp_path):
    put(tmp_path, "archive/sad/image0000001.jpg")
    put(tmp_path, "archive/labels.csv", ",pth,label,relFCs\n0,sad/image0000001.jpg,sad,0.9\n")
    (row,) = affectnet.samples(tmp_path)
    assert (row.split, row.emotion) == ("train", "sadness")


YAML = """train: ../train/images
nc: 8
names: ['Anger', 'Contempt', 'Disgust', 'Fear', 'Happy', 'Neutral', 'Sad', 'Surprise']
"""


def yolo(put, root, part, stem, text):
    put(root, f"YOLO_format/{part}/images/{stem}.png", size=(96, 96))
    if text is not None:
        put(root, f"YOLO_format/{part}/labels/{stem}.txt", text)


def test_yolo_ids_are_those_of_data_yaml(put, tmp_path):
    put(tmp_path, "YOLO_format/data.yaml", YAML)
    for code in range(8):
        yolo(put, tmp_path, "train", f"im{code}", f"{code} 0.5 0.5 0.5 1.0\n")
    yolo(put, tmp_path, "valid", "a", "4 0.25 0.5 0.5 0.5\n")
    yolo(put, tmp_path, "test", "b", "4 0.5 0.5 1 1\n5 0.5 0.5 1 1\n")
    yolo(put, tmp_path, "test", "c", None)
    assert affectnet.recognise(tmp_path) == "yolo"
    rows = list(affectnet.samples(tmp_path))
    assert [row.emotion for row in rows[:8]] == [
        "anger",
        "contempt",
        "disgust",
        "fear",
        "happiness",
        "neutral",
        "sadness",
        "surprise",
    ]
    assert rows[0].given_box == [24, 0, 72, 96]
    assert (rows[8].split, rows[8].given_box) == ("val", [0, 24, 48, 72])
    assert (rows[9].split, rows[9].status) == ("test", "uncertain")
    assert rows[9].reason == "labelled happy, neutral"
    assert (rows[10].status, rows[10].emotion) == ("uncertain", None)


def test_yolo_names_as_a_mapping_and_in_another_order(put, tmp_path):
    put(tmp_path, "data.yaml", "names: {1: Happy, 0: Sad}\n")
    put(tmp_path, "train/images/a.png")
    put(tmp_path, "train/labels/a.txt", "0 0.5 0.5 1 1\n")
    (row,) = affectnet.samples(tmp_path)
    assert row.emotion == "sadness"


@pytest.mark.parametrize(
    ("yaml", "text", "said"),
    [
        ("nc: 8\n", "0 0.5 0.5 1 1", "data.yaml has no list 'names'"),
        (YAML, "0 0.5 0.5 1", r"a.txt, line 1: expected 5 numbers"),
        (YAML, "8 0.5 0.5 1 1", r"a.txt, line 1: class 8"),
    ],
)
def test_broken_yolo_is_named(put, tmp_path, yaml, text, said):
    put(tmp_path, "YOLO_format/data.yaml", yaml)
    yolo(put, tmp_path, "train", "a", text)
    with pytest.raises(BadRaw, match=said):
        list(affectnet.samples(tmp_path))


NAMES = ["anger", "surprise", "contempt", "happy", "neutral", "fear", "sad", "disgust"]


def table(names):
    data = io.BytesIO()
    Image.new("RGB", (5, 4), (250, 0, 0)).save(data, "PNG")
    image = {"bytes": data.getvalue(), "path": None}
    records = [{"image": image, "label": code} for code in range(8)]
    found = pa.Table.from_pylist(records)
    features = {"label": {"names": names, "_type": "ClassLabel"}}
    meta = {"huggingface": json.dumps({"info": {"features": features}})}
    return found.replace_schema_metadata(meta) if names else found


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_hugging_face_names_come_from_the_schema(tmp_path, suffix):
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / f"train-00000-of-00001.{suffix}"
    if suffix == "parquet":
        pq.write_table(table(NAMES), path)
    else:
        found = table(NAMES)
        with pa.ipc.new_stream(path, found.schema) as writer:
            writer.write_table(found)
    assert affectnet.recognise(tmp_path) == "huggingface"
    rows = list(affectnet.samples(tmp_path))
    assert [row.label for row in rows] == NAMES
    assert [row.emotion for row in rows][:4] == ["anger", "surprise", "contempt", "happiness"]
    assert {row.split for row in rows} == {"train"}
    np.testing.assert_array_equal(rows[0].pixels, np.full((4, 5, 3), (250, 0, 0), np.uint8))
    assert len({row.id for row in rows}) == 8


def test_hugging_face_numbers_without_names_are_refused(tmp_path):
    pq.write_table(table(None), tmp_path / "train.parquet")
    with pytest.raises(BadRaw, match="does not name the classes"):
        list(affectnet.samples(tmp_path))


@pytest.mark.parametrize("has_test", [True, False])
def test_coded_folders(put, tmp_path, has_test):
    for code in range(8):
        put(tmp_path, f"train/{code}/a{code}.jpg")
    put(tmp_path, "val/3/b.jpg")
    if has_test:
        put(tmp_path, "test/4/c.jpg")
    assert affectnet.recognise(tmp_path) == "coded"
    rows = list(affectnet.samples(tmp_path))
    assert [row.emotion for row in rows[:8]] == ORDER
    assert (rows[8].split, rows[8].emotion) == ("val" if has_test else "test", "surprise")
    assert [row.split for row in rows[9:]] == (["test"] if has_test else [])


def test_missing_set_says_where_to_get_it(tmp_path):
    with pytest.raises(MissingData, match="mohammadmahoor"):
        affectnet.recognise(tmp_path)


def test_write_sample_is_read_back(portrait, content, tmp_path):
    splits = ["train", "val", "test", "train", "test", "train", "test", "train"]
    portraits = [
        portrait(emotion, "s001", split=split) for emotion, split in zip(ORDER, splits, strict=True)
    ]
    affectnet.write_sample(iter(portraits), tmp_path / "a")
    affectnet.write_sample(iter(portraits), tmp_path / "b")
    files = content(tmp_path / "a")
    assert files == content(tmp_path / "b")
    text = files[f"{MANUAL}/validation.csv"].decode().splitlines()
    assert text[0] == HEADER
    assert len(text) == 4
    rows = list(affectnet.samples(tmp_path / "a"))
    train = [p.emotion for p in portraits if p.split != "test"]
    assert [row.emotion for row in rows if row.split == "train"] == train
    assert [row.emotion for row in rows if row.split == "test"] == ["sadness", "fear", "anger"]
    assert rows[0].given_box == [90, 50, 210, 190]
    assert rows[0].given_landmarks[60:62] == [150, 125]
    assert (rows[0].valence, rows[0].arousal) == (0.25, -0.5)
    assert all(row.status == "ok" for row in rows)
