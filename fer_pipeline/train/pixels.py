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
    numbers = [examples.frames, examples.peaks.tolist()]
    return digest(examples.ids, numbers, pictures.hexdigest(), shape)


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
    return np.array([len(chosen) for chosen in _sampled(examples, contract)])


def peaks(examples: Examples, contract: Input) -> np.ndarray:
    """Where among a clip's sampled frames its peak lies, (N,) int64; -1: not known."""
    pairs = zip(_sampled(examples, contract), examples.peaks.tolist(), strict=True)
    return np.array([chosen.index(peak) if peak >= 0 else -1 for chosen, peak in pairs])


def sampled(frames: tuple[int, ...], count: int, peak: int = -1) -> tuple[int, ...]:
    """At most `count` of the frames, evenly spread, first and last among them.

    `peak`, one of the frames, is always chosen, in place of the nearest that would have been.
    """
    if len(frames) <= count:
        return frames
    places = np.linspace(0, len(frames) - 1, count).round().astype(int)
    if peak >= 0:
        wanted = frames.index(peak)
        places[np.abs(places - wanted).argmin()] = wanted
    return tuple(frames[place] for place in places)


def _sampled(examples: Examples, contract: Input) -> list[tuple[int, ...]]:
    pairs = zip(examples.frames, examples.peaks.tolist(), strict=True)
    return [sampled(frames, contract.frames, peak) for frames, peak in pairs]


def _decode(path: Path, faces: Path, examples: Examples, contract: Input) -> None:
    picture = (contract.size, contract.size, contract.channels)
    clips = contract.frames > 1
    shape = (
        (len(examples.ids), contract.frames, *picture) if clips else (len(examples.ids), *picture)
    )
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    places: dict[int, list[tuple[int, ...]]] = {}
    for example, frames in enumerate(_sampled(examples, contract)):
        for slot, number in enumerate(frames):
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
