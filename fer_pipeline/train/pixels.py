"""Crops decoded once into a memory-mapped uint8 array that all later runs share."""

from pathlib import Path

import numpy as np

from fer_pipeline.images import Input, decode_png, prepare
from fer_pipeline.outputs import atomic, digest
from fer_pipeline.train.rows import Examples, crops


def content(faces: Path, examples: Examples, contract: Input) -> str:
    """16 hex digits over ids, frames and decoded size: equal arrays have equal digests.

    The crops count by their bytes; rows that are not used do not count at all.
    """
    import hashlib

    wanted = _wanted(examples)
    pictures = hashlib.sha256()
    for number, crop in crops(faces, wanted):
        pictures.update(number.to_bytes(8, "big"))
        pictures.update(hashlib.sha256(crop).digest())
    shape = [contract.size, contract.channels, contract.frames]
    return digest(examples.ids, examples.frames, pictures.hexdigest(), shape)


def decoded(folder: Path, faces: Path, examples: Examples, contract: Input) -> np.ndarray:
    """Pixels of every example, memory-mapped read-only from `folder`, made there if missing.

    Stills (N, size, size, channels) uint8; clips (N, frames, size, size, channels), padded by
    zeros behind `lengths(...)` frames.
    """
    path = folder / "pixels.npy"
    if not path.is_file():
        with atomic(path) as part:
            _decode(part, faces, examples, contract)
    return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]


def lengths(examples: Examples, contract: Input) -> np.ndarray:
    """Frames of each clip after sampling, (N,) int64."""
    return np.array([len(sampled(frames, contract.frames)) for frames in examples.frames])


def sampled(frames: tuple[int, ...], count: int) -> tuple[int, ...]:
    """At most `count` of the frames, evenly spread, first and last among them."""
    if len(frames) <= count:
        return frames
    places = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return tuple(frames[place] for place in places)


def _decode(path: Path, faces: Path, examples: Examples, contract: Input) -> None:
    picture = (contract.size, contract.size, contract.channels)
    clips = contract.frames > 1
    shape = (
        (len(examples.ids), contract.frames, *picture) if clips else (len(examples.ids), *picture)
    )
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    places: dict[int, list[tuple[int, ...]]] = {}
    for example, frames in enumerate(examples.frames):
        for slot, number in enumerate(sampled(frames, contract.frames)):
            places.setdefault(number, []).append((example, slot) if clips else (example,))
    wanted = _wanted(examples)
    for number, crop in crops(faces, wanted):
        if number in places:
            picture_of = prepare(decode_png(crop), contract)
            for place in places[number]:
                array[place] = picture_of
    array.flush()


def _wanted(examples: Examples) -> np.ndarray:
    numbers = np.array([number for frames in examples.frames for number in frames])
    mask = np.zeros(int(numbers.max()) + 1, dtype=bool)
    mask[numbers] = True
    return mask
