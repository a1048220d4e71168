"""What auto means."""

import platform
import subprocess
import sys

import pytest
import torch

from fer_pipeline.errors import BadParams
from fer_pipeline.train import hardware
from fer_pipeline.train.params import TrainParams


def test_auto_asks_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for has in (True, False):
        monkeypatch.setattr(hardware, "_cpu_has_bf16", lambda has=has: has)
        assert hardware.choose(TrainParams()) == hardware.Hardware("cpu", has, True)


def test_choices_are_kept():
    settings = TrainParams(device="cpu", precision="bf16", channels_last="off")
    assert hardware.choose(settings) == hardware.Hardware("cpu", True, False)
    settings = TrainParams(device="cpu", precision="float32", channels_last="on")
    assert hardware.choose(settings) == hardware.Hardware("cpu", False, True)


@pytest.mark.parametrize("device", ["toaster", "mps", "meta"])
def test_unknown_devices_are_refused(device):
    with pytest.raises(BadParams, match="device"):
        hardware.choose(TrainParams(device=device))


def test_a_missing_gpu_is_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BadParams, match="no CUDA device"):
        hardware.choose(TrainParams(device="cuda"))


def test_layout_of_a_placed_model():
    model = torch.nn.Conv2d(3, 4, 3)
    hardware.Hardware("cpu", False, True).place(model)
    assert model.weight.is_contiguous(memory_format=torch.channels_last)


FAULTS = """
import resource, sys, torch
from fer_pipeline.train import hardware
if sys.argv[1] == "keep":
    hardware.keep_freed_memory()
torch.ones(20_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    torch.ones(20_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no glibc")
def test_kept_memory_is_not_asked_for_again(root):
    def faults(mode):
        command = [sys.executable, "-c", FAULTS, mode]
        return int(subprocess.run(command, cwd=root, capture_output=True, check=True).stdout)

    # Several processes, as in some of them glibc maps blocks of this size anew all the same.
    usual = faults("default")
    assert any(faults("keep") < 0.5 * usual for _ in range(30))
