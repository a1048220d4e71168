"""Pictures sorted into folders `<split>/<class>/`, as many sets are handed around."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fer_pipeline import emotions
from fer_pipeline.datasets._disk import tree
from fer_pipeline.datasets._disk.tree import PICTURES
from fer_pipeline.errors import BadRaw, UnknownName

SPLIT_OF: Final = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}

_LITTER: Final = ("thumbs.db", "desktop.ini", "__macosx")
"""What Windows and macOS leave beside pictures; names with a leading dot are litter too."""


def folders(folder: Path) -> list[Path]:
    """Its folders by name, litter left out."""
    with os.scandir(folder) as entries:
        found = [folder / entry.name for entry in entries if entry.is_dir()]
    return sorted(path for path in found if not _litter(path))


def files(folder: Path) -> list[Path]:
    """All its files by name, at any depth, readable or not, litter left out."""
    found = (path for path in tree.walk(folder, ("",)) if not _litter(path))
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def pictures(folder: Path) -> list[Path]:
    """Those of its files, at any depth, whose names are those of pictures."""
    return [path for path in files(folder) if path.suffix.lower() in PICTURES]


def labelled(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """(picture, name of its class folder) at any depth; None: it lies in no class folder."""
    for path in tree.walk(folder):
        parts = path.relative_to(folder).parts
        yield path, parts[0] if len(parts) > 1 else None


def splits(root: Path) -> dict[str, Path]:
    """train, val, test -> folder, for those that are there under any common spelling.

    Raises: BadRaw when two folders mean the same split.
    """
    found: dict[str, Path] = {}
    for folder in folders(root):
        split = SPLIT_OF.get(folder.name.lower())
        if split in found:
            raise BadRaw(
                f"{found[split]} and {folder} both mean the {split} split; merge or remove one"
            )
        if split:
            found[split] = folder
    return {split: found[split] for split in ("train", "val", "test") if split in found}


def validation_tests(parts: dict[str, Path]) -> dict[str, Path]:
    """The splits of a set whose validation set is its test set where it has no other."""
    if "val" not in parts or "test" in parts:
        return parts
    return {"test" if split == "val" else split: folder for split, folder in parts.items()}


def classes(folder: Path) -> list[tuple[Path, str]]:
    """(folder, emotion) of every class folder of a split, by name.

    Raises: BadRaw naming a folder that is no emotion, or a picture in no class folder.
    """
    for path in sorted(folder.iterdir()):
        if not path.is_dir() and path.suffix.lower() in PICTURES and not _litter(path):
            raise BadRaw(f"{path} lies in no class folder; move it into one or remove it")
    found = []
    for path in folders(folder):
        try:
            found.append((path, emotions.parse(path.name)))
        except UnknownName as error:
            raise BadRaw(f"class folder {path}: {error}; rename or remove it") from None
    return found


def _litter(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in _LITTER
