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
from fer_pipeline.models import simple_cnn
from fer_pipeline.train import hardware
if sys.argv[1] == "keep":
    hardware.keep_freed_memory()
torch.manual_seed(0)
model, pictures = simple_cnn.build(7), torch.rand(256, 1, 48, 48)
for step in range(8):
    if step == 5:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model(pictures).sum().backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no glibc")
def test_a_step_asks_for_no_memory_that_the_last_one_freed(root):
    def faults(mode):
        command = [sys.executable, "-c", FAULTS, mode]
        return int(subprocess.run(command, cwd=root, capture_output=True, check=True).stdout)

    assert faults("keep") < 0.1 * faults("default")
