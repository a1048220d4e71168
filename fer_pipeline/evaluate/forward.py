"""Probabilities of test items, all repeats of a model in one pass over the pictures."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from fer_pipeline import images
from fer_pipeline.dimensions import split
from fer_pipeline.evaluate import crops
from fer_pipeline.evaluate.runs import Run
from fer_pipeline.evaluate.targets import Items
from fer_pipeline.evaluate.views import Kind, views
from fer_pipeline.images import Input

Loaded = tuple[int, list[bytes]]


PLAIN: Final = "plain"
"""The answer to the picture as it is."""


def answers(
    runs: Sequence[Run],
    items: Items,
    faces: Path,
    classes: Sequence[str],
    batch: int,
    device: str,
    kinds: Sequence[Kind] = (),
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """PLAIN and each kind of views -> probabilities (repeats, items, classes), and -> values of the
    model's dimensions (repeats, items, D); float32.

    Each row of probabilities is a distribution over `classes`; with views, the mean of theirs; NaN
    where a repeat does not test the item.

    Each picture is decoded once, whatever the number of repeats; float32 throughout.
    """
    import torch

    card = runs[0].card
    keep = torch.tensor([card.classes.index(name) for name in classes])
    shape = (len(runs), len(items.ids), len(classes))
    found = {name: np.full(shape, np.nan, np.float32) for name in (PLAIN, *kinds)}
    shape = (*shape[:2], len(card.dimensions))
    rated = {name: np.full(shape, np.nan, np.float32) for name in (PLAIN, *kinds)}
    stream = tqdm(
        crops.stream(faces, items.members), desc=faces.stem, total=len(items.ids), mininterval=1
    )
    with torch.inference_mode():
        for numbers, pixels, lengths in _batches(iter(stream), card.input, batch):
            x = _normalised(pixels, card.input, device)
            for repeat, run in enumerate(runs):
                mine = items.tested[repeat, numbers]
                if not mine.any():
                    continue
                choice = torch.from_numpy(mine).to(device)
                some = x if mine.all() else x[choice]
                rest: list[Any] = []
                if card.input.frames > 1:
                    places = (lengths[mine], items.peaks[numbers][mine])
                    rest = [torch.from_numpy(place).to(device) for place in places]
                seen = {PLAIN: iter([some])} | {kind: views(some, kind) for kind in kinds}
                for name, shown in seen.items():
                    told = [split(run.model(view, *rest), card.dimensions) for view in shown]
                    shares = [logits[:, keep].float().softmax(1) for logits, _ in told]
                    found[name][repeat, numbers[mine]] = _mean(shares)
                    values = [value for _, value in told if value is not None]
                    if values:
                        rated[name][repeat, numbers[mine]] = _mean(values)
    return found, rated


def _mean(views: Sequence[Any]) -> np.ndarray:
    import torch

    mean: np.ndarray = torch.stack(list(views)).mean(0).cpu().numpy()
    return mean


def _batches(
    stream: Iterator[Loaded], contract: Input, size: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Item numbers (n,), pixels (n[, frames], size, size, channels) uint8, lengths (n,) int64."""
    while chunk := list(islice(stream, size)):
        numbers = np.array([number for number, _ in chunk])
        lengths = np.array([len(members) for _, members in chunk], np.int64)
        if contract.frames > 1:
            pixels = np.stack([_clip(members, contract) for _, members in chunk])
        else:
            pixels = np.stack([_still(members[0], contract) for _, members in chunk])
        yield numbers, pixels, lengths


def _still(data: bytes, contract: Input) -> np.ndarray:
    return images.prepare(images.decode_png(data), contract)


def _clip(members: Sequence[bytes], contract: Input) -> np.ndarray:
    shape = (contract.frames, contract.size, contract.size, contract.channels)
    clip = np.zeros(shape, np.uint8)
    for place, data in enumerate(members):
        clip[place] = _still(data, contract)
    return clip


def _normalised(pixels: np.ndarray, contract: Input, device: str) -> Any:
    import torch

    x = torch.from_numpy(pixels).to(device).float().div_(255)
    mean = torch.tensor(contract.mean, device=device)
    std = torch.tensor(contract.std, device=device)
    # Channels stay last in memory; only the view is turned to what models take.
    return ((x - mean) / std).movedim(-1, -3)
