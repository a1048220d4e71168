"""Faults counted out again from the files, with code that did not plant them."""

import io

import numpy as np
import pytest
from PIL import Image

from fer_pipeline import images, registry
from fer_pipeline.errors import BadImage, BadParams
from fer_pipeline.sample import faults
from fer_pipeline.sample.casting import plan
from fer_pipeline.sample.generate import portraits
from fer_pipeline.sample.looks import LOOKS
from fer_pipeline.sample.params import Faults

COUNTS = Faults()


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    """Lays a small sample of a set out, plants the faults, and gives folder, census and rows."""
    made = {}

    def get(name):
        if name not in made:
            raw = tmp_path_factory.mktemp(name)
            look = LOOKS[name]
            dataset = registry.load("datasets", name)
            faces = list(portraits(plan(look, 7, 0.12 if look.splits else 0.2), 1, name))
            dataset.write_sample(faces, raw)
            census = faults.plant(name, raw, COUNTS, faults.seed_of(look.people, 7))
            made[name] = raw, census, {row.id: row for row in dataset.samples(raw)}
        return made[name]

    return get


def pixels(raw, row):
    return row.pixels if row.pixels is not None else images.decode((raw / row.path).read_bytes())


def pairs(ids):
    return list(zip(ids[::2], ids[1::2], strict=True))


@pytest.mark.parametrize("name", ["fer2013", "ferplus", "rafdb", "affectnet", "jaffe"])
def test_the_census_has_the_numbers_asked_for(laid_out, name):
    _, census, rows = laid_out(name)
    for kind, ids in census.items():
        assert len(ids) == getattr(COUNTS, kind) * (2 if kind in ("duplicate", "conflict") else 1)
        assert set(ids) <= set(rows)
    struck = [id_ for ids in census.values() for id_ in ids]
    assert len(struck) == len(set(struck)), "no picture has two faults"


@pytest.mark.parametrize("name", ["fer2013", "ferplus", "rafdb", "affectnet"])
def test_duplicates_lie_in_train_and_test_under_one_label(laid_out, name):
    raw, census, rows = laid_out(name)
    for source, target in pairs(census["duplicate"]):
        one, two = rows[source], rows[target]
        assert one.split == "train"
        assert two.split != "train"
        assert one.emotion == two.emotion
        assert np.array_equal(pixels(raw, one), pixels(raw, two))


@pytest.mark.parametrize("name", ["fer2013", "ferplus", "rafdb", "affectnet"])
def test_conflicts_are_one_picture_under_two_labels(laid_out, name):
    raw, census, rows = laid_out(name)
    for source, target in pairs(census["conflict"]):
        one, two = rows[source], rows[target]
        assert one.split == two.split == "train"
        assert one.emotion != two.emotion
        assert np.array_equal(pixels(raw, one), pixels(raw, two))


@pytest.mark.parametrize("name", ["fer2013", "ferplus"])
def test_no_other_rows_repeat(laid_out, name):
    raw, census, rows = laid_out(name)
    hashes = [images.pixel_hash(pixels(raw, row)) for row in rows.values()]
    planted = COUNTS.duplicate + COUNTS.conflict
    constant = {images.pixel_hash(pixels(raw, rows[id_])) for id_ in census["constant"]}
    alike = COUNTS.constant - len(constant)
    assert len(hashes) - len(set(hashes)) == planted + alike


def test_fer2013_and_ferplus_are_struck_in_the_same_rows(laid_out):
    fer, plus = laid_out("fer2013")[1], laid_out("ferplus")[1]
    for kind in ("duplicate", "conflict", "constant"):
        assert [id_.split("/")[1] for id_ in fer[kind]] == [id_.split("/")[1] for id_ in plus[kind]]


@pytest.mark.parametrize("name", ["fer2013", "ferplus"])
def test_constant_pictures_are_no_faces_to_the_raters(laid_out, name):
    raw, census, rows = laid_out(name)
    for id_ in census["constant"]:
        assert np.ptp(pixels(raw, rows[id_])) == 0
        assert rows[id_].status == ("no_face" if name == "ferplus" else "ok")


