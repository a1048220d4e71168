"""The evaluate command on a small study."""

import json
import shutil

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from fer_pipeline import checkpoints, images, manifest, predictions
from fer_pipeline.emotions import COMMON7
from fer_pipeline.errors import BadParams
from fer_pipeline.evaluate import runs
from fer_pipeline.evaluate.__main__ import main
from fer_pipeline.predictions import PREDICTIONS

pytestmark = pytest.mark.xdist_group("evaluate")

OUTPUTS = ("predictions", "metrics", "scores", "plots")


@pytest.fixture(scope="module")
def done(study):
    """The study after both of its runs were evaluated."""
    main(study.arguments())
    main(study.arguments(source="jaffe"))
    return study


def read(study, source: str = "rafdb") -> list[dict]:
    path = study.root / f"predictions/simple_cnn-{source}.parquet"
    return manifest.read(path, PREDICTIONS).to_pylist()


def scores(study, source: str = "rafdb") -> dict:
    return json.loads((study.root / f"scores/simple_cnn-{source}.json").read_text())


def test_official_sets_are_tested_on_their_test_split(done):
    rows = read(done)
    for repeat in (0, 1):
        own = [row for row in rows if row["target"] == "rafdb" and row["repeat"] == repeat]
        assert [row["id"] for row in own] == [f"rafdb/{n}" for n in range(40, 68) if n != 44]
        other = [r for r in rows if r["target"] == "affectnet" and r["repeat"] == repeat]
        contempt = {215, 223}
        assert [r["id"] for r in other] == [
            f"affectnet/{n}" for n in range(210, 226) if n not in contempt
        ]


def test_folds_are_tested_once_and_foreign_folds_whole(done):
    own = [row for row in read(done, "jaffe") if row["target"] == "jaffe"]
    assert {(row["repeat"], row["subject"]) for row in own} == {(0, "W0"), (1, "W1")}
    foreign = [row for row in read(done) if row["target"] == "jaffe"]
    assert len(foreign) == 2 * 41


def test_probabilities_are_those_of_the_model(done, build):
    row = next(r for r in read(done) if r["id"] == "rafdb/50" and r["repeat"] == 1)
    model, card = checkpoints.load(done.root / "checkpoints/simple_cnn-rafdb/1")
    crop = images.prepare(build.picture(50), card.input)
    x = torch.from_numpy(crop).float().permute(2, 0, 1)[None] / 255
    x = (x - card.input.mean[0]) / card.input.std[0]
    with torch.inference_mode():
        expected = model(x).softmax(1)[0].numpy()
    found = np.array([row[f"p_{name}"] for name in COMMON7])
    assert found == pytest.approx(expected, abs=1e-5)
    assert row["predicted"] == COMMON7[int(expected.argmax())]
    assert row["p_contempt"] is None


def test_repeated_and_leaked_pictures_are_marked(done):
    rows = {row["id"]: row for row in read(done) if row["repeat"] == 0}
    assert [name for name, row in rows.items() if row["repeated"]] == ["rafdb/41"]
    leaks = {name: row["leak"] for name, row in rows.items() if row["leak"]}
    assert leaks == {"rafdb/42": "exact", "rafdb/43": "near"}


def test_what_a_transfer_started_from_has_been_seen_too(study, build, tmp_path):
    mine = study.at(shutil.copytree(study.root, tmp_path / "study"))
    first = checkpoints.read_card(mine.root / "checkpoints/simple_cnn-rafdb/0")
    build.write_checkpoint(mine.root, "simple_cnn", "jaffe", 0, "later", first)
    main(mine.arguments("later", "jaffe"))
    path = mine.root / "predictions/later-jaffe.parquet"
    rows = {row["id"]: row for row in manifest.read(path, PREDICTIONS).to_pylist()}
    assert {row["model"] for row in rows.values()} == {"later"}
    leaks = {name: row["leak"] for name, row in rows.items() if row["leak"]}
    assert leaks == {"rafdb/42": "exact", "rafdb/43": "near"}


