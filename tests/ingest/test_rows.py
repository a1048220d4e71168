"""Samples become complete rows; none is lost."""

import io

import numpy as np
import pytest
from PIL import Image

from fer_pipeline import images, manifest
from fer_pipeline.errors import BadRaw
from fer_pipeline.ingest.rows import rows
from fer_pipeline.manifest import NO_FACE, OK, SAMPLES, UNCERTAIN, UNREADABLE, Sample

GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


def jpeg(**options) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.zeros((40, 80, 3), np.uint8)).save(data, "JPEG", **options)
    return data.getvalue()


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg(exif=exif)


def test_columns_are_exactly_those_of_the_schema(tmp_path):
    (row,) = rows("x", [Sample("x/1", "0", "anger", pixels=GRAY)], tmp_path)
    manifest.check(row.keys(), SAMPLES, "row")
    assert (row["dataset"], row["width"], row["height"], row["status"]) == ("x", 4, 3, OK)
    assert row["pixel_hash"] == images.pixel_hash(GRAY)
    np.testing.assert_array_equal(images.decode(row["image"]), GRAY)


def test_every_field_of_a_sample_reaches_its_column(tmp_path):
    given = {
        "id": "x/1",
        "label": "7",
        "emotion": "fear",
        "split": "val",
        "subject": "s1",
        "sequence": "s1_001",
        "frame": 3,
        "phase": "apex",
        "line": 9,
        "votes": [1.0] * 8,
        "valence": 0.5,
        "arousal": -0.5,
        "intensity": 0.25,
        "given_box": [1.0, 2.0, 3.0, 4.0],
        "given_landmarks": [5.0, 6.0],
        "attributes": {"AU12": "3", "age": "30"},
        "status": UNCERTAIN,
        "reason": "why",
    }
    found = list(rows("x", [Sample(**given, pixels=GRAY)], tmp_path))
    row = manifest.to_table(found, SAMPLES, "x").to_pylist()[0]
    row["attributes"] = dict(row["attributes"])
    assert {name: row[name] for name in given} == given


def test_files_are_not_embedded(tmp_path):
    (tmp_path / "a.png").write_bytes(images.encode_png(GRAY))
    (tmp_path / "a.bmp").write_bytes(images.encode_png(GRAY))
    found = [Sample(f"x/{n}", "0", "anger", path=n) for n in ("a.png", "a.bmp")]
    first, second = rows("x", found, tmp_path)
    assert (first["image"], first["path"]) == (None, "a.png")
    # Whatever the name says, the content is read; equal pictures have equal hashes.
    assert first["pixel_hash"] == second["pixel_hash"] == images.pixel_hash(GRAY)


def test_size_is_that_of_the_upright_picture(tmp_path):
    (tmp_path / "r.jpg").write_bytes(rotated())
    (row,) = rows("x", [Sample("x/1", "0", "anger", path="r.jpg")], tmp_path)
    assert (row["width"], row["height"]) == (40, 80)


def test_unreadable_pictures_keep_their_rows_and_say_why(tmp_path):
    broken = {
        "empty.jpg": (b"", "empty"),
        "cut.jpg": (jpeg()[:-200], "truncated"),
        "text.png": (b"hello", "cannot identify"),
        "gone.png": (None, "no such file"),
    }
    found = [Sample("x/ok", "0", "anger", pixels=GRAY)]
    for name, (data, _) in broken.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
        found.append(Sample(f"x/{name}", "0", "anger", path=name))
    first, *rest = rows("x", found, tmp_path)
    assert first["status"] == OK
    for row, (name, (_, reason)) in zip(rest, broken.items(), strict=True):
        assert (row["id"], row["status"], row["emotion"]) == (f"x/{name}", UNREADABLE, "anger")
        assert reason in row["reason"].lower()
        assert row["width"] is row["height"] is row["pixel_hash"] is row["image"] is None


def test_status_of_the_reader_is_kept_unless_the_picture_cannot_be_read(tmp_path):
    found = [
        Sample("x/1", None, None, status=NO_FACE, reason="votes", pixels=GRAY),
        Sample("x/2", None, None, status=UNCERTAIN, reason="votes", path="gone.png"),
        Sample("x/3", "0", "anger", status=UNREADABLE, reason="overwritten"),
    ]
    assert [(row["status"], row["reason"]) for row in rows("x", found, tmp_path)] == [
        (NO_FACE, "votes"),
        (UNREADABLE, "cannot be opened: No such file or directory"),
        (UNREADABLE, "overwritten"),
    ]


def test_one_id_twice_names_both_places(tmp_path):
    found = [
        Sample("x/1", "0", "anger", path="a/1.png", line=3),
        Sample("x/2", "0", "anger", path="a/2.png"),
        Sample("x/1", "0", "anger", path="b/1.png", frame=7),
    ]
    with pytest.raises(BadRaw, match=r"a/1\.png, row 3 and b/1\.png, frame 7 both have .* 'x/1'"):
        list(rows("x", found, tmp_path))


def test_rows_stream(tmp_path):
    """The first row comes before the second sample is asked for."""

    def endless():
        yield Sample("x/1", "0", "anger", pixels=GRAY)
        pytest.fail("asked for more than was needed")

    assert next(rows("x", endless(), tmp_path))["id"] == "x/1"