@pytest.mark.parametrize("name", ["fer2013", "rafdb", "affectnet"])
def test_unknown_labels_are_known_as_such(laid_out, name):
    _, census, rows = laid_out(name)
    assert {rows[id_].status for id_ in census["unknown_label"]} == {"unknown_label"}
    others = [row for id_, row in rows.items() if id_ not in census["unknown_label"]]
    assert "unknown_label" not in {row.status for row in others}


@pytest.mark.parametrize("name", ["rafdb", "affectnet"])
def test_broken_files_cannot_be_read_and_all_others_can(laid_out, name):
    raw, census, rows = laid_out(name)
    broken = {*census["truncated"], *census["empty"]}
    for id_, row in rows.items():
        if id_ in broken:
            with pytest.raises(BadImage):
                pixels(raw, row)
        else:
            assert pixels(raw, row).ndim == 3 or id_ in census.get("deep", [])
    assert all((raw / rows[id_].path).stat().st_size == 0 for id_ in census["empty"])


def formats(raw, rows, ids):
    return [Image.open(io.BytesIO((raw / rows[id_].path).read_bytes())) for id_ in ids]


@pytest.mark.parametrize("name", ["rafdb", "affectnet"])
def test_odd_files_are_what_they_claim(laid_out, name):
    raw, census, rows = laid_out(name)
    odd = formats(raw, rows, census["wrong_extension"])
    assert {(picture.format, rows[id_].path[-4:]) for picture, id_ in
            zip(odd, census["wrong_extension"], strict=True)} == {("PNG", ".jpg")}  # fmt: skip
    assert {picture.mode for picture in formats(raw, rows, census["cmyk"])} == {"CMYK"}
    assert {p.getexif()[0x0112] for p in formats(raw, rows, census["rotated"])} == {6}


def test_sixteen_bit_pictures_hold_sixteen_bits(laid_out):
    for name in ("affectnet", "jaffe"):
        raw, census, rows = laid_out(name)
        assert {p.mode for p in formats(raw, rows, census["deep"])} == {"I;16"}


def test_turned_pictures_stand_upright_again(laid_out, tmp_path):
    raw, census, rows = laid_out("rafdb")
    # The eyes of a face are darker than its cheeks, at places that a turn would not keep.
    for id_ in census["rotated"]:
        upright = images.to_gray(pixels(raw, rows[id_])).astype(float)
        eyes = upright[42:50, 30:70].mean()
        assert eyes < upright[56:64, 26:74].mean()


def test_group_photos_keep_the_subject_in_place(laid_out):
    raw, census, rows = laid_out("affectnet")
    for id_ in census["group"]:
        height, width = pixels(raw, rows[id_]).shape[:2]
        assert (height, width) == (224, 336)
        x0, y0, x1, y1 = rows[id_].given_box
        assert 0 <= x0 < x1 <= 224
        assert 0 <= y0 < y1 <= 224


@pytest.mark.slow
def test_detectors_see_the_group_and_nobody_where_nobody_is(laid_out):
    mtcnn = pytest.importorskip("facenet_pytorch").MTCNN(keep_all=True, device="cpu")
    raw, census, rows = laid_out("affectnet")
    for id_ in census["faceless"]:
        boxes, scores = mtcnn.detect(pixels(raw, rows[id_]))
        assert boxes is None or max(scores) < 0.9
    for id_ in census["group"]:
        boxes, _ = mtcnn.detect(pixels(raw, rows[id_]))
        assert len(boxes) >= 2


def test_planting_twice_does_the_same(tmp_path):
    dataset = registry.load("datasets", "fer2013")
    faces = list(portraits(plan(LOOKS["fer2013"], 7, 0.08), 1, "faces"))
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        dataset.write_sample(faces, tmp_path / name)
        faults.plant("fer2013", tmp_path / name, COUNTS, 5)
        contents.append((tmp_path / name / "fer2013.csv").read_bytes())
    assert contents[0] == contents[1]


def test_more_faults_than_pictures_is_an_error(tmp_path):
    faces = list(portraits(plan(LOOKS["fer2013"], 7, 0.01), 1, "faces"))
    registry.load("datasets", "fer2013").write_sample(faces, tmp_path)
    with pytest.raises(BadParams, match="more faults than"):
        faults.plant("fer2013", tmp_path, Faults(duplicate=500), 5)


def test_clip_sets_stay_clean(tmp_path):
    assert faults.plant("mmi", tmp_path, COUNTS, 5) == {}
