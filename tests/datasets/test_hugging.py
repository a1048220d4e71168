"""Hugging Face tables however a download or `save_to_disk` lays them, and records of any kind."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fer_pipeline.datasets import affectnet, rafdb
from fer_pipeline.datasets._disk import hugging
from fer_pipeline.errors import BadRaw

NAMES = ["anger", "surprise", "contempt", "happy", "neutral", "fear", "sad", "disgust"]


def png(value: int = 250) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (5, 4), (value, 0, 0)).save(data, "PNG")
    return data.getvalue()


def record(label, picture: bytes | None = None, name: str | None = None):
    return {"image": {"bytes": picture or png(), "path": name}, "label": label}


def write(path: Path, records, names=None, batch=1000) -> Path:
    table = pa.Table.from_pylist(records)
    if names:
        features = {"label": {"names": names, "_type": "ClassLabel"}}
        meta = {"huggingface": json.dumps({"info": {"features": features}})}
        table = table.replace_schema_metadata(meta)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=batch)
    return path


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-00000-of-00001.parquet", "train"),
        ("data/validation-00000-of-00002.parquet", "val"),
        ("default/test/0000.parquet", "test"),
        ("test/data-00000-of-00001.arrow", "test"),
        ("raf-db-test.arrow", "test"),
        ("train/fer-test.arrow", "test"),
        ("default/partial-train/0000.parquet", "train"),
        ("Valid/0000.parquet", "val"),
        ("contest.parquet", None),
    ],
)
def test_the_split_is_that_of_the_name_then_of_the_folders(tmp_path, name, split):
    assert hugging.split_of(tmp_path / name, tmp_path) == split


@pytest.mark.parametrize(
    "files",
    [
        ("train/data-00000-of-00001.arrow", "test/data-00000-of-00001.arrow"),
        ("default/train/0000.parquet", "default/test/0000.parquet"),
        ("raf-db-train.arrow", "raf-db-test.arrow"),
        ("raf/0.0.0/hash/raf-db-train.arrow", "raf/0.0.0/hash/raf-db-test.arrow"),
    ],
)
def test_every_split_of_rafdb_is_read(tmp_path, files):
    for file, count in zip(files, (3, 2), strict=True):
        write(tmp_path / file, [record(1)] * count)
    assert rafdb.recognise(tmp_path) == "huggingface"
    rows = list(rafdb.samples(tmp_path))
    assert sorted(row.split for row in rows) == ["test"] * 2 + ["train"] * 3
    assert len({row.id for row in rows}) == 5


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (("train/0.parquet", "validation/0.parquet"), ["train", "test"]),
        (("train/0.parquet", "valid/0.parquet", "test/0.parquet"), ["test", "train", "val"]),
        (("faces.arrow",), ["train"]),
        (("affectnet-validation.arrow",), ["test"]),
    ],
)
def test_the_validation_table_of_affectnet_is_the_test_unless_there_is_one(tmp_path, files, splits):
    for file in files:
        write(tmp_path / file, [record(3)], NAMES)
    assert affectnet.recognise(tmp_path) == "huggingface"
    assert sorted(row.split for row in affectnet.samples(tmp_path)) == sorted(splits)


@pytest.mark.parametrize("files", [("a.parquet", "b.parquet"), ("train.parquet", "b.parquet")])
def test_tables_without_a_split_are_refused(tmp_path, files):
    for file in files:
        write(tmp_path / file, [record(1)], NAMES)
    for module in (affectnet, rafdb):
        with pytest.raises(BadRaw, match=r"[ab]\.parquet, row 0: .* tells the split"):
            list(module.samples(tmp_path))


def test_a_lone_table_of_rafdb_needs_a_split_too(tmp_path):
    write(tmp_path / "faces.parquet", [record(1, name="test_0001.jpg"), record(1, name="x.jpg")])
    with pytest.raises(BadRaw, match=r"faces\.parquet, row 1: .* tells the split"):
        list(rafdb.samples(tmp_path))


def test_tables_do_not_hide_another_layout(put, tmp_path):
    write(tmp_path / "cache" / "train.parquet", [record(1)])
    put(tmp_path, "raf/basic/EmoLabel/list_patition_label.txt", "train_00001.jpg 5\n")
    assert rafdb.recognise(tmp_path) == "basic"


def test_a_record_without_a_picture_is_a_row(tmp_path):
    records = [record(1), {"image": None, "label": 2}]
    records.append({"image": {"bytes": None, "path": "a.jpg"}, "label": 3})
    write(tmp_path / "train.parquet", records)
    rows = list(rafdb.samples(tmp_path))
    assert [row.status for row in rows] == ["ok", "unreadable", "unreadable"]
    assert {row.reason for row in rows[1:]} == {"the table holds no picture for it"}
    assert [row.emotion for row in rows] == ["surprise", "fear", "disgust"]


def test_pictures_may_be_bare_bytes(tmp_path):
    write(tmp_path / "test.parquet", [{"image": png(7), "label": 4}])
    (row,) = rafdb.samples(tmp_path)
    assert (row.status, row.emotion, row.split) == ("ok", "happiness", "test")
    assert row.pixels[0, 0].tolist() == [7, 0, 0]


def test_pictures_of_another_kind_are_refused(tmp_path):
    write(tmp_path / "test.parquet", [{"image": 5, "label": 4}])
    with pytest.raises(BadRaw, match="row 0: its image is no picture but 5"):
        list(rafdb.samples(tmp_path))


@pytest.mark.parametrize("module", [rafdb, affectnet])
def test_labels_may_be_words(tmp_path, module):
    words = ["happy", " Sad ", "contempt", "boredom", None]
    write(tmp_path / "train.parquet", [record(word) for word in words])
    rows = list(module.samples(tmp_path))
    assert [row.emotion for row in rows] == ["happiness", "sadness", "contempt", None, None]
    assert [row.status for row in rows[3:]] == ["unknown_label", "uncertain"]


def test_labels_may_be_floats_and_digits(tmp_path):
    write(tmp_path / "train.parquet", [record(4.0), record(7.0)])
    assert [row.emotion for row in rafdb.samples(tmp_path)] == ["happiness", "neutral"]
    write(tmp_path / "train.parquet", [record("4"), record("9")])
    rows = list(rafdb.samples(tmp_path))
    assert [(row.label, row.emotion) for row in rows] == [("4", "happiness"), ("9", None)]
    with pytest.raises(BadRaw, match="does not name the classes"):
        list(affectnet.samples(tmp_path))


def test_a_label_beyond_the_names_is_refused(tmp_path):
    write(tmp_path / "train.parquet", [record(8)], NAMES)
    with pytest.raises(BadRaw, match="row 0: label 8, but the schema names 8 classes"):
        list(affectnet.samples(tmp_path))


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"info": {"features": {"label": {"names": {"a": 1}}}}}']
)
def test_damaged_metadata_is_refused(tmp_path, text):
    table = pa.Table.from_pylist([record(1)]).replace_schema_metadata({"huggingface": text})
    pq.write_table(table, tmp_path / "train.parquet")
    with pytest.raises(BadRaw, match=r"train\.parquet: damaged Hugging Face metadata"):
        list(rafdb.samples(tmp_path))


def noise(count: int):
    """Records whose pictures do not compress, so that a cut hits the data."""
    return [record(1, bytes([i]) + png(i) * 40) for i in range(count)]


def test_a_truncated_arrow_file_is_named(tmp_path):
    path = write(tmp_path / "train.arrow", noise(200), batch=50)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(BadRaw, match=r"train\.arrow: damaged after row \d+ .*download it again"):
        list(rafdb.samples(tmp_path))


def test_a_damaged_parquet_page_is_named(tmp_path):
    path = write(tmp_path / "train.parquet", noise(200))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[4:middle] = bytes(b ^ 0x5A for b in data[4:middle])
    path.write_bytes(bytes(data))
    with pytest.raises(BadRaw, match=r"train\.parquet: damaged after row 0 .*"):
        list(rafdb.samples(tmp_path))


@pytest.mark.parametrize("name", ["train.arrow", "train.parquet"])
@pytest.mark.parametrize("data", [b"", b"no table"])
def test_a_file_that_is_no_table_is_named(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadRaw, match=rf"{name} cannot be read"):
        list(rafdb.samples(tmp_path))
