import json

import cv2
import numpy as np
import pytest

from fer_pipeline.sample import faults
from fer_pipeline.sample.__main__ import main, summary

PARAMS = """
samples: {jaffe: {}, fer2013: {scale: 0.11}, ckplus: {scale: 0.125}, mmi: {}}
sample: {seed: 3, workers: 1, scale: 0.2}
"""


def run(folder, dataset, text=PARAMS):
    (folder / "params.yaml").write_text(text)
    out = folder / "out"
    main(
        ["--dataset", dataset, "--out", str(out / dataset), "--metrics", str(out / "m.json")]
        + ["--sheet", str(out / "sheet.png"), "--params", str(folder / "params.yaml")]
    )
    return out


def contents(out):
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("dataset", ["fer2013", "ckplus"])
def test_same_parameters_same_bytes(tmp_path, dataset, capsys):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = contents(run(tmp_path / "one", dataset))
    many = PARAMS.replace("workers: 1", "workers: 2")
    two = contents(run(tmp_path / "two", dataset, many))
    assert one == two
    assert {"m.json", "sheet.png"} < set(one)


def test_the_metrics_count_what_was_made(tmp_path, capsys):
    out = run(tmp_path, "fer2013")
    counts = json.loads((out / "m.json").read_text())
    assert counts["images"] == sum(counts["splits"].values()) == sum(counts["emotions"].values())
    lines = (out / "fer2013" / "fer2013.csv").read_text().splitlines()
    assert len(lines) == counts["images"] + 1
    assert counts["subjects"] == 24
    assert counts["faults"]["duplicate"] == 6
    assert len(counts["planted"]["duplicate"]) == 12
    assert "fer2013: 96 pictures of 24 people" in capsys.readouterr().out


def test_the_summary_of_clips_names_them():
    counts = {"images": 9, "subjects": 1, "clips": 1, "splits": {}, "emotions": {}, "faults": {}}
    assert summary("mmi", counts).splitlines()[0] == "mmi: 9 pictures of 1 people in 1 clips"


def test_the_sheet_has_a_cell_for_every_person_and_emotion(tmp_path, capsys):
    sheet = cv2.imread(str(run(tmp_path, "ckplus") / "sheet.png"))
    people = 3
    assert sheet.shape[1] == 118 + 134 * people + 12
    for row in range(8):
        for column in range(people):
            y, x = 84 + row * 134 + 64, 118 + column * 134 + 64
            assert sheet[y - 20 : y + 20, x - 20 : x + 20].std() > 5
    # Gray faces on a page that is nearly white.
    assert np.median(sheet) > 60


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample: {sede: 3}", "did you mean 'seed'"),
        ("sample: {scale: -1}", "scale = -1"),
        ("sample: {faults: {duplicates: 3}}", "no parameter"),
        ("train: {}", "no section 'sample'"),
    ],
)
def test_bad_parameters_are_one_line(tmp_path, capsys, text, message):
    with pytest.raises(SystemExit) as stop:
        run(tmp_path, "jaffe", text)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_an_unknown_set_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(tmp_path, "fer2012")
    assert "did you mean 'fer2013'" in capsys.readouterr().err


def test_a_failure_leaves_the_old_sample(tmp_path, capsys, monkeypatch):
    out = run(tmp_path, "fer2013")
    before = contents(out / "fer2013")

    def broken(*_):
        raise RuntimeError("killed")

    monkeypatch.setattr(faults, "plant", broken)
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path, "fer2013", PARAMS.replace("seed: 3", "seed: 4"))
    assert contents(out / "fer2013") == before
    assert sorted(path.name for path in out.iterdir()) == ["fer2013", "m.json", "sheet.png"]