def test_a_model_that_was_taught_dimensions_answers_them(study, build, tmp_path):
    mine = study.at(shutil.copytree(study.root, tmp_path / "study"))
    build.write_checkpoint(
        mine.root, "simple_cnn", "rafdb", 0, "taught", dimensions=("arousal", "intensity")
    )
    main(mine.arguments("taught", "rafdb"))
    path = mine.root / "predictions/taught-rafdb.parquet"
    rows = [
        row for row in manifest.read(path, PREDICTIONS).to_pylist() if row["target"] == "affectnet"
    ]
    model, card = checkpoints.load(mine.root / "checkpoints/taught-rafdb/0")
    number = int(rows[0]["id"].partition("/")[2])
    crop = images.prepare(build.picture(number), card.input)
    x = torch.from_numpy(crop).float().permute(2, 0, 1)[None] / 255
    x = (x - card.input.mean[0]) / card.input.std[0]
    with torch.inference_mode():
        outputs = model(x)[0]
    assert rows[0]["predicted_arousal"] == pytest.approx(outputs[7].tanh().item(), abs=1e-5)
    assert rows[0]["predicted_intensity"] == pytest.approx(outputs[8].sigmoid().item(), abs=1e-5)
    assert rows[0]["predicted_valence"] is None
    assert sum(rows[0][f"p_{name}"] for name in COMMON7) == pytest.approx(1, abs=1e-5)
    told = json.loads((mine.root / "scores/taught-rafdb.json").read_text())
    own = np.array([[row["predicted_arousal"], row["arousal"]] for row in rows])
    expected = np.sqrt(np.mean((own[:, 0] - own[:, 1]) ** 2))
    found = told["targets"]["affectnet"]["scores"]["rmse_arousal"]["value"]
    assert found == pytest.approx(expected, abs=1e-5)


def test_the_number_of_trained_rows_is_kept(done):
    # 40 rows: five classes of 6, of which one each is carved for validation, and two of 5.
    import pyarrow.parquet as pq

    path = done.root / "predictions/simple_cnn-rafdb.parquet"
    trained = json.loads(pq.read_schema(path).metadata[predictions.TRAIN_ROWS.encode()])
    assert trained == {"0": 35, "1": 35}


def test_scores_are_those_of_scikit_learn(done):
    rows = [row for row in read(done) if row["target"] == "rafdb"]
    found = scores(done)["targets"]["rafdb"]
    f1, auc = [], []
    for repeat in (0, 1):
        mine = [row for row in rows if row["repeat"] == repeat]
        truth, predicted = ([row[key] for row in mine] for key in ("emotion", "predicted"))
        f1.append(sk.f1_score(truth, predicted, average="macro", zero_division=0))
        shares = np.array([[row[f"p_{name}"] for name in sorted(COMMON7)] for row in mine])
        shares = shares.astype(float) / shares.sum(axis=1, keepdims=True, dtype=float)
        auc.append(sk.roc_auc_score(truth, shares, multi_class="ovr", labels=sorted(COMMON7)))
        assert found["repeats"][repeat]["scores"]["macro_f1"]["value"] == round(f1[-1], 6)
    assert found["scores"]["macro_f1"]["value"] == pytest.approx(np.mean(f1), abs=1e-6)
    assert found["scores"]["macro_f1"]["sd"] == pytest.approx(np.std(f1, ddof=1), abs=1e-6)
    assert found["scores"]["roc_auc"]["value"] == pytest.approx(np.mean(auc), abs=1e-6)
    headline = json.loads((done.root / "metrics/simple_cnn-rafdb.json").read_text())
    assert headline["own"]["macro_f1"] == round(found["scores"]["macro_f1"]["value"], 4)
    assert headline["own"]["rows"] == 27
    others = [
        scores(done)["targets"][name]["scores"]["accuracy"] for name in ("jaffe", "affectnet")
    ]
    mean = np.mean([entry["value"] for entry in others])
    assert headline["others"] == {"sets": 2, "accuracy": round(float(mean), 4)}
    assert len(json.dumps(headline)) < 200


def test_accuracies_stand_side_by_side(done):
    found = scores(done)["targets"]["rafdb"]["accuracies"]
    assert {name: entry["rows"] for name, entry in found.items()} == {
        "raw": 27,
        "deduplicated": 26,
        "leak_free": 25,
    }


