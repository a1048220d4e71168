"""JAFFE: names, ratings, subjects, and what can be wrong in it."""

import pytest
from PIL import Image

from fer_pipeline.datasets import jaffe
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.protocol import partition

README = """The Japanese Female Facial Expression database

Semantic Ratings Data
  N  HAP  SAD  SUR  ANG  DIS  FEA  PIC
---------------------------------------
1 2.87 2.52 2.10 1.97 1.97 2.06 KM-NE1
60 raters, all of them women
2 4.90 1.10 1.50 1.20 1.30 1.00 KA-HA2
3 1.00 1.10 1.20 1.30 1.40 4.50 KL-FE9

Semantic Ratings Data (Fear Excluded)
  N  HAP  SAD  SUR  ANG  DIS  PIC
1 9.99 9.99 9.99 9.99 9.99 KM-NE1
2 broken KA-HA2
"""


def tree(put, root):
    put(root, "KM.NE1.1.tiff")
    put(root, "KA.HA2.30.tiff")
    put(root, "ka.su3.31.tif")
    put(root, "README", README)
    put(root, ".DS_Store", "x")
    put(root, "._KA.HA2.30.tiff", "x")
    return root


@pytest.mark.parametrize("folder", [".", "jaffe", "download/jaffe"])
def test_names_tell_subject_and_emotion(put, tmp_path, folder):
    tree(put, tmp_path / folder)
    assert jaffe.recognise(tmp_path) == "tiff"
    rows = {row.id: row for row in jaffe.samples(tmp_path)}
    assert list(rows) == ["jaffe/KA.HA2.30", "jaffe/KM.NE1.1", "jaffe/ka.su3.31"]
    found = {name: (row.subject, row.label, row.emotion) for name, row in rows.items()}
    assert found["jaffe/KA.HA2.30"] == ("KA", "HA", "happiness")
    assert found["jaffe/KM.NE1.1"] == ("KM", "NE", "neutral")
    assert found["jaffe/ka.su3.31"] == ("KA", "SU", "surprise")
    assert all(row.split is None and row.status == "ok" for row in rows.values())


def test_ratings_are_joined_and_the_second_table_is_not_read(put, tmp_path):
    tree(put, tmp_path)
    happy, neutral, unrated = jaffe.samples(tmp_path)
    assert neutral.attributes == {
        "rating_hap": "2.87",
        "rating_sad": "2.52",
        "rating_sur": "2.10",
        "rating_ang": "1.97",
        "rating_dis": "1.97",
        "rating_fea": "2.06",
    }
    assert neutral.line == 6
    assert happy.attributes["rating_hap"] == "4.90"
    assert happy.intensity == pytest.approx(3.9 / 4)
    assert unrated.attributes == {}


def test_all_seven_codes(put, tmp_path):
    for code in ("AN", "DI", "FE", "HA", "NE", "SA", "SU"):
        put(tmp_path, f"YM.{code}1.5.tiff")
    assert [row.emotion for row in jaffe.samples(tmp_path)] == [
        "anger",
        "disgust",
        "fear",
        "happiness",
        "neutral",
        "sadness",
        "surprise",
    ]


def test_other_names_stay_with_a_reason(put, tmp_path):
    tree(put, tmp_path)
    put(tmp_path, "KA.XX1.99.tiff")
    put(tmp_path, "face.tiff")
    rows = {row.id: row for row in jaffe.samples(tmp_path)}
    assert rows["jaffe/KA.XX1.99"].status == "unknown_label"
    assert rows["jaffe/face"].status == "unknown_label"
    assert "KA.AN1.39.tiff" in rows["jaffe/face"].reason
    assert len(rows) == 5


@pytest.mark.parametrize("line", ["2 4.90 1.10 KA-HA2", "2 a 1 1 1 1 1 KA-HA2"])
def test_a_broken_rating_is_named(put, tmp_path, line):
    tree(put, tmp_path)
    put(tmp_path, "README", README.replace("2 4.90 1.10 1.50 1.20 1.30 1.00 KA-HA2", line))
    with pytest.raises(BadRaw, match="README, line 8"):
        list(jaffe.samples(tmp_path))


def test_leaves_one_subject_out(put, tmp_path):
    for subject in ("KA", "KL", "KM", "KR"):
        for take in (1, 2):
            put(tmp_path, f"{subject}.HA{take}.{take}.tiff")
    rows = list(jaffe.samples(tmp_path))
    for repeat, subject in enumerate(("KA", "KL", "KM", "KR")):
        parts = partition(
            jaffe.PROTOCOL,
            [row.id for row in rows],
            [row.split for row in rows],
            [row.subject for row in rows],
            [row.emotion for row in rows],
            repeat,
        )
        tested = {row.subject for row, part in zip(rows, parts, strict=True) if part == "test"}
        assert tested == {subject}


def test_missing_set_says_where_to_get_it(put, tmp_path):
    put(tmp_path, "other.tiff")
    with pytest.raises(MissingData, match="zenodo"):
        jaffe.recognise(tmp_path)


def test_write_sample_is_read_back(portrait, content, tmp_path):
    order = [("s007", "anger"), ("s003", "fear"), ("s007", "anger"), ("s001", "neutral")]
    portraits = [portrait(emotion, subject) for subject, emotion in order]
    jaffe.write_sample(iter(portraits), tmp_path / "a")
    jaffe.write_sample(iter(portraits), tmp_path / "b")
    assert content(tmp_path / "a") == content(tmp_path / "b")
    names = sorted(path.name for path in (tmp_path / "a").glob("*.tiff"))
    assert names == ["KA.AN1.1.tiff", "KA.AN2.3.tiff", "KL.FE1.2.tiff", "KM.NE1.4.tiff"]
    with Image.open(tmp_path / "a" / names[0]) as picture:
        assert (picture.format, picture.mode, picture.size) == ("TIFF", "L", (256, 256))
    rows = {row.id: row for row in jaffe.samples(tmp_path / "a")}
    # Eight of ten votes: 1 + 4 * 0.8.
    assert rows["jaffe/KL.FE1.2"].attributes["rating_fea"] == "4.20"
    assert rows["jaffe/KL.FE1.2"].attributes["rating_hap"] == "1.00"
    text = (tmp_path / "a" / "README").read_text()
    assert "KL-FE1" not in text.split("(Fear Excluded)")[1]
    assert "KA-AN2" in text.split("(Fear Excluded)")[1]


def test_write_sample_refuses_what_the_set_cannot_hold(portrait, tmp_path):
    with pytest.raises(ValueError, match="contempt"):
        jaffe.write_sample([portrait("contempt")], tmp_path)
    with pytest.raises(ValueError, match="s011 is one more"):
        jaffe.write_sample([portrait("fear", f"s{i:03d}") for i in range(1, 12)], tmp_path)
