"""The stage as it is run."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from fer_pipeline import images, manifest
from fer_pipeline.datasets import fer2013
from fer_pipeline.emotions import COMMON7
from fer_pipeline.ingest.__main__ import main
from fer_pipeline.portraits import Portrait

PIXELS = " ".join(["9"] * 2304)


class Stage:
    """Runs ingest in a scratch folder."""

    def __init__(self, folder) -> None:
        self.raw, self.out = folder / "raw", folder / "samples" / "x.parquet"
        self.metrics, self.params = folder / "metrics" / "x.json", folder / "params.yaml"
        self.params.write_text("ingest: {}\n")
        self.raw.mkdir()

    def __call__(self, dataset: str = "fer2013") -> None:
        paths = {"raw": self.raw, "out": self.out, "metrics": self.metrics, "params": self.params}
        words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
        main(["--dataset", dataset, *words])

    def csv(self, *rows: str) -> None:
        text = "\n".join(["emotion,pixels,Usage", *rows]) + "\n"
        (self.raw / "fer2013.csv").write_text(text)


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def test_table_metrics_and_summary(stage, capsys):
    stage.csv(f"3,{PIXELS},Training", f"0,{PIXELS},PrivateTest")
    stage()
    table = manifest.read(stage.out, manifest.SAMPLES).to_pylist()
    assert [(row["id"], row["emotion"], row["split"], row["width"]) for row in table] == [
        ("fer2013/00000", "happiness", "train", 48),
        ("fer2013/00001", "anger", "test", 48),
    ]
    assert json.loads(stage.metrics.read_text()) == {
        "layout": "fer2013.csv",
        "official": "2 of 35887 rows",
        "rows": 2,
        "read": {"pictures_embedded": 2},
        "status": {"ok": 2},
        "split": {"train": {"rows": 1, "happiness": 1}, "test": {"rows": 1, "anger": 1}},
    }
    assert "fer2013: layout fer2013.csv, 2 rows (2 pictures embedded)" in capsys.readouterr().out


def test_same_input_same_bytes(stage):
    stage.csv(*(f"{i % 7},{i} {PIXELS[2:]},Training" for i in range(200)))
    stage.params.write_text("ingest: {row_group: 64}\n")
    stage()
    first = stage.out.read_bytes(), stage.metrics.read_bytes()
    # What a killed run leaves behind does not matter.
    (stage.out.parent / ".x.1.part.parquet").write_bytes(b"half")
    stage()
    assert (stage.out.read_bytes(), stage.metrics.read_bytes()) == first
    assert pq.ParquetFile(stage.out).num_row_groups == 4


def test_unreadable_picture_is_a_row(stage):
    good, empty = stage.raw / "train/happy/1.png", stage.raw / "train/happy/2.png"
    good.parent.mkdir(parents=True)
    good.write_bytes(images.encode_png(np.zeros((9, 9), np.uint8)))
    empty.touch()
    stage("folder")
    found = manifest.read(stage.out, manifest.SAMPLES, ["status", "reason"]).to_pylist()
    assert found == [
        {"status": "ok", "reason": None},
        {"status": "unreadable", "reason": "the file is empty"},
    ]
    assert json.loads(stage.metrics.read_text())["status"] == {"ok": 1, "unreadable": 1}


def test_files_that_make_no_row_are_counted(stage, capsys):
    for name, data in (
        ("train/happy/Training_1.png", images.encode_png(np.zeros((9, 9), np.uint8))),
        ("train/happy/notes.txt", b"x"),
        ("test/happy/notes.md", b"x"),
    ):
        path = stage.raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    stage()
    assert json.loads(stage.metrics.read_text())["left_out"] == 2
    said = capsys.readouterr().out
    assert (
        "left out: 2 files that are no pictures by their names, such as train/happy/notes.txt"
        in said
    )


@pytest.mark.parametrize(
    ("rows", "dataset", "section", "complaint"),
    [
        ([f"3,{PIXELS},Training", "3,1 2,Training"], "fer2013", "{}", "line 3: 2 pixels"),
        (None, "fer2013", "{}", "no FER2013 in"),
        ([], "fer2012", "{}", "did you mean 'fer2013'"),
        ([], "fer2013", "{row_gruop: 64}", "did you mean 'row_group'"),
        ([f"3,{PIXELS},Training"], "fer2013", "{official_counts: require}", "1 of 35887 rows"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(stage, capsys, rows, dataset, section, complaint):
    stage.params.write_text(f"ingest: {section}\n")
    if rows is not None:
        stage.csv(*rows)
    with pytest.raises(SystemExit) as caught:
        stage(dataset)
    assert caught.value.code == 2
    last = capsys.readouterr().err.replace("\r", "\n").splitlines()[-1]
    assert last.startswith("error: ")
    assert complaint in last
    assert not stage.metrics.exists()
    assert not list(stage.out.parent.glob("*"))


@pytest.mark.deep
@pytest.mark.realdata
def test_real_fer2013(stage, shared_data):
    """Written as the official file is, byte for byte (MD5 pinned by torchvision), and read back:
    complete, every pixel right, 1,853 rows repeated.
    """
    path = shared_data / "fer2013.parquet"
    if not path.is_file():
        pytest.skip(f"no {path}")
    real = pq.read_table(path).to_pydict()
    codes, usages = real["label"], real["usage"]
    nowhere = {"landmarks": np.zeros((68, 2)), "box": np.zeros(4), "valence": 0.0, "arousal": 0.0}
    person = {"subject": "s1", "gender": "male", "race": "Asian", "age": 30}
    fer2013.write_sample(
        (
            Portrait(
                pixels=images.to_rgb(images.decode_png(data)),
                emotion=COMMON7[code],
                split=fer2013.SPLIT_OF[usage],
                intensity=1.0,
                votes=(0,) * 10,
                **person,
                **nowhere,
            )
            for data, code, usage in zip(real["image"], codes, usages, strict=True)
        ),
        stage.raw,
    )
    with (stage.raw / "fer2013.csv").open("rb") as file:
        digest = hashlib.file_digest(file, "md5").hexdigest()
    assert digest == "f8428a1edbd21e88f42c73edd2a14f95"

    stage.params.write_text("ingest: {official_counts: require}\n")
    stage()
    assert json.loads(stage.metrics.read_text())["official"] == "complete"
    found = manifest.read(stage.out, manifest.SAMPLES).to_pydict()
    assert found["emotion"] == [COMMON7[code] for code in codes]
    assert found["split"] == [fer2013.SPLIT_OF[usage] for usage in usages]
    assert len(codes) - len(set(found["pixel_hash"])) == 1853
    for ours, theirs in zip(found["image"], real["image"], strict=True):
        np.testing.assert_array_equal(images.decode_png(ours), images.decode_png(theirs))


@pytest.mark.deep
@pytest.mark.realdata
def test_every_official_file_of_the_real_set(stage, shared_data):
    """Both CSVs and the challenge's pair hold the same pictures; FER+ is joined to them by line."""
    script, votes = shared_data / "native_fer2013.py", shared_data / "fer2013new.csv"
    if not (script.is_file() and votes.is_file()):
        pytest.skip(f"no {script}, or no {votes}")
    subprocess.run([sys.executable, script, "--write", stage.raw], check=True, capture_output=True)
    stage.params.write_text("ingest: {official_counts: require}\n")
    kept = stage.raw
    tables, found = {}, {}
    for names in (("fer2013.csv",), ("icml_face_data.csv",), ("train.csv", "test.csv")):
        stage.raw = kept.parent / names[0].removesuffix(".csv")
        stage.raw.mkdir()
        for name in names:
            (stage.raw / name).symlink_to(kept / name)
        stage()
        tables[names[0]] = manifest.read(stage.out, manifest.SAMPLES, ["emotion", "pixel_hash"])
        found[names[0]] = json.loads(stage.metrics.read_text())
    assert {read["official"] for read in found.values()} == {"complete"}
    assert tables["fer2013.csv"] == tables["icml_face_data.csv"]
    pair = tables["train.csv"]
    assert pair["pixel_hash"] == tables["fer2013.csv"]["pixel_hash"]
    assert pair["emotion"][:28709] == tables["fer2013.csv"]["emotion"][:28709]
    assert pair["emotion"][28709:].null_count == 7178
    stage.raw = kept.parent / "ferplus"
    stage.raw.mkdir()
    (stage.raw / "fer2013.csv").symlink_to(kept / "fer2013.csv")
    (stage.raw / "fer2013new.csv").symlink_to(votes)
    stage("ferplus")
    joined = json.loads(stage.metrics.read_text())
    assert joined["official"] == "complete"
    assert {name: split["rows"] for name, split in joined["split"].items()} == {
        "train": 28709,
        "val": 3589,
        "test": 3589,
    }
