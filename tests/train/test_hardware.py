"""What auto means."""

import pytest
import torch

from fer_pipeline.errors import BadParams, OutOfMemory
from fer_pipeline.train import hardware
from fer_pipeline.train.params import TrainParams


def on_cpu(precision, layout):
    return hardware.Hardware("cpu", precision, layout, threads=torch.get_num_threads())


def test_auto_asks_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for has in (True, False):
        monkeypatch.setattr(hardware, "cpu_has_bf16", lambda has=has: has)
        precision = "bf16" if has else "float32"
        assert hardware.choose(TrainParams()) == on_cpu(precision, True)


def test_choices_are_kept():
    settings = TrainParams(device="cpu", precision="bf16", channels_last="off")
    assert hardware.choose(settings) == on_cpu("bf16", False)
    settings = TrainParams(device="cpu", precision="float32", channels_last="on")
    assert hardware.choose(settings) == on_cpu("float32", True)


def test_the_number_of_threads_is_part_of_it(monkeypatch):
    """Results of another number are others: a kept training is one of as many threads."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    assert hardware.choose(TrainParams(device="cpu")).threads == 5
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated: True)
    assert hardware.choose(TrainParams(device="cuda")).threads == 0


def test_fp16_needs_a_gpu():
    with pytest.raises(BadParams, match="fp16 needs a GPU"):
        hardware.choose(TrainParams(device="cpu", precision="fp16"))


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
    hardware.Hardware("cpu", "float32", True).place(model)
    assert model.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("device", "where", "expected"),
    [
        ("cpu", "auto", False),
        ("cpu", "device", True),
        ("cuda", "auto", True),
        ("cuda", "host", False),
    ],
)
def test_where_pictures_are_varied(monkeypatch, device, where, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated: True)
    assert hardware.choose(TrainParams(device=device, augment_on=where)).augments is expected


def test_a_batch_that_does_not_fit_is_said_in_a_line():
    with pytest.raises(OutOfMemory, match="a batch of 64 pictures does not fit into memory"):
        with hardware.fitting(64):
            torch.empty(1 << 52)
    with pytest.raises(RuntimeError, match="other"):
        with hardware.fitting(64):
            raise RuntimeError("other")
