"""Training images per second of the engine, of the usual script, and of a tensor in memory.

All three train one network on 48 px gray pictures in batches of 64, in turn, each in a process of
its own, as the engine also changes how its process keeps memory:

usual     torchvision's ImageFolder, albumentations' Compose on each picture, DataLoader with two
          workers, float32, NCHW
engine    `fer_pipeline.train`: memory-mapped pixels, its own use of albumentations, and the
          precision and layout that `auto` means on this machine
memory    the engine's model, precision, layout, memory and optimiser on one batch that lies ready

The bars are for `plain`, the tutorials' network (conv 32-64-128 with ReLU and pooling, hidden layer
of 512); `simple_cnn`, which normalises each layer besides, is shown beside it: its normalisation
is bound by memory, which the engine's bf16 relieves less than arithmetic.

`python benchmarks/train_throughput.py [--rounds N]`; needs no data: the pictures are random.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import numpy as np
import torch
from PIL import Image
from torch import nn

from fer_pipeline.memory import keep_freed
from fer_pipeline.models import simple_cnn
from fer_pipeline.train import hardware, losses, optimisers, phases
from fer_pipeline.train.engine import Training
from fer_pipeline.train.params import TrainParams
from fer_pipeline.train.part import Part

CORES, BATCH, PICTURES, CLASSES, SIZE = 2, 64, 7 * 1200, 7, 48
OF_USUAL, OF_MEMORY = 3.5, 0.8
SETTINGS = TrainParams(batch=BATCH, optimiser="adamw", lr=1e-3, device="cpu", epochs=1000)


Build = Callable[[int], nn.Module]


def plain(classes: int) -> nn.Module:
    """The network of most FER2013 tutorials."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(inplace=True)]
    side = SIZE // 8
    head = [nn.Linear(128 * side**2, 512), nn.ReLU(inplace=True), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Flatten(), *head, nn.Linear(512, classes))


NETWORKS: dict[str, Build] = {"plain": plain, "simple_cnn": simple_cnn.build}


def per_second(steps: Iterator[None], warm: int, count: int) -> float:
    """Pictures per second over `count` steps of BATCH, after `warm` steps that do not count."""
    for _ in islice(steps, warm):
        pass
    began = time.perf_counter()
    done = sum(1 for _ in islice(steps, count))
    return done * BATCH / (time.perf_counter() - began)


def write_folder(root: Path) -> np.ndarray:
    """PNG files root/<class>/<number>.png of random gray pictures; all of them as an array."""
    pictures = np.random.default_rng(0).integers(0, 256, (PICTURES, SIZE, SIZE), dtype=np.uint8)
    for label in range(CLASSES):
        (root / str(label)).mkdir(parents=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(root / str(number % CLASSES) / f"{number}.png")
    return pictures[..., None]


def usual(build: Build, folder: Path) -> Iterator[None]:
    """Steps of the script that most tutorials show."""
    import albumentations
    from albumentations.pytorch import ToTensorV2
    from torchvision.datasets import ImageFolder

    augment = albumentations.Compose(
        [
            albumentations.HorizontalFlip(p=0.5),
            albumentations.Affine(rotate=(-10, 10), translate_percent=0.1, scale=(0.9, 1.1), p=1.0),
            albumentations.RandomBrightnessContrast(p=1.0),
            albumentations.Erasing(p=0.25),
            albumentations.Normalize(mean=simple_cnn.INPUT.mean, std=simple_cnn.INPUT.std),
            ToTensorV2(),
        ]
    )

    def varied(picture: Any) -> torch.Tensor:
        pixels = np.asarray(picture.convert("L"))[..., None]
        return augment(image=pixels)["image"]  # type: ignore[no-any-return]

    pictures = ImageFolder(str(folder), transform=varied)
    # As where the script is started by hand; here the parent was spawned.
    loader = torch.utils.data.DataLoader(
        pictures,
        BATCH,
        shuffle=True,
        num_workers=2,
        drop_last=True,
        multiprocessing_context="fork",
    )
    model = build(CLASSES).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    while True:
        for inputs, labels in loader:
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(inputs), labels).backward()
            optimiser.step()
            yield


