"""RAF-DB as Kaggle hands it around: folders by class number, and two lists that overrule them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from fer_pipeline.datasets._disk import class_folders, tree
from fer_pipeline.manifest import Sample

Listed = dict[str, list[tuple[int | None, str | None]]]


def samples(raw: Path, root: Path, emotion_of: Mapping[str, str | None]) -> Iterator[Sample]:
    """Rows of the pictures in the split folders, then those that a list names but no folder holds.

    A picture that a list names several times makes as many rows.

    Raises: BadRaw.
    """
    name_of, parts = tree.Names("rafdb"), class_folders.splits(root)
    for split, part in parts.items():
        listed = _listed(root, part, split)
        found = set()
        for path, folder in class_folders.labelled(part):
            found.add(path.name)
            stem = path.stem.removesuffix("_aligned")
            if path.name not in listed and folder is None:
                reason = "it lies in no class folder, and no list names it"
                yield tree.unlabelled(raw, name_of(stem), path, reason, split=split)
                continue
            for line, label in listed.get(path.name, [(None, folder)]):
                other = {"folder": folder} if folder not in (None, label) else {}
                columns = {"split": split, "line": line, "attributes": other}
                yield tree.row(raw, name_of(stem), path, label, emotion_of, **columns)
        for name in (name for name in listed if name not in found):
            for line, label in listed[name]:
                path = part / str(label) / name
                stem = path.stem.removesuffix("_aligned")
                yield tree.row(raw, name_of(stem), path, label, emotion_of, split=split, line=line)


def _listed(root: Path, part: Path, split: str) -> Listed:
    """Picture name -> lines and labels in `<split>_labels.csv`; {} when there is no such file."""
    names = dict.fromkeys([f"{part.name}_labels.csv", f"{split}_labels.csv"])
    for path in (folder / name for folder in (root, root.parent) for name in names):
        if path.is_file():
            found: Listed = {}
            for line, (name, label) in tree.table(path, ("image", "label")):
                found.setdefault(name, []).append((line, label))
            return found
    return {}
