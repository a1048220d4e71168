"""DVC in a process that stays: commands forked from it run, end and die as those started anew."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from flows import HOME, process
from flows.host import HOST

pytestmark = pytest.mark.slow

GRAPH = """
stages:
  one: {cmd: "echo said; echo $GIVEN > one.txt", outs: [one.txt]}
  two: {cmd: exit 3, outs: [two.txt]}
"""


def repro(root, name, lines=None, extra=None, timeout=None, go_on=lambda: True):
    """How `dvc repro` of one stage ended."""
    words = ["--wait-for-lock", "repro", "--single-item", name]
    minded = HOST.start(root, words, process.environment(extra or {}))
    return process.follow(
        minded, (lambda line: None) if lines is None else lines.append, timeout, go_on
    )


def loaded():
    """The process that has DVC loaded; its forks have the same command line."""
    HOST.load()
    (found,) = [one for one in psutil.Process().children() if "flows.forks" in one.cmdline()]
    return found


@pytest.fixture
def small(repository):
    """A repository of two stages, one of which fails."""
    return repository({"dvc.yaml": GRAPH})


def test_a_stage_runs_as_if_dvc_were_started_anew(small):
    lines: list[str] = []
    ended = repro(small, "one", lines, {"GIVEN": "this"})
    assert (ended.status, ended.cut) == (0, None)
    assert (small / "one.txt").read_text() == "this\n"
    assert "said" in lines
    assert "Running stage 'one':" in lines
    assert "one:" in (small / "dvc.lock").read_text()


def test_a_second_command_sees_what_the_first_one_left(small):
    assert repro(small, "one").status == 0
    again = repro(small, "one")
    assert any("didn't change, skipping" in line for line in again.tail)
    (small / "dvc.yaml").write_text(GRAPH.replace("said", "other"))
    assert "other" in repro(small, "one").tail


def test_the_environment_of_one_command_is_not_the_next_ones(small):
    repro(small, "one", extra={"GIVEN": "this"})
    (small / "one.txt").unlink()
    HOST.call(small, "repro", "--single-item", "--force", "one")
    assert (small / "one.txt").read_text() == "\n"


def test_the_status_of_a_failure_comes_back(small):
    ended = repro(small, "two")
    assert ended.status == 255
    assert any("failed to run: exit 3" in line for line in ended.tail)


def test_what_a_call_says_comes_back_apart(small):
    done = HOST.call(small, "stage", "list", "--name-only")
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\ntwo\n", "")
    done = HOST.call(small, "stage", "list", "three")
    assert done.returncode == 255
    assert "three" in done.stderr


def test_a_command_that_is_none_says_so(small):
    assert HOST.call(small, "reprod").returncode == 254


@pytest.mark.parametrize("cut", ["deadline", "stopped"])
def test_an_early_end_takes_the_whole_tree(long, living, cut):
    root = long()
    pids = root / "pids"
    limits = {
        "deadline": {"timeout": 8.0},
        "stopped": {"go_on": lambda: not (pids.exists() and pids.read_text())},
    }
    ended = repro(root, "long", **limits[cut])
    assert ended.cut == cut
    assert not living(pids)
    (root / "quick").touch()
    assert repro(root, "long").status == 0


def test_a_host_that_was_killed_is_started_again(small):
    assert repro(small, "one").status == 0
    killed = loaded()
    killed.kill()
    killed.wait()
    (small / "one.txt").unlink()
    assert repro(small, "one").status == 0
    assert (small / "one.txt").exists()


def test_a_minder_that_was_killed_counts_as_killed(long, eventually):
    root = long()
    minded = HOST.start(root, ["repro", "long"], process.environment({}))
    pids = root / "pids"
    eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    stage = psutil.Process(int(pids.read_text().split()[0]))
    family = [stage, *stage.children()]
    (minder,) = [one for one in loaded().children() if one.status() != psutil.STATUS_ZOMBIE]
    assert minded.poll() is None
    minder.kill()
    assert minded.wait(10) == 128 + signal.SIGKILL
    for one in family:
        one.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_death_of_the_flow_ends_host_and_stage(long, living, eventually, number):
    root = long()
    caller = f"""
from pathlib import Path
from flows import process
from flows.host import HOST
process.follow(HOST.start(Path({str(root)!r}), ["repro", "long"], process.environment({{}})), print)
"""
    flow = subprocess.Popen([sys.executable, "-c", caller], cwd=HOME, stderr=subprocess.DEVNULL)
    pids = Path(root / "pids")
    eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    below = psutil.Process(flow.pid).children(recursive=True)
    assert len(below) >= 4
    flow.send_signal(number)
    flow.wait(30)
    eventually(lambda: not living(pids))
    eventually(lambda: not [one for one in below if one.is_running() and one.status() != "zombie"])
