"""Pictures sorted into folders `<split>/<class>/`, as many sets are handed around."""

from pathlib import Path
from typing import Final

from fer_pipeline import emotions
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

_LITTER: Final = ("thumbs.db", "desktop.ini")
"""What Windows leaves in picture folders; names with a leading dot are litter too."""


def roots(raw: Path) -> list[Path]:
    """The folder itself, then the folders in it: archives unpack with or without a top folder."""
    if not raw.is_dir():
        return []
    return [raw, *folders(raw)]


def folders(folder: Path) -> list[Path]:
    """Its folders by name, litter left out."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _litter(path))


def pictures(folder: Path) -> list[Path]:
    """All its files by name, at any depth, readable or not, litter left out."""
    found = (path for path in folder.rglob("*") if path.is_file() and not _litter(path))
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


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


def classes(folder: Path) -> list[tuple[Path, str]]:
    """(folder, emotion) of every class folder of a split, by name.

    Raises: BadRaw naming a folder that is no emotion, or a picture in no class folder.
    """
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix.lower() in PICTURES and not _litter(path):
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
