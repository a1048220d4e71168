"""Faces cut by their box alone."""

import cv2
import numpy as np
import pytest

from fer_pipeline import faces, images, manifest
from fer_pipeline.ablate import unaligned
from fer_pipeline.errors import BadManifest
from fer_pipeline.faces import Face


@pytest.fixture
def source(tmp_path):
    """Three rows: a tilted face, one without a crop, and the picture files of both."""
    picture = np.random.default_rng(0).integers(0, 256, (80, 100, 3), dtype=np.uint8)
    (tmp_path / "raw").mkdir()
    cv2.imwrite(str(tmp_path / "raw" / "a.png"), picture[:, :, ::-1])
    box = np.array([20, 10, 70, 60], np.float32)
    points = np.array([[30, 35], [58, 25], [45, 40], [38, 52], [58, 45]], np.float32)
    crop, alignment = faces.align(picture, Face(box, points, 0.9), 64)
    rows = []
    for number, seen in enumerate((True, False)):
        row = dict.fromkeys(manifest.FACES.names)
        row |= {"id": f"rafdb/{number}", "dataset": "rafdb", "path": "a.png", "attributes": {}}
        row |= {"status": manifest.OK if seen else manifest.NO_FACE}
        if seen:
            row |= {"box": box, "landmarks": points.ravel(), "score": 0.9, "alignment": alignment}
            row["crop"] = images.encode_png(crop)
        rows.append(row)
    path = tmp_path / "faces.parquet"
    with manifest.writing(path, manifest.FACES) as writer:
        for row in rows:
            writer.add(row)
    return path, tmp_path / "raw", picture, box


def test_only_the_crops_are_others(source, tmp_path):
    path, raw, picture, box = source
    made = unaligned.table(path, raw, 64, tmp_path / "runs")
    before = manifest.read(path, manifest.FACES)
    after = manifest.read(made, manifest.FACES)
    names = [name for name in manifest.FACES.names if name != "crop"]
    assert after.select(names) == before.select(names)
    crops = after["crop"].to_pylist()
    assert crops[1] is None
    expected, kind = faces.align(picture, Face(box, faces.no_landmarks(), 0.9), 64)
    assert kind == faces.BOX
    np.testing.assert_array_equal(images.decode_png(crops[0]), expected)
    assert crops[0] != before["crop"].to_pylist()[0]


def test_it_is_made_once(source, tmp_path):
    path, raw, *_ = source
    made = unaligned.table(path, raw, 64, tmp_path / "runs")
    stamp = made.stat().st_mtime_ns
    assert unaligned.table(path, raw, 64, tmp_path / "runs") == made
    assert made.stat().st_mtime_ns == stamp


def test_a_picture_that_is_gone_is_said(source, tmp_path):
    path, raw, *_ = source
    (raw / "a.png").unlink()
    with pytest.raises(BadManifest, match="rafdb/0 cannot be read"):
        unaligned.table(path, raw, 64, tmp_path / "runs")
    assert not list((tmp_path / "runs").glob("*.parquet"))


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([("a.png", "five_points"), ("b.png", "box"), ("c.png", None)], ""),
        ([(None, None), ("a.png", "eyes")], ""),
        ([("a.png", "precropped"), (None, "precropped")], "come as crops"),
        ([("a.png", "box"), ("b.png", None)], "cut by their boxes as it is"),
        ([(None, "five_points"), ("b.png", "eyes")], "1 of its rows have no picture file"),
    ],
)
def test_what_hinders_it_is_in_the_table(tmp_path, rows, why):
    path = tmp_path / "faces.parquet"
    with manifest.writing(path, manifest.FACES) as writer:
        for number, (picture, alignment) in enumerate(rows):
            row = dict.fromkeys(manifest.FACES.names)
            row |= {"id": f"rafdb/{number}", "dataset": "rafdb", "attributes": {}}
            row |= {"status": manifest.OK, "path": picture, "alignment": alignment}
            writer.add(row)
    found = unaligned.hindrance(path)
    assert (why in found) if why else found == ""