def test_coverage_counts_every_row_asked_for(done):
    found = {name: entry["coverage"] for name, entry in scores(done)["targets"].items()}
    assert found["rafdb"] == {"asked": 56, "evaluated": 54, "no_face": 2}
    assert found["jaffe"] == {"asked": 84, "evaluated": 82, "unlabelled": 2}
    assert found["affectnet"] == {"asked": 32, "evaluated": 28, "other_classes": 4}


def test_votes_and_ratings_are_scored_where_there_are_some(done):
    found = scores(done)["targets"]
    agreed = {f"{score}_{name}" for score in ("mae", "rmse", "ccc", "pcc", "sagr")
              for name in ("valence", "arousal")}  # fmt: skip
    assert agreed | {"votes_kl", "votes_brier", "votes_mae"} <= set(found["affectnet"]["scores"])
    assert not {*agreed, "votes_kl"} & set(found["rafdb"]["scores"])
    assert {"mae_probability", "mae_polarity", "mae_valence_of_label"} <= set(
        found["rafdb"]["scores"]
    )


def test_a_second_run_writes_the_same_bytes_and_no_second_use(done, tmp_path):
    shutil.copytree(done.root, tmp_path / "again")
    again = done.at(tmp_path / "again")
    for name in OUTPUTS:
        shutil.rmtree(again.root / name)
    main(again.arguments())
    main(again.arguments(source="jaffe"))
    files = [
        path.relative_to(done.root)
        for name in (*OUTPUTS, "test_uses.jsonl")
        for path in [done.root / name, *(done.root / name).rglob("*")]
        if path.is_file()
    ]
    assert len(files) == 2 + 2 + 2 + 6 + 1
    for path in files:
        assert (again.root / path).read_bytes() == (done.root / path).read_bytes(), path


def test_the_ledger_names_each_use_once(done):
    lines = (done.root / "test_uses.jsonl").read_text().splitlines()
    uses = [json.loads(line) for line in lines]
    assert len(uses) == 2 * 2 * 3 == len(set(lines))
    mine = [use for use in uses if (use["source"], use["target"]) == ("rafdb", "affectnet")]
    assert len({use["rows"] for use in mine}) == 1
    assert len({use["weights"] for use in mine}) == 2


def test_the_summary_tells_what_matters(done, capsys):
    main(done.arguments())
    told = capsys.readouterr().out
    assert "simple_cnn trained on rafdb, 2 repeats" in told
    assert "affectnet: 4 of 32 not evaluated (4 other_classes)" in told
    assert "ledger: 0 new uses" in told
    assert "different weights: affectnet 2, jaffe 2, rafdb 2" in told
    assert "jaffe: 6 persons, whom the intervals are over" in told


def test_folds_that_were_not_tested_are_told(done, capsys):
    main(done.arguments(source="jaffe"))
    assert "jaffe: 2 of 6 folds tested" in capsys.readouterr().out
    found = scores(done, "jaffe")["targets"]
    assert found["jaffe"]["folds"] == {"tested": 2, "all": 6, "again": 0}
    assert found["rafdb"]["folds"] is None
    assert scores(done)["targets"]["jaffe"]["folds"] is None


@pytest.mark.parametrize(
    ("flag", "value", "says"),
    [
        ("--checkpoints", "nowhere", "no checkpoint below"),
        ("--faces", "nowhere", "dvc repro"),
        ("--source", "mmi", "'mmi' is not in 'datasets'"),
        ("--model", "resnet18", "holds simple_cnn on rafdb"),
    ],
)
def test_a_fault_is_told_in_one_line(study, capsys, flag, value, says):
    line = study.arguments()
    if value == "nowhere":
        value = str(study.root / value)
    line[line.index(flag) + 1] = value
    with pytest.raises(SystemExit) as stop:
        main(line)
    assert stop.value.code == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.startswith("error: ")
    assert says in told


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(device):
    if device.startswith("cuda") and torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(BadParams, match="use auto"):
        runs.resolve(device)


