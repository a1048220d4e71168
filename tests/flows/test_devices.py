"""Leases of pretended devices, between threads and between processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import devices


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0,1", ("0", "1")), ("", ()), ("3", ("3",)), (" GPU-1a , GPU-2b", ("GPU-1a", "GPU-2b"))],
)
def test_the_environment_names_them(value, expected):
    assert devices.found({"CUDA_VISIBLE_DEVICES": value}) == expected


def test_without_a_driver_there_are_none(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert devices.found({}) == ()


def test_what_nvidia_smi_lists(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert devices.found({}) == ("0", "1")


def test_other_users_may_lock_what_the_first_one_made(tmp_path):
    folder = tmp_path / "leases"
    old = os.umask(0o077)
    try:
        with devices.lease(["0"], folder):
            pass
    finally:
        os.umask(old)
    assert folder.stat().st_mode & 0o7777 == 0o1777
    assert (folder / "0.lock").stat().st_mode & 0o444 == 0o444


def test_each_device_has_one_holder(tmp_path):
    first = devices.lease(["0", "1"], tmp_path)
    second = devices.lease(["0", "1"], tmp_path)
    assert (first.device, second.device) == ("0", "1")
    assert devices.lease(["0", "1"], tmp_path) is None
    with first:
        assert first.environment() == {"CUDA_VISIBLE_DEVICES": "0"}
    third = devices.lease(["0", "1"], tmp_path)
    assert third.device == "0"


def test_a_killed_holder_holds_nothing(tmp_path):
    code = (
        "from pathlib import Path; from flows import devices; import time; "
        f"held = devices.lease(['0'], Path({str(tmp_path)!r})); "
        "print(held.device, flush=True); time.sleep(60)"
    )
    home = Path(devices.__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=home, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "0\n"
        assert devices.lease(["0"], tmp_path) is None
        holder.kill()
        holder.wait()
    assert devices.lease(["0"], tmp_path).device == "0"