def engine(build: Build, pictures: np.ndarray, folder: Path) -> Iterator[None]:
    """Steps of the engine, with the augmentation that is its default."""
    truth = np.arange(PICTURES) % CLASSES
    np.save(folder / "pixels.npy", pictures)
    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    ids = tuple(map(str, range(PICTURES)))
    targets, unrated = losses.one_hot(truth, CLASSES), np.zeros((PICTURES, 0), np.float32)
    part = Part(ids, pixels, np.arange(PICTURES), None, None, targets, truth, unrated)
    model = build(CLASSES)
    training = Training(
        model,
        simple_cnn.head(model),
        simple_cnn.INPUT,
        part,
        part,
        SETTINGS,
        hardware.choose(SETTINGS),
        seed=0,
    )
    epoch = 0
    while True:
        epoch += 1
        yield from (None for _ in training.steps_of(epoch))


def memory(build: Build) -> Iterator[None]:
    """Steps on one batch that lies ready."""
    machine = hardware.choose(SETTINGS)
    model = machine.place(build(CLASSES)).train()
    optimiser = optimisers.build(SETTINGS, phases.layers(model, simple_cnn.head(model)))
    inputs = torch.randn(BATCH, 1, SIZE, SIZE).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES, (BATCH,))
    while True:
        with machine.autocast():
            logits = model(inputs)
        loss = nn.functional.cross_entropy(logits.float(), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        yield


def rate(side: str, network: str, folder: Path, steps: int) -> float:
    """Pictures per second of one side, in a process of its own: it changes how memory is kept."""
    torch.set_num_threads(CORES)
    torch.manual_seed(0)
    build = NETWORKS[network]
    if side == "usual":
        return per_second(usual(build, folder / "faces"), steps // 4, steps)
    keep_freed()
    if side == "engine":
        pictures = np.load(folder / "pictures.npy")
        return per_second(engine(build, pictures, folder), steps // 4, steps)
    return per_second(memory(build), steps // 4, steps)


def measure(network: str, rounds: int, steps: int) -> dict[str, list[float]]:
    """Pictures per second of each, once a round, in turn."""
    found: dict[str, list[float]] = {"usual": [], "engine": [], "memory": []}
    alone = ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1)
    with tempfile.TemporaryDirectory() as scratch, alone as pool:
        folder = Path(scratch)
        np.save(folder / "pictures.npy", write_folder(folder / "faces"))
        for _ in range(rounds):
            for side, rates in found.items():
                rates.append(pool.submit(rate, side, network, folder, steps).result())
    return found


def main() -> None:
    """Measures, prints ratios and verdicts, exits 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=80, help=f"of {BATCH} pictures, a round")
    asked = parser.parse_args()
    machine = hardware.choose(SETTINGS)
    print(f"{CORES} threads, batch {BATCH}, {machine.precision}")
    met = {name: compared(name, asked) for name in NETWORKS}
    sys.exit(0 if met["plain"] else 1)


def compared(network: str, asked: argparse.Namespace) -> bool:
    """Measures one network and prints what came of it; True when both bars are met."""
    found = measure(network, asked.rounds, asked.steps)
    for name, rates in found.items():
        print(
            f"{network:<11}{name:<8} {statistics.median(rates):7.0f} images/s   "
            f"({min(rates):.0f} to {max(rates):.0f} in {len(rates)} rounds)"
        )
    met = True
    for other, bar in (("usual", OF_USUAL), ("memory", OF_MEMORY)):
        pairs = zip(found["engine"], found[other], strict=True)
        ratio = statistics.median(mine / theirs for mine, theirs in pairs)
        met &= ratio >= bar
        verdict = "met" if ratio >= bar else "MISSED"
        print(f"{network:<11}engine / {other:<7} {ratio:5.2f}   bar {bar}   {verdict}")
    return met


if __name__ == "__main__":
    main()