def test_nothing_is_left_half_written(study, tmp_path):
    line = study.arguments()
    line[line.index("--leaks") + 1] = str(tmp_path)
    line[line.index("--out") + 1] = str(tmp_path / "out.parquet")
    with pytest.raises(SystemExit):
        main(line)
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_clips_are_tested_on_sets_of_clips_alone(build, study, tmp_path):
    emotions = ("fear", "anger", "happiness")
    rows = [
        build.face("ckplus", 10 * clip + frame, emotion=emotions[clip % 3] if frame else "neutral",
                   subject=f"S{clip % 4}", sequence=f"ckplus/{clip}", frame=frame)
        for clip in range(12)
        for frame in range(3)
    ]  # fmt: skip
    build.write(tmp_path, "ckplus", rows, [build.leak(row) for row in rows])
    for folder in ("faces", "leaks"):
        shutil.copy(study.root / folder / "jaffe.parquet", tmp_path / folder)
    build.write_checkpoint(tmp_path, "cnn_gru", "ckplus", 0)
    (tmp_path / "params.yaml").write_text(
        "datasets: {ckplus: {}, jaffe: {}}\nvalidate: {}\nevaluate: {device: cpu, batch_size: 2}\n"
    )
    clips = study.at(tmp_path)
    main(clips.arguments("cnn_gru", "ckplus"))
    found = manifest.read(tmp_path / "predictions/cnn_gru-ckplus.parquet", PREDICTIONS).to_pylist()
    assert {row["target"] for row in found} == {"ckplus"}
    mine = json.loads((tmp_path / "scores/cnn_gru-ckplus.json").read_text())["targets"]["ckplus"]
    assert mine["unit"] == "clip"
    assert len(found) == mine["rows"] < 12
    row = found[0]
    number = int(row["id"].split("/")[1])
    model, card = checkpoints.load(tmp_path / "checkpoints/cnn_gru-ckplus/0")
    frames = [images.prepare(build.picture(10 * number + k), card.input) for k in range(3)]
    x = torch.zeros(1, card.input.frames, 1, 48, 48)
    x[0, :3, 0] = torch.from_numpy(np.stack(frames)[..., 0]).float() / 255
    x[0, :3] = (x[0, :3] - card.input.mean[0]) / card.input.std[0]
    with torch.inference_mode():
        expected = model(x, torch.tensor([3]), torch.tensor([-1])).softmax(1)[0].numpy()
    assert [row[f"p_{name}"] for name in COMMON7] == pytest.approx(expected.tolist(), abs=1e-5)


def test_views_are_scored_apart_and_change_nothing_else(done, study, build, tmp_path):
    text = (
        (study.root / "params.yaml")
        .read_text()
        .replace("{batch_size:", "{views: [flip], batch_size:")
    )
    assert "views" in text
    (tmp_path / "params.yaml").write_text(text)
    for name in ("faces", "leaks", "checkpoints"):
        (tmp_path / name).symlink_to(study.root / name)
    main(study.at(tmp_path).arguments("simple_cnn", "rafdb"))
    name = "predictions/simple_cnn-rafdb.parquet"
    assert (tmp_path / name).read_bytes() == (done.root / name).read_bytes()
    found = json.loads((tmp_path / "scores/simple_cnn-rafdb.json").read_text())["targets"]["rafdb"]
    plain = scores(done)["targets"]["rafdb"]
    assert found["scores"] == plain["scores"]
    right = []
    for row in read(done):
        if row["target"] != "rafdb":
            continue
        model, card = checkpoints.load(study.root / f"checkpoints/simple_cnn-rafdb/{row['repeat']}")
        # 41 and 42 show the pictures of 40 and 2.
        number = int(row["id"].split("/")[1])
        crop = images.prepare(build.picture({41: 40, 42: 2}.get(number, number)), card.input)
        x = torch.from_numpy(crop).float().permute(2, 0, 1)[None] / 255
        x = (x - card.input.mean[0]) / card.input.std[0]
        with torch.inference_mode():
            both = (model(x).softmax(1) + model(x.flip(-1)).softmax(1))[0]
        right.append(COMMON7[int(both.argmax())] == row["emotion"])
    assert found["views"]["flip"]["accuracy"]["value"] == pytest.approx(np.mean(right), abs=1e-6)
    told = json.loads((tmp_path / "metrics/simple_cnn-rafdb.json").read_text())["own"]
    assert told["flip_accuracy"] == pytest.approx(np.mean(right), abs=1e-4)
