"""`python -m flows.repro --jobs`: stages side by side without a server."""

import os
import subprocess
import sys

import pytest

from flows import HOME, devices, process

pytestmark = pytest.mark.slow

MEET = """
import pathlib, sys, time
own, other = pathlib.Path(sys.argv[1] + ".here"), pathlib.Path(sys.argv[2] + ".here")
own.write_text("")
deadline = time.monotonic() + 60
while not other.exists():
    assert time.monotonic() < deadline, "the other never came"
    time.sleep(0.02)
pathlib.Path(sys.argv[1] + ".txt").write_text("met")
"""
"""Ends only if another stage runs at the same time."""

MEETING = """
stages:
  one: {cmd: python meet.py one two, deps: [meet.py], outs: [one.txt]}
  two: {cmd: python meet.py two one, deps: [meet.py], outs: [two.txt]}
  both: {cmd: cat one.txt two.txt > both.txt, deps: [one.txt, two.txt], outs: [both.txt]}
"""

FAILING = """
stages:
  bad: {cmd: "sleep 1; echo 'error: no such data'; exit 3", outs: [bad.txt]}
  slow: {cmd: sleep 3 && echo 1 > slow.txt, outs: [slow.txt]}
  next: {cmd: cp slow.txt next.txt, deps: [slow.txt], outs: [next.txt]}
"""


def started(root, *words):
    """The command, started in a repository."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.repro", *words],
        cwd=root,
        env=process.environment({"PYTHONPATH": str(HOME)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(root, *words):
    """How it ended: status, output, errors."""
    command = started(root, *words)
    output, errors = command.communicate(timeout=120)
    return command.returncode, output, errors


def test_stages_that_do_not_need_each_other_run_at_once(repository, dvc):
    root = repository({"dvc.yaml": MEETING, "meet.py": MEET})
    status, output, _ = ran(root, "--jobs", "2")
    assert status == 0
    assert (root / "both.txt").read_text() == "metmet"
    assert "3 stages, 3 to run, 2 at once" in output
    assert "both | done; 3 of 3" in output
    assert "both | Running stage 'both':" in output
    # What it wrote into dvc.lock is what DVC itself would have found.
    assert "up to date" in dvc(root, "status")
    assert ran(root, "-j2")[:2] == (0, "Data and pipelines are up to date.\n")


def test_targets_bring_what_they_need_and_nothing_else(repository):
    root = repository({"dvc.yaml": FAILING})
    status, output, _ = ran(root, "-j", "2", "next")
    assert (status, (root / "next.txt").exists(), (root / "bad.txt").exists()) == (0, True, False)
    assert "2 stages, 2 to run" in output
    status, output, _ = ran(root, "-j", "2", "--force", "next")
    assert "2 stages, 2 to run" in output


def test_after_a_failure_what_runs_is_finished_and_nothing_starts(repository):
    root = repository({"dvc.yaml": FAILING})
    status, output, errors = ran(root, "--jobs=2")
    assert status == 1
    assert (root / "slow.txt").exists()
    assert not (root / "next.txt").exists()
    assert "error: bad failed with status" in errors
    assert "next | " not in output


def test_ended_early_it_leaves_no_process_and_goes_on_later(long, living, eventually, ending):
    root = long()
    running = started(root, "-j", "2")
    eventually(lambda: (root / "pids").exists() and len(living(root / "pids")) == 2, 60)
    running.send_signal(ending)
    running.communicate(timeout=60)
    assert running.returncode != 0
    eventually(lambda: not living(root / "pids"), 30)
    (root / "quick").touch()
    assert ran(root, "-j", "2")[0] == 0


def test_what_it_does_not_know_is_one_line(repository):
    root = repository({"dvc.yaml": FAILING})
    status, _, errors = ran(root, "-j", "2", "nxt")
    assert status == 2
    assert "did you mean 'next'" in errors
    assert "Traceback" not in errors
    assert "1 or more" in ran(root, "-j", "0")[2]


def test_help_names_it_and_all_that_dvc_takes(repository):
    status, output, _ = ran(repository({"dvc.yaml": FAILING}), "--help")
    assert status == 0
    assert "--jobs N" in output
    assert "--single-item" in output


def test_the_cores_are_shared(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.delenv(devices.THREADS, raising=False)
    assert [devices.share(jobs) for jobs in (1, 2, 3, 16)] == [
        {},
        {"OMP_NUM_THREADS": "4"},
        {"OMP_NUM_THREADS": "2"},
        {"OMP_NUM_THREADS": "1"},
    ]
    monkeypatch.setenv(devices.THREADS, "3")
    assert devices.share(2) == {}
