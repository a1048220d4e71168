"""FER2013 in folders of pictures: which of them are rows, and the official split of each."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from fer_pipeline.datasets._disk import class_folders
from fer_pipeline.datasets._disk.tree import PICTURES
from fer_pipeline.emotions import COMMON7
from fer_pipeline.errors import BadRaw
from fer_pipeline.manifest import SPLITS, Sample

BY_PREFIX: Final = "folders-by-prefix"
BY_POSITION: Final = "folders-by-position"
BY_ROW: Final = "folders-by-row"

SPLIT_OF: Final = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
"""The splits by their official names (Usage)."""

Counts = Mapping[str, Mapping[str, int]]
"""Official rows per split and emotion."""

_POSITION = re.compile(r"im(\d+)\.png")
_PREFIX = re.compile(r"(Training|PublicTest|PrivateTest)_.+")


def form(root: Path) -> str | None:
    """Which of the three folder forms lies in `root`; None: none does."""
    parts = class_folders.splits(root)
    if "train" not in parts:
        return None
    if "test" not in parts:
        return BY_ROW if "val" in parts else None
    names = (path.name for part in parts.values() for path in class_folders.pictures(part))
    return BY_POSITION if _POSITION.fullmatch(next(names, "")) else BY_PREFIX


def samples(raw: Path, root: Path, layout: str, counts: Counts) -> Iterator[Sample]:
    """One row per picture, by split and class folder.

    Raises: BadRaw.
    """
    for folder, emotion in _classes(root):
        files = class_folders.pictures(folder)
        if layout == BY_POSITION:
            files.sort(key=_number)
        splits = _splits(layout, folder, emotion, files, counts)
        for path, split in zip(files, splits, strict=True):
            name = path.relative_to(raw).as_posix()
            yield Sample(f"fer2013/{name}", folder.name, emotion, split, path=name)


def left_out(root: Path) -> list[Path]:
    """Files beside the pictures, in the class folders or above them, that are none."""
    parts = class_folders.splits(root).values()
    found = (path for part in parts for path in class_folders.files(part))
    return [path for path in found if path.suffix.lower() not in PICTURES]


def _classes(root: Path) -> Iterator[tuple[Path, str]]:
    for part in class_folders.splits(root).values():
        for folder, emotion in class_folders.classes(part):
            if emotion not in COMMON7:
                raise BadRaw(f"class folder {folder}: FER2013 has no {emotion}; remove it")
            yield folder, emotion


def _splits(
    layout: str, folder: Path, emotion: str, files: Sequence[Path], counts: Counts
) -> Iterable[str]:
    if layout == BY_PREFIX:
        return _by_prefix(folder, files)
    if layout == BY_POSITION:
        return _by_position(folder, files, counts["val"][emotion], counts["test"][emotion])
    return _by_row(files, [sum(counts[split].values()) for split in SPLITS])


def _by_prefix(folder: Path, files: Sequence[Path]) -> Iterator[str]:
    part = class_folders.SPLIT_OF[folder.parent.name.lower()]
    for path in files:
        match = _PREFIX.fullmatch(path.name)
        if match is None:
            raise BadRaw(
                f"{path}: the name has lost its prefix (Training_, PublicTest_, PrivateTest_), by "
                "which alone validation and test can be told apart; use the files as downloaded, "
                "or fer2013.csv"
            )
        split = SPLIT_OF[match[1]]
        if (split == "train") != (part == "train"):
            raise BadRaw(f"{path}: a {match[1]} picture in the {part} folder; move it back")
        yield split


def _number(path: Path) -> int:
    match = _POSITION.fullmatch(path.name)
    if match is None:
        raise BadRaw(f"{path}: not named im<number>.png as its neighbours are; remove it")
    return int(match[1])


def _by_position(folder: Path, files: Sequence[Path], val: int, test: int) -> list[str]:
    if class_folders.SPLIT_OF[folder.parent.name.lower()] == "train":
        return ["train"] * len(files)
    if [_number(path) for path in files] != list(range(val + test)):
        raise BadRaw(
            f"{folder}: {len(files)} files, not im0.png to im{val + test - 1}.png; PublicTest and "
            "PrivateTest are told apart by position, in the complete set only: use fer2013.csv"
        )
    return ["val"] * val + ["test"] * test


def _by_row(files: Sequence[Path], counts: Sequence[int]) -> Iterator[str]:
    starts = np.cumsum(counts)
    for path in files:
        if not path.stem.isdecimal() or int(path.stem) >= starts[-1]:
            raise BadRaw(
                f"{path}: the name is no row of fer2013.csv (0 to {starts[-1] - 1}), by which "
                "alone the official split is known; use the files as downloaded, or fer2013.csv"
            )
        yield SPLITS[int(np.searchsorted(starts, int(path.stem), side="right"))]
