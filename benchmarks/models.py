"""What each network costs: parameters, FLOPs, latency of one picture, pictures per second.

parameters   trainable values, for seven classes
FLOPs        of one forward pass by torch's counter; a multiplication and its addition are two
latency      median of single pictures, milliseconds, float32
inference    pictures per second in batches of 64, in the precision that `auto` means here
training     pictures per second of forward, backward and update on such a batch in memory

Stills only; all on the CPU with as many threads as there are cores. `python -m benchmarks.models
[--models NAME ...] [--size N] [--seconds S]` prints a Markdown table.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fer_pipeline import architectures
from fer_pipeline.train import hardware
from fer_pipeline.train.params import TrainParams

CLASSES: Final = 7
BATCH: Final = 64
NAMES: Final = ("lenet_cnn", "deep_cnn", "resnet_cnn", "cnn_cbam", "small_cnn", "resnet18")


def main(argv: list[str] | None = None) -> None:
    """Measures the networks one after another and prints a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.models", description=__doc__)
    parser.add_argument("--models", nargs="+", default=NAMES, help="files of fer_pipeline/models")
    parser.add_argument("--size", type=int, help="side of the pictures; the model's own by default")
    parser.add_argument("--seconds", type=float, default=5.0, help="spent on each measurement")
    asked = parser.parse_args(argv)
    place = hardware.choose(TrainParams(device="cpu"))
    print(f"{torch.get_num_threads()} threads, {place.precision}\n")
    print("| model | parameters | FLOPs | latency, ms | inference, images/s | training, images/s |")
    print("|---|---|---|---|---|---|")
    for name in asked.models:
        print(line(name, asked.size, asked.seconds, place), flush=True)


def line(name: str, size: int | None, seconds: float, place: hardware.Hardware) -> str:
    """The row of a network."""
    contract = architectures.contract(name, size)
    if contract.frames > 1:
        return f"| `{name}` | takes clips | | | | |"
    torch.manual_seed(0)
    model = architectures.build(name, CLASSES, contract.size, {})
    one = torch.randn(1, contract.channels, contract.size, contract.size)
    many = one.repeat(BATCH, 1, 1, 1)
    parameters = sum(value.numel() for value in model.parameters())
    flops, latency = forward_flops(model, one), median(lambda: plain(model, one), seconds)
    model = place.place(model)
    many = many.contiguous(memory_format=torch.channels_last)
    inference = BATCH / median(lambda: answer(model, many, place), seconds)
    step = trainer(model, many, place)
    training = BATCH / median(lambda: next(step), seconds)
    return (
        f"| `{name}` | {parameters / 1e6:.2f} M | {flops / 1e6:,.0f} M | {latency * 1e3:.1f} | "
        f"{inference:,.0f} | {training:,.0f} |"
    )


def forward_flops(model: nn.Module, inputs: torch.Tensor) -> int:
    """Of one forward pass."""
    model.eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(inputs)
    return int(counter.get_total_flops())


def plain(model: nn.Module, inputs: torch.Tensor) -> None:
    """One forward pass as it would run in somebody's hands."""
    model.eval()
    with torch.inference_mode():
        model(inputs)


def answer(model: nn.Module, inputs: torch.Tensor, place: hardware.Hardware) -> None:
    """One forward pass in the precision of the machine."""
    model.eval()
    with torch.inference_mode(), place.autocast():
        model(inputs)


def trainer(model: nn.Module, inputs: torch.Tensor, place: hardware.Hardware) -> Iterator[None]:
    """Makes a training step each time it is asked."""
    labels = torch.arange(BATCH) % CLASSES
    optimiser: Any = torch.optim.AdamW(model.parameters(), lr=1e-4)
    model.train()
    while True:
        optimiser.zero_grad(set_to_none=True)
        with place.autocast():
            logits = model(inputs)
        nn.functional.cross_entropy(logits.float(), labels).backward()
        optimiser.step()
        yield


def median(work: Callable[[], object], seconds: float) -> float:
    """Seconds that the work takes, once warm."""
    for _ in range(2):
        work()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
