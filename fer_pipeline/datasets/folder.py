"""Any set of pictures sorted into `<split>/<class>/`, at any depth below the class folder.

Layout on disk, in the raw folder or up to two folders deeper:
    train/<class>/..., validation/<class>/..., test/<class>/...
    in any letter case and any common spelling of splits (train, training; val, valid, validation,
    dev; test, testing) and classes (happy, Happiness, joy, ...). A class folder that is no emotion
    stops the reading: rename or remove it. Files other than pictures become unreadable rows.
Labels: the names of the class folders. Splits: the folders; without a validation folder, validation
rows are carved from the training rows. Subjects: not known.
Licence and source: yours.
Obtain: sort your own pictures.
Paper: none.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from fer_pipeline import images
from fer_pipeline.datasets._disk import class_folders, tree
from fer_pipeline.emotions import SPELLINGS
from fer_pipeline.manifest import SPLITS, Sample
from fer_pipeline.outputs import atomic
from fer_pipeline.portraits import Portrait
from fer_pipeline.protocol import Protocol

EMOTION_OF: Final = {
    spelling: emotion for emotion, spellings in SPELLINGS.items() for spelling in spellings
}
"""Lower-case names of class folders."""

PROTOCOL: Final = Protocol(kind="official", source="the split folders of the set itself")
OBTAIN: Final = (
    "folder: your own pictures under your own licence, sorted into train/<class>/, "
    "validation/<class>/ and test/<class>/, with classes such as anger, happy, neutral"
)

LAYOUT: Final = "split/class"
FOLDER_OF: Final = {"train": "train", "val": "validation", "test": "test"}


def recognise(raw: Path) -> str:
    """`split/class`.

    Raises: MissingData.
    """
    _find(raw)
    return LAYOUT


def _find(raw: Path) -> dict[str, Path]:
    for root in tree.folders(raw):
        parts = class_folders.splits(root)
        if parts:
            return parts
    raise tree.missing("folders train, validation or test", raw, "train/<class>/", OBTAIN)


def samples(raw: Path) -> Iterator[Sample]:
    """One sample per file, by split, class folder and name.

    Raises: MissingData, BadRaw naming a class folder that is no emotion.
    """
    for split, part in _find(raw).items():
        for folder, emotion in class_folders.classes(part):
            for path in class_folders.files(folder):
                name = path.relative_to(raw).as_posix()
                yield Sample(f"folder/{name}", folder.name, emotion, split, path=name)


def write_sample(portraits: Iterable[Portrait], raw: Path) -> None:
    """Writes raw/<train|validation|test>/<emotion>/NNNN.png, numbered within each folder from 0.

    Raises: ValueError when a portrait has no split.
    """
    numbers: dict[Path, int] = {}
    for portrait in portraits:
        if portrait.split not in SPLITS:
            raise ValueError("every portrait needs a split: the folders say which")
        folder = raw / FOLDER_OF[portrait.split] / portrait.emotion
        number = numbers.get(folder, 0)
        numbers[folder] = number + 1
        with atomic(folder / f"{number:04d}.png") as part:
            part.write_bytes(images.encode_png(portrait.pixels))
