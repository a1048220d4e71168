"""The whole graph on a small sample, in real DVC workspaces: complete, repeatable, killable, and
with every planted fault found at the other end.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from fer_pipeline import images, manifest, registry
from fer_pipeline.faces import Face, align
from fer_pipeline.protocol import partition
from fer_pipeline.sample.layout import make
from fer_pipeline.sample.params import Faults

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
REPRO = (sys.executable, "-m", "flows.repro")
SETS = ("fer2013", "rafdb", "ckplus")
FAULTIEST = "affectnet"
"""Its layout permits most faults."""
RUNS = ("simple_cnn-fer2013", "cnn_gru-ckplus")
KILLS = {
    "ingest@ckplus": "data/samples/.*.part.parquet",
    "detect@rafdb": "data/runs/*/shard-00001.parquet",
    "train@simple_cnn-fer2013": "data/runs/*/last.safetensors",
}
"""Stage -> the file that shows it to be in the middle of its work: a table half written, two shards
of faces, an epoch.
"""


def small() -> dict:
    """The profile `tiny`."""
    return yaml.safe_load((ROOT / "params/tiny.yaml").read_text("utf-8"))


def run(folder: Path, *command: str, fine: bool = True) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=580,
        check=False,
    )  # fmt: skip
    told = f"{command}:\n{done.stdout[-3000:]}{done.stderr[-6000:]}"
    assert not fine or done.returncode == 0, told
    return done.stdout + done.stderr


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    kept.pop("OMP_NUM_THREADS", None)
    return kept | {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Path:
    """A committed checkout of the working tree with small parameters, nothing run yet."""
    folder = tmp_path_factory.mktemp("fresh") / "checkout"
    listed = run(ROOT, "git", "ls-files", "-co", "--exclude-standard").splitlines()
    for name in listed:
        made = name.startswith(("tests/", "dvc.lock", "metrics/"))
        if (ROOT / name).is_file() and not made:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / "params.yaml").write_text(yaml.safe_dump(small(), sort_keys=False), "utf-8")
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "-A")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    run(folder, "git", *who, "commit", "-qm", "all")
    return folder


@pytest.fixture(scope="module")
def study(fresh) -> Path:
    """The checkout after an undisturbed run, as of `make repro`."""
    folder = fresh.with_name("study")
    shutil.copytree(fresh, folder)
    run(folder, *REPRO)
    return folder


TRANSFER = {
    "model": "simple_cnn", "source": "rafdb", "pretrained": "simple_cnn-fer2013",
    "mode": "finetune", "epochs": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def widened(study) -> Path:
    """The study with one more set, up to its validation, and a transfer, up to its test."""
    folder = study.with_name("widened")
    shutil.copytree(study, folder)
    profile = yaml.safe_load((ROOT / "params/sample.yaml").read_text("utf-8"))
    content = small()
    for axis in ("samples", "datasets"):
        content[axis][FAULTIEST] = profile[axis][FAULTIEST]
    content["transfers"] = {"later": TRANSFER}
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    run(folder, *REPRO, f"validate@{FAULTIEST}", "evaluate_transfers@later")
    return folder


def outputs(folder: Path) -> dict[str, str]:
    """Path -> hash of everything the pipeline wrote, from dvc.lock."""
    lock = yaml.safe_load((folder / "dvc.lock").read_text("utf-8"))
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage["outs"]}


def test_every_stage_has_run_and_its_outputs_are_there(study):
    made = outputs(study)
    for name in SETS:
        assert {f"data/faces/{name}.parquet", f"metrics/validate/{name}.json"} <= set(made)
    for name in RUNS:
        assert {f"data/checkpoints/{name}", f"data/predictions/{name}.parquet"} <= set(made)
    assert all((study / path).exists() for path in made)
    assert (study / "plots/report.html").stat().st_size > 20_000


def test_a_second_run_is_a_no_op_and_git_sees_only_lock_and_summaries(study):
    assert "Data and pipelines are up to date." in run(study, "dvc", "repro")
    changed = {line[3:] for line in run(study, "git", "status", "--porcelain").splitlines()}
    assert changed == {"dvc.lock", "metrics/"} or changed <= {
        "dvc.lock", "metrics/summary.json", "metrics/test_uses.jsonl",
    }  # fmt: skip


def test_dvc_metrics_and_plots_answer(study):
    shown = json.loads(run(study, "dvc", "metrics", "show", "--json"))
    files = shown[""]["data"]
    summary = files["metrics/summary.json"]["data"]
    assert set(summary) == set(RUNS)
    assert 0 < summary["simple_cnn-fer2013"]["fer2013"]["accuracy"] <= 1
    run(study, "dvc", "plots", "show", "--out", "dvc_plots")
    page = (study / "dvc_plots/index.html").read_text("utf-8")
    assert "val_accuracy" in page
    assert "confusion" in page


@pytest.mark.deep
def test_dvc_metrics_diff_tells_what_one_changed_value_changed(study):
    folder = study.with_name("experiment")
    shutil.copytree(study, folder)
    who = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    run(folder, "git", "add", "-A")
    run(folder, "git", *who, "commit", "-qm", "the study")
    assert json.loads(run(folder, "dvc", "metrics", "diff", "--json")) == {}
    before = told(folder, "evaluate", RUNS[0])
    run(folder, "dvc", "exp", "run", "-S", "train.lr=0.0001", f"evaluate@{RUNS[0]}")
    changed = json.loads(run(folder, "dvc", "metrics", "diff", "--json"))
    assert set(changed) == {f"metrics/{stage}/{RUNS[0]}.json" for stage in ("train", "evaluate")}
    cell = changed[f"metrics/evaluate/{RUNS[0]}.json"]["own.accuracy"]
    assert cell["old"] == before["own"]["accuracy"]
    assert cell["new"] == told(folder, "evaluate", RUNS[0])["own"]["accuracy"]
    assert cell["diff"] == pytest.approx(cell["new"] - cell["old"])
    assert "own.accuracy" in run(folder, "dvc", "metrics", "diff", "--md")


def test_the_ledger_names_each_use_of_a_test_set_once(study):
    lines = (study / "metrics/test_uses.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == len(set(lines))
    uses = [json.loads(line) for line in lines]
    assert {(use["model"], use["target"]) for use in uses} >= {
        ("simple_cnn", "fer2013"), ("simple_cnn", "rafdb"), ("cnn_gru", "ckplus"),
    }  # fmt: skip


def told(folder: Path, stage: str, name: str) -> dict:
    return json.loads((folder / f"metrics/{stage}/{name}.json").read_text("utf-8"))


def rows_of(folder: Path, name: str, columns: list[str]) -> list[dict]:
    path = folder / f"data/faces/{name}.parquet"
    return manifest.read(path, manifest.FACES, columns).to_pylist()


@pytest.mark.parametrize("name", [*SETS, FAULTIEST])
def test_planted_faults_are_counted_out_again(widened, name):
    stages = ("sample", "ingest", "detect", "validate")
    sample, ingest, detect, validate = (told(widened, stage, name) for stage in stages)
    planted = Counter(sample["faults"])
    broken = planted["truncated"] + planted["empty"]
    assert ingest["rows"] == detect["rows"] == validate["rows"] == sample["images"]
    assert ingest["status"].get("unreadable", 0) == validate["unreadable_rows"] == broken
    assert ingest["status"].get("unknown_label", 0) == planted["unknown_label"]
    assert validate["unknown_label_rows"] == planted["unknown_label"]
    assert detect["read"] == sample["images"] - broken
    assert detect["found"] == detect["read"] - planted["faceless"]
    assert detect["status"].get("no_face", 0) == planted["faceless"]
    assert detect["several_faces"] == planted["group"]
    assert validate["repeated_rows"] == planted["duplicate"] + planted["conflict"]
    assert validate["distinct_images"] == detect["read"] - validate["repeated_rows"]
    assert validate["images_in_several_splits"] == planted["duplicate"]
    assert validate["conflicting_labels"] == planted["conflict"]
    assert validate["constant_images"] == planted["constant"]


def test_a_transfer_starts_from_another_run_and_is_tested_under_its_own_name(widened):
    card = json.loads((widened / "data/checkpoints/later-rafdb/0/checkpoint.json").read_text())
    start = json.loads((widened / f"data/checkpoints/{RUNS[0]}/0/checkpoint.json").read_text())
    assert (card["name"], card["source"], card["start"]) == ("later", "rafdb", start)
    stages = yaml.safe_load((widened / "dvc.lock").read_text("utf-8"))["stages"]
    deps = {one["path"] for one in stages["train_transfers@later"]["deps"]}
    assert f"data/checkpoints/{RUNS[0]}" in deps
    assert told(widened, "evaluate", "later-rafdb")["own"]["rows"]


def test_every_kind_of_fault_is_planted_somewhere(widened):
    asked = Counter(Faults().model_dump())
    most = Counter()
    for name in (*SETS, FAULTIEST):
        most |= Counter(told(widened, "sample", name)["faults"])
    assert most == asked


@pytest.mark.parametrize("name", [*SETS, FAULTIEST])
def test_the_rows_with_a_fault_are_those_it_was_planted_in(widened, name):
    planted = told(widened, "sample", name)["planted"]
    found = rows_of(widened, name, ["id", "status", "faces"])
    for status, kinds in (
        ("unreadable", ("truncated", "empty")),
        ("unknown_label", ("unknown_label",)),
        ("no_face", ("faceless",)),
    ):
        struck = {id_ for kind in kinds for id_ in planted.get(kind, [])}
        assert {row["id"] for row in found if row["status"] == status} == struck
    several = {row["id"] for row in found if (row["faces"] or 0) > 1}
    assert several == set(planted.get("group", []))


@pytest.mark.parametrize("name", [*SETS, FAULTIEST])
def test_training_goes_without_repeats_conflicts_and_blanks(widened, name):
    planted = told(widened, "sample", name)["planted"]
    table = rows_of(widened, name, ["id", "split", "subject", "emotion"])
    columns = [[row[key] for row in table] for key in ("id", "split", "subject", "emotion")]
    parts = partition(registry.load("datasets", name).PROTOCOL, *columns, repeat=0)
    train = {row["id"] for row, part in zip(table, parts, strict=True) if part == "train"}
    leaks = manifest.read(widened / f"data/leaks/{name}.parquet", manifest.LEAKS).to_pylist()
    # Of a duplicate, named as source and copy, the copy among the test rows stays.
    sources = planted.get("duplicate", [])[::2]
    wrong = {*planted.get("conflict", []), *planted.get("constant", [])}
    assert {row["id"] for row in leaks if row["drop"]} == {*sources, *(wrong & train)}


@pytest.mark.parametrize("name", ["rafdb", FAULTIEST])
def test_odd_files_show_the_face_that_their_sound_twins_show(widened, name, tmp_path):
    planted = told(widened, "sample", name)["planted"]
    settings = small()["sample"]
    none = Faults(**dict.fromkeys(Faults.model_fields, 0))
    make(name, tmp_path / name, settings["seed"], settings["scale"], 1, none)
    kinds = ("rotated", "deep", "cmyk", "wrong_extension")
    odd = {id_ for kind in kinds for id_ in planted.get(kind, [])}
    assert len(odd) >= 8
    for row in rows_of(widened, name, ["id", "path", "status", "box", "landmarks", "crop"]):
        if row["id"] in odd:
            assert row["status"] == "ok"
            twin, crop = (images.decode(data) for data in
                          ((tmp_path / name / row["path"]).read_bytes(), row["crop"]))  # fmt: skip
            face = Face(np.array(row["box"]), np.reshape(row["landmarks"], (5, 2)), 1.0)
            shown = align(images.to_gray(twin) if crop.ndim == 2 else twin, face, len(crop))[0]
            assert np.abs(crop.astype(float) - shown).mean() < 5, row["id"]


def kill_in(folder: Path, stage: str, evidence: str, whole_group: bool) -> None:
    """Starts `dvc repro STAGE` and kills it with SIGKILL once a file like `evidence` appears."""
    log = folder.with_name(f"{stage.replace('@', '-')}.log")
    before = set(folder.glob(evidence))
    with log.open("wb") as file:
        child = subprocess.Popen(
            ["dvc", "repro", stage], cwd=folder, env=environment(), stdout=file, stderr=file,
            start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 500
    running = f"Running stage '{stage}'"
    while running not in log.read_text("utf-8", errors="replace") or not (
        set(folder.glob(evidence)) - before
    ):
        assert child.poll() is None, log.read_text("utf-8", errors="replace")[-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    if whole_group:
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    child.wait()


@pytest.mark.deep
def test_killed_runs_started_again_give_what_an_undisturbed_run_gives(fresh, study):
    folder = fresh.with_name("killed")
    shutil.copytree(fresh, folder)
    for stage, evidence in KILLS.items():
        # Of detect only dvc is killed: its child works on while the next run starts.
        kill_in(folder, stage, evidence, whole_group=not stage.startswith("detect"))
        done = yaml.safe_load((folder / "dvc.lock").read_text("utf-8"))["stages"]
        assert stage not in done
    run(folder, "dvc", "repro", *KILLS)
    made = outputs(folder)
    assert {f"data/checkpoints/{RUNS[0]}", "data/faces/rafdb.parquet"} <= set(made)
    assert made.items() <= outputs(study).items()
