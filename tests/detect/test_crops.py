"""One row of faces per row of samples, whatever is wrong with it."""

import numpy as np
import pyarrow as pa
import pytest

from fer_pipeline import faces, images, manifest, registry
from fer_pipeline.detect import crops
from fer_pipeline.faces import Face


@pytest.fixture(scope="module")
def mtcnn():
    return registry.load("detectors", "mtcnn").load("cpu")


def run(rows, raw, detect, detector="mtcnn", size=112):
    given = pa.Table.from_pylist(rows, schema=manifest.SAMPLES)
    table = crops.table(given, raw, detect, detector, size)
    assert table.schema == manifest.FACES
    assert table["id"].to_pylist() == [each["id"] for each in rows]
    return table.to_pylist()


def fixed(*found):
    """A detector that finds the same faces in every picture."""
    return lambda pictures: [list(found) for _ in pictures]


def face(*box, score=0.9):
    return Face(np.array(box, np.float32), faces.no_landmarks(), score)


def test_a_drawn_face(raw, row, mtcnn, drawn):
    (found,) = run([row("a", path="p0.png", label="4", split="val")], raw, mtcnn)
    assert (found["status"], found["reason"], found["alignment"]) == ("ok", None, "five_points")
    assert (found["faces"], found["detector"], found["score"] > 0.9) == (1, "mtcnn", True)
    assert faces.iou(np.array(found["box"]), drawn[0].box) > 0.5
    assert (found["label"], found["split"], found["emotion"]) == ("4", "val", "fear")
    assert found["attributes"] == [("age", "30")]
    crop = images.decode(found["crop"])
    assert crop.shape == (112, 112, 3)
    # The landmarks found again in the crop lie on the template.
    again = mtcnn([crop])[0][0].landmarks
    np.testing.assert_allclose(again, faces.TEMPLATE, atol=6)


def test_colour_or_gray_is_kept(raw, row):
    rows = [row("a", path="p0.png"), row("b", path="gray.png")]
    found = run(rows, raw, fixed(face(20, 20, 120, 120)), size=64)
    colour, gray = (images.decode(each["crop"]) for each in found)
    assert colour.shape == (64, 64, 3)
    assert gray.shape == (64, 64)
    np.testing.assert_allclose(images.to_gray(colour), gray, atol=2)


def test_embedded_pictures_and_views(raw, row, mtcnn, drawn):
    turned = np.rot90(drawn[0].pixels)
    (raw / "turned.png").write_bytes(images.encode_png(np.ascontiguousarray(turned)))
    rows = [
        row("a", path="p0.png"),
        row("b", image=images.encode_png(drawn[0].pixels)),
        row("c", path="turned.png", view="rot270"),
    ]
    plain, embedded, upright = run(rows, raw, mtcnn)
    assert plain["crop"] == embedded["crop"] == upright["crop"]


def test_frames_of_a_video(raw, row, mtcnn, drawn):
    rows = [row(f"f{i}", path="clip.avi", frame=i) for i in (0, 2, 3, 1)]
    found = run([*rows, row("f9", path="clip.avi", frame=9)], raw, mtcnn)
    for each, i in zip(found, (0, 2, 3, 1), strict=False):
        assert faces.iou(np.array(each["box"]), drawn[i].box) > 0.5
    assert (found[4]["status"], found[4]["faces"]) == ("unreadable", None)
    assert "the video has 6" in found[4]["reason"]


def test_rows_without_a_face_stay(raw, row, mtcnn):
    rows = [
        row("wall", path="wall.png"),
        row("empty", path="empty.jpg"),
        row("gone", path="gone.png"),
        row("before", status="unreadable", reason="row 7 has 3 pixels", emotion=None),
        row("unsure", path="wall.png", status="uncertain", reason="no majority", emotion=None),
        row("odd", path="p1.png", status="unknown_label", reason="label 11", emotion=None),
    ]
    found = {each["id"].split("/")[1]: each for each in run(rows, raw, mtcnn)}
    said = {name: (each["status"], each["reason"], each["faces"]) for name, each in found.items()}
    assert said == {
        "wall": ("no_face", "mtcnn finds no face", 0),
        "empty": ("unreadable", "the file is empty", None),
        "gone": ("unreadable", "cannot be opened: No such file or directory", None),
        "before": ("unreadable", "row 7 has 3 pixels", None),
        "unsure": ("uncertain", "no majority; mtcnn finds no face", 0),
        "odd": ("unknown_label", "label 11", 1),
    }
    for name, each in found.items():
        nothing = {each[column] for column in ("crop", "alignment", "score")} == {None}
        assert nothing == (name != "odd")


def test_of_several_faces_the_largest_and_most_central(raw, row, mtcnn, drawn):
    (found,) = run([row("a", path="group.png")], raw, mtcnn)
    assert found["faces"] == 2
    assert faces.iou(np.array(found["box"]), drawn[0].box) > 0.5


def test_the_set_s_own_box_picks_the_face(raw, row, mtcnn):
    rows = [
        row("right", path="group.png", given_box=[170, 40, 235, 115]),
        row("nowhere", path="group.png", given_box=[262, 2, 278, 12]),
    ]
    right, nowhere = run(rows, raw, mtcnn)
    assert right["box"][0] > 140
    assert (nowhere["status"], nowhere["faces"]) == ("no_face", 2)
    assert nowhere["reason"] == "none of the 2 faces that mtcnn finds overlaps the set's own box"


def test_boxes_are_cut_to_the_picture(raw, row):
    (found,) = run([row("a", path="p0.png")], raw, fixed(face(-9, 20, 90, 188)), size=32)
    assert found["box"] == [0, 20, 90, 140]
    assert found["alignment"] == "box"
    assert np.isnan(found["landmarks"]).all()


def test_precropped_pictures_are_their_own_crop(raw, row, drawn):
    detect = registry.load("detectors", "precropped").load("cpu")
    rows = [row("a", path="p0.png"), row("b", path="gray.png", given_box=[1, 1, 5, 5])]
    colour, gray = run(rows, raw, detect, "precropped")
    np.testing.assert_array_equal(images.decode(colour["crop"]), drawn[0].pixels)
    assert images.decode(gray["crop"]).shape == (140, 140)
    assert (colour["alignment"], colour["faces"], colour["score"]) == ("precropped", 1, 1.0)
    assert colour["box"] == gray["box"] == [0, 0, 140, 140]


def test_a_detector_gets_colour_pictures_in_small_batches(raw, row):
    sizes = []

    def detect(pictures):
        assert all(each.shape[2] == 3 for each in pictures)
        sizes.append(len(pictures))
        return [[] for _ in pictures]

    rows = [row(str(i), path=("gray.png", "empty.jpg", "p0.png")[i % 3]) for i in range(18)]
    run(rows, raw, detect)
    assert sum(sizes) == 12
    assert max(sizes) <= 8
