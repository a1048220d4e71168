"""The whole graph on a small sample, in real DVC workspaces: complete, repeatable, killable."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SETS = ("fer2013", "rafdb", "ckplus")
RUNS = ("simple_cnn-fer2013", "cnn_gru-ckplus")
KILLS = ("ingest@ckplus", "detect@rafdb", "train@simple_cnn-fer2013")


def small() -> dict:
    """The sample profile on three sets, two models and few people."""
    content = yaml.safe_load((ROOT / "params/sample.yaml").read_text("utf-8"))
    for axis in ("samples", "datasets"):
        content[axis] = {name: content[axis][name] for name in SETS}
    content["models"], content["sources"] = {"simple_cnn": {}}, {"fer2013": {}}
    content["clip_models"], content["clip_sources"] = {"cnn_gru": {}}, {"ckplus": {}}
    content["sample"]["scale"] = 0.2
    content["repeats"] = 1
    content["train"] |= {"epochs": 2}
    content["explain"] |= {"images": 8, "per_class": 1}
    return content


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
        if (ROOT / name).is_file() and not name.startswith(("tests/", "dvc.lock", "metrics/")):
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
    """The checkout after an undisturbed `dvc repro`."""
    folder = fresh.with_name("study")
    shutil.copytree(fresh, folder)
    run(folder, "dvc", "repro")
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


def test_the_ledger_names_each_use_of_a_test_set_once(study):
    lines = (study / "metrics/test_uses.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == len(set(lines))
    uses = [json.loads(line) for line in lines]
    assert {(use["model"], use["target"]) for use in uses} >= {
        ("simple_cnn", "fer2013"), ("simple_cnn", "rafdb"), ("cnn_gru", "ckplus"),
    }  # fmt: skip


def kill_in(folder: Path, stage: str, after: float, whole_group: bool) -> None:
    """Starts `dvc repro` and kills it with SIGKILL `after` seconds into the stage."""
    log = folder.with_name(f"{stage.replace('@', '-')}.log")
    with log.open("wb") as file:
        child = subprocess.Popen(
            ["dvc", "repro"], cwd=folder, env=environment(), stdout=file, stderr=file,
            start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 500
    while f"Running stage '{stage}'" not in log.read_text("utf-8", errors="replace"):
        assert child.poll() is None, log.read_text("utf-8", errors="replace")[-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(after)
    assert child.poll() is None, "the run ended before it could be killed"
    if whole_group:
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    child.wait()


def test_killed_runs_started_again_give_what_an_undisturbed_run_gives(fresh, study):
    folder = fresh.with_name("killed")
    shutil.copytree(fresh, folder)
    for number, stage in enumerate(KILLS):
        # dvc alone is killed in the second: its child works on while the next run starts.
        kill_in(folder, stage, after=0.4 + number, whole_group=number != 1)
        done = yaml.safe_load((folder / "dvc.lock").read_text("utf-8"))["stages"]
        assert stage not in done
    run(folder, "dvc", "repro")
    assert outputs(folder) == outputs(study)
    summary = "metrics/summary.json"
    assert (folder / summary).read_bytes() == (study / summary).read_bytes()
