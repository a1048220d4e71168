"""What is computed per row before any expectation looks at it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fer_pipeline import manifest
from fer_pipeline.datasets import ckplus, jaffe
from fer_pipeline.emotions import COMMON7
from fer_pipeline.errors import BadManifest, MissingData
from fer_pipeline.evaluate import targets
from fer_pipeline.ingest import rows as ingest
from fer_pipeline.protocol import Protocol
from fer_pipeline.train import rows as train
from fer_pipeline.validate import tables
from fer_pipeline.validate.perceptual import phash

OFFICIAL = Protocol(kind="official", source="a test")
FOLDS = Protocol(kind="folds", source="a test", folds=0)


def test_overhang_by_hand() -> None:
    size = np.array([[100.0, 50.0]] * 5)
    box = np.array(
        [
            [10, 10, 60, 40],
            [-5, 0, 45, 50],
            [80, 30, 120, 60],
            [50, 10, 40, 20],
            [np.nan] * 4,
        ]
    )
    # 5 of 50 left; 20 of 40 right and 10 of 30 below; turned inside out; none.
    np.testing.assert_allclose(tables.overhang(box, size), [0, 0.1, 0.5, np.inf, np.nan])


def test_fields_show_missing_unknown_and_mistyped_columns(tmp_path: Path) -> None:
    path = tmp_path / "leaks" / "x.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"id": ["a"], "pixel_hash": [1], "extra": ["b"]}), path)
    found = tables.fields(path, manifest.LEAKS)
    wrong = found[found["found"] != found["wanted"]].set_index("id")
    assert wrong.loc["leaks.pixel_hash"].tolist() == ["int64", "string"]
    assert wrong.loc["leaks.extra"].tolist() == ["string", "none"]
    assert wrong.loc["leaks.drop"].tolist() == ["none", "string"]
    assert len(wrong) == 4


def test_fields_of_good_tables_agree(make, write) -> None:
    for path, schema in zip(
        write("fer2013", make.official()), (manifest.SAMPLES, manifest.FACES), strict=True
    ):
        found = tables.fields(path, schema)
        assert len(found) == len(schema)
        assert (found["found"] == found["wanted"]).all()


def test_fields_need_a_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with pytest.raises(MissingData, match=r"x\.parquet"):
        tables.fields(path, manifest.LEAKS)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(BadManifest, match="no Parquet"):
        tables.fields(path, manifest.LEAKS)


def test_sample_rows(make, write) -> None:
    rows = make.official()
    rows[1] = make.row("fer2013", 1, make.picture(0), split="train")
    rows[2] = make.row("fer2013", 2, None, split="train")
    rows[3]["emotion"] = None
    rows[4]["height"] = 20
    samples, faces = write("fer2013", rows, [rows[0], *rows[2:]])
    found = tables.samples(samples, faces, OFFICIAL)
    assert found["repeats"].to_numpy().nonzero()[0].tolist() == [1]
    assert (~found["usable"]).to_numpy().nonzero()[0].tolist() == [2, 3]
    assert found["unlabelled"].to_numpy().nonzero()[0].tolist() == [3]
    assert found["lost"].to_numpy().nonzero()[0].tolist() == list(range(1, 63))
    assert found["short_side"][4] == 20
    assert np.isnan(found["short_side"][2])
    assert found["split_emotion"][0] == "train/anger"
    assert pd.isna(found["split_emotion"][3])
    assert found["part"].tolist() == ["train"] * 21 + ["val"] * 21 + ["test"] * 21


def test_faults(make, write) -> None:
    rows = make.official()
    rows[5]["split"], rows[6]["split"] = None, "training"
    found = tables.samples(*write("fer2013", rows), OFFICIAL)
    assert found["fault"].dropna().to_dict() == {5: "no split", 6: "unknown split"}
    assert found["part"].isna().all()
    rows = make.grouped()
    rows[6]["subject"] = None
    found = tables.samples(*write("jaffe", rows), FOLDS)
    assert found["fault"].dropna().to_dict() == {6: "no subject"}
    rows[6] |= {"status": manifest.UNKNOWN_LABEL, "emotion": None}
    found = tables.samples(*write("jaffe", rows), FOLDS)
    assert found["fault"].isna().all()
    assert found["part"][6] == "test"
    found = tables.samples(*write("jaffe", make.grouped(subjects=2)), FOLDS)
    assert set(found["fault"]) == {"fewer than three subjects in the set"}
    assert tables.samples(*write("jaffe", make.grouped()), FOLDS)["fault"].isna().all()
    nobody = [row | {"subject": None} for row in make.grouped()]
    found = tables.samples(*write("jaffe", nobody), FOLDS)
    assert found["fault"].isna().all()
    assert set(found["part"]) == {"test"}


def test_a_stray_picture_of_jaffe_does_not_stop_the_set(write, tmp_path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    names = ("KA.AN1.1", "KA.HA1.2", "KL.AN1.3", "KM.AN1.4", "holiday")
    for number, name in enumerate(names):
        Image.new("L", (64, 64), 9 * number).save(raw / f"{name}.tiff")
    found = [dict.fromkeys(manifest.FACES.names) | row
             for row in ingest.rows("jaffe", jaffe.samples(raw), raw)]  # fmt: skip
    table = tables.samples(*write("jaffe", found), jaffe.PROTOCOL)
    stray = table["id"].tolist().index("jaffe/holiday")
    assert table["status"][stray] == manifest.UNKNOWN_LABEL
    assert table["fault"].isna().all()
    assert table["part"][stray] == "test"
    assert table["part"].drop(stray).nunique() == 3


def test_a_set_without_subjects_can_be_tested(write, tmp_path) -> None:
    pixels = " ".join(["9"] * 2304)
    lines = [f"{code},{pixels},Training" for code in range(8)]
    (tmp_path / "ckextended.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    found = [dict.fromkeys(manifest.FACES.names) | row
             for row in ingest.rows("ckplus", ckplus.samples(tmp_path), tmp_path)]  # fmt: skip
    samples, faces = write("ckplus", found)
    table = tables.samples(samples, faces, ckplus.PROTOCOL)
    assert table["fault"].isna().all()
    assert set(table["part"]) == {"test"}
    # Nobody knows whose faces these are: they are not taken for different people.
    assert tables.faces(faces)["subject"].tolist() == [None] * 8
    leaks = tmp_path / "leaks.parquet"
    with manifest.writing(leaks, manifest.LEAKS) as writer:
        for row in found:
            writer.add(dict.fromkeys(manifest.LEAKS.names) | {"id": row["id"]})
    with pytest.raises(MissingData, match="no usable rows for training"):
        train.read(faces, leaks, ckplus.PROTOCOL, 0, COMMON7)
    kept = targets.load("ckplus", faces, leaks)
    assert targets.items(kept, False, [0], COMMON7, 1).coverage["asked"] == 8


def test_face_rows_and_hashes(make, write) -> None:
    rows = make.official()
    none = {"crop": None, "alignment": None, "box": None}
    rows[0] |= none | {"status": manifest.NO_FACE}
    rows[1] |= none
    rows[2] = make.row("fer2013", 2, None, split="train")
    rows[3] = make.row("fer2013", 3, np.full((48, 48), 9, np.uint8), split="train")
    rows[4]["box"] = [0.0, 0.0, 30.0, 20.0]
    _, faces = write("fer2013", rows)
    found = tables.faces(faces)
    assert found["found"][:4].tolist()[:2] == [False, False]
    assert found["found"].isna().to_numpy().nonzero()[0].tolist() == [2]
    assert found["uncropped"].to_numpy().nonzero()[0].tolist() == [1]
    assert (~found["usable"]).to_numpy().nonzero()[0].tolist() == [0, 1, 2]
    assert found["face_side"][4] == 20
    hashes, state = tables.hashes(faces, 16)
    assert state[:5].tolist() == [0, 0, 0, 1, 2]
    assert hashes.shape == (63, 32)
    assert not hashes[:4].any()
    assert len(np.unique(hashes[4:], axis=0)) == 59


def test_aligned_faces_are_hashed_their_own_way(make, write) -> None:
    rows = make.official()
    for number, how in enumerate(("five_points", "eyes", "box", "precropped")):
        rows[number]["alignment"] = how
    _, faces = write("fer2013", rows)
    hashes, _ = tables.hashes(faces, 16)
    pictures = [make.picture(number) for number in range(4)]
    np.testing.assert_array_equal(hashes[:2], phash(pictures[:2], 16, aligned=True))
    np.testing.assert_array_equal(hashes[2:4], phash(pictures[2:], 16))


def test_no_rows(write) -> None:
    samples, faces = write("fer2013", [])
    assert len(tables.samples(samples, faces, OFFICIAL)) == 0
    assert len(tables.faces(faces)) == 0
    assert tables.hashes(faces, 16)[0].shape == (0, 32)
