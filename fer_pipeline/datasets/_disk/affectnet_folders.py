"""AffectNet as it is handed around in folders: NumPy annotations, Kaggle, YOLO, class numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from fer_pipeline.datasets._disk import class_folders, tree
from fer_pipeline.datasets._disk.affectnet_lists import affect
from fer_pipeline.errors import BadRaw
from fer_pipeline.manifest import UNCERTAIN, UNREADABLE, Sample

NPY: Final = {"train_set": "train", "val_set": "test"}

Listed = dict[str, list[tuple[int | None, str | None, str | None]]]


def npy(raw: Path, root: Path, emotion_of: Mapping[str, str | None]) -> Iterator[Sample]:
    """Rows of train_set and val_set, by id; pictures that share an id are rows each.

    Raises: BadRaw.
    """
    name_of = tree.Names("affectnet")
    for part, split in NPY.items():
        notes = root / part / "annotations"
        noted = {path.name.removesuffix("_exp.npy") for path in tree.files(notes, ("_exp.npy",))}
        for stem, path in _by_stem(root / part / "images", noted, ".jpg"):
            values = {name: _scalar(notes / f"{stem}_{name}.npy") for name in ("exp", "val", "aro")}
            where = str(notes / f"{stem}_*.npy")
            columns: dict[str, Any] = {"split": split}
            columns["valence"] = affect(values["val"] or "", where)
            columns["arousal"] = affect(values["aro"] or "", where)
            columns["given_landmarks"] = _points(notes / f"{stem}_lnd.npy")
            name, label = name_of(f"{part}/{stem}"), _code(values["exp"])
            yield tree.row(raw, name, path, label, emotion_of, **columns)


def _by_stem(images: Path, noted: set[str], suffix: str) -> Iterator[tuple[str, Path]]:
    """(stem, picture) of all pictures, and of all that have notes, by stem; a picture that is not
    there gets the suffix.
    """
    pictures: dict[str, list[Path]] = {stem: [] for stem in noted}
    for path in tree.walk(images):
        pictures.setdefault(path.stem, []).append(path)
    for stem in sorted(pictures, key=tree.natural):
        for path in pictures[stem] or [images / f"{stem}{suffix}"]:
            yield stem, path


def _code(text: str | None) -> str | None:
    """A label that may be written as a float, `1.0`."""
    try:
        value = float(text or "nan")
        return str(int(value)) if value.is_integer() else text
    except ValueError:
        return text


def _scalar(path: Path) -> str | None:
    """The one value of a 0-d array, as text; None without the file."""
    if not path.is_file():
        return None
    array = _array(path)
    if array.size != 1:
        raise BadRaw(f"{path}: {array.size} values, not 1; unpack the original file again")
    return str(array.reshape(()).item()).strip()


def _points(path: Path) -> list[float] | None:
    """136 numbers; None without the file."""
    if not path.is_file():
        return None
    try:
        points = _array(path).astype(np.float32).ravel()
    except ValueError:
        points = np.empty(0, np.float32)
    if len(points) != 136:
        raise BadRaw(f"{path}: not 136 numbers; unpack the original file again")
    return points.tolist()


def _array(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise BadRaw(f"{path}: {error}; unpack the original file again") from None


def kaggle(raw: Path, root: Path) -> Iterator[Sample]:
    """Rows of the class folders, then those that labels.csv lists but no folder holds.

    A picture that labels.csv lists several times makes as many rows.

    Raises: BadRaw.
    """
    listed, found, name_of = _listed(root / "labels.csv"), set[str](), tree.Names("affectnet")
    recognised = False
    parts = class_folders.validation_tests(class_folders.splits(root))
    for split, part in (parts or {"train": root}).items():
        for path, folder in class_folders.labelled(part):
            pth = path.relative_to(part).as_posix().lower()
            found.add(pth)
            recognised |= pth in listed or (folder or "").lower() in tree.WORDS
            name = path.relative_to(root).with_suffix("").as_posix()
            for line, label, score in listed.get(pth, [(None, folder, None)]):
                if label is None:
                    reason = "it lies in no class folder, and labels.csv does not list it"
                    yield tree.unlabelled(raw, name_of(name), path, reason, split=split)
                    continue
                attributes = {"relFCs": score} if score else {}
                if folder and label.lower() != folder.lower():
                    attributes["folder"] = folder
                columns = {"split": split, "line": line, "attributes": attributes}
                yield tree.row(raw, name_of(name), path, label.lower(), tree.WORDS, **columns)
    if not recognised:
        raise BadRaw(
            f"{root / 'labels.csv'} has no class folder beside it; unpack Train/<class>/ and "
            f"Test/<class>/, or <class>/ (anger, contempt, ...), into {root}"
        )
    for pth in (pth for pth in listed if pth not in found):
        for line, label, _ in listed[pth]:
            name, text = name_of(f"labels.csv/{line}"), str(label).lower()
            yield tree.row(raw, name, root / pth, text, tree.WORDS, split="train", line=line)


def _listed(path: Path) -> Listed:
    """Lower-case path below a split folder -> line, label and score of each line that lists it."""
    found: Listed = {}
    for line, (pth, label, score) in tree.table(path, ("pth", "label", "relFCs")):
        found.setdefault(pth.lower(), []).append((line, label, score))
    return found


def coded(raw: Path, root: Path, emotion_of: Mapping[str, str | None]) -> Iterator[Sample]:
    """Rows of {train,val,test}/<0..7>/; without a test folder the validation pictures are it.

    Raises: BadRaw.
    """
    name_of = tree.Names("affectnet")
    parts = class_folders.validation_tests(class_folders.splits(root))
    for split, part in parts.items():
        for path, folder in class_folders.labelled(part):
            name = name_of(path.relative_to(root).with_suffix("").as_posix())
            if folder is None:
                reason = "it lies in no class folder"
                yield tree.unlabelled(raw, name, path, reason, split=split)
            else:
                yield tree.row(raw, name, path, folder, emotion_of, split=split)


def yolo(raw: Path, root: Path) -> Iterator[Sample]:
    """Rows of {train,valid,test}/images with their label files.

    Raises: BadRaw.
    """
    names, name_of = _class_names(root / "data.yaml"), tree.Names("affectnet")
    parts = class_folders.validation_tests(class_folders.splits(root))
    for split, part in parts.items():
        notes = part / "labels"
        noted = {path.stem for path in tree.files(notes, (".txt",))}
        for stem, path in _by_stem(part / "images", noted, ".png"):
            labels, box = _objects(notes / f"{stem}.txt", names)
            label = labels[0] if len(set(labels)) == 1 else None
            columns = {"split": split, "given_box": _in_pixels(box, path)}
            name = name_of(f"{part.name}/{stem}")
            sample = tree.row(raw, name, path, label, tree.WORDS, **columns)
            if len(set(labels)) > 1 and sample.status != UNREADABLE:
                sample.status, sample.reason = UNCERTAIN, f"labelled {', '.join(labels)}"
            yield sample


def _class_names(path: Path) -> list[str]:
    text = "\n".join(line for _, line in tree.lines(path))
    try:
        names = yaml.safe_load(text)["names"]
        if isinstance(names, dict):
            names = [names[code] for code in sorted(names)]
    except (yaml.YAMLError, KeyError, TypeError):
        names = None
    if not isinstance(names, list) or not names:
        raise BadRaw(f"{path} has no list 'names' of the classes; download it again")
    return [str(name).strip().lower() for name in names]


def _objects(path: Path, names: list[str]) -> tuple[list[str], list[float] | None]:
    """The labels in a YOLO file and its first box; none without a file or line."""
    labels, first = [], None
    for line, text in tree.lines(path) if path.is_file() else ():
        code, *box = tree.numbers(text, 5, path, line)
        if not 0 <= code < len(names):
            raise BadRaw(
                f"{path}, line {line}: class {code:g}, but data.yaml names {len(names)}; "
                "restore the original line"
            )
        labels.append(names[int(code)])
        first = first or box
    return labels, first


def _in_pixels(box: list[float] | None, path: Path) -> list[float] | None:
    """Pixels xyxy of a box in shares; the picture's header tells its size."""
    size = tree.size(path) if box else None
    if box is None or size is None:
        return None
    (width, height), (x, y, w, h) = size, box
    edges = [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height]
    return [max(edges[0], 0), max(edges[1], 0), min(edges[2], width), min(edges[3], height)]
