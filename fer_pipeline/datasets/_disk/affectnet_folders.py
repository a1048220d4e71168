"""AffectNet as it is handed around in folders: NumPy annotations, Kaggle, YOLO, class numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from PIL import Image, UnidentifiedImageError

from fer_pipeline.datasets._disk import tree
from fer_pipeline.datasets._disk.affectnet_lists import affect
from fer_pipeline.errors import BadRaw
from fer_pipeline.manifest import UNCERTAIN, UNREADABLE, Sample

NPY: Final = {"train_set": "train", "val_set": "test"}
CODED: Final = {"train": "train", "val": "val", "test": "test"}
YOLO: Final = {"train": "train", "valid": "val", "test": "test"}
KAGGLE: Final = {"Train": "train", "Test": "test"}


def npy(raw: Path, root: Path, emotion_of: Mapping[str, str | None]) -> Iterator[Sample]:
    """Rows of train_set and val_set, by id.

    Raises: BadRaw.
    """
    for part, split in NPY.items():
        notes = root / part / "annotations"
        pictures = {path.stem: path for path in tree.files(root / part / "images")}
        noted = {path.name.removesuffix("_exp.npy") for path in tree.files(notes, ("_exp.npy",))}
        for stem in sorted(noted | pictures.keys(), key=tree.natural):
            path = pictures.get(stem, root / part / "images" / f"{stem}.jpg")
            values = {name: _scalar(notes / f"{stem}_{name}.npy") for name in ("exp", "val", "aro")}
            where = str(notes / f"{stem}_*.npy")
            columns: dict[str, Any] = {"split": split}
            columns["valence"] = affect(values["val"] or "", where)
            columns["arousal"] = affect(values["aro"] or "", where)
            columns["given_landmarks"] = _points(notes / f"{stem}_lnd.npy")
            name, label = f"affectnet/{part}/{stem}", values["exp"]
            yield tree.row(raw, name, path, label, emotion_of, **columns)


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

    Raises: BadRaw.
    """
    rows = tree.table(root / "labels.csv", ("pth", "label", "relFCs"))
    listed = {pth.lower(): (line, label, score) for line, (pth, label, score) in rows}
    found, name_of = set(), tree.Names("affectnet")
    parts = {part: split for part, split in KAGGLE.items() if (root / part).is_dir()}
    for part, split in (parts or {"": "train"}).items():
        for folder in tree.subfolders(root / part):
            for path in tree.files(folder):
                pth = f"{folder.name}/{path.name}".lower()
                found.add(pth)
                line, label, score = listed.get(pth, (None, folder.name, None))
                attributes = {"relFCs": score} if score else {}
                if label.lower() != folder.name.lower():
                    attributes["folder"] = folder.name
                name = name_of(path.relative_to(root).with_suffix("").as_posix())
                yield tree.row(
                    raw,
                    name,
                    path,
                    label.lower(),
                    tree.WORDS,
                    split=split,
                    line=line,
                    attributes=attributes,
                )
    for pth, (line, label, _) in listed.items():
        if pth not in found:
            name = name_of(f"labels.csv/{line}")
            yield tree.row(
                raw, name, root / pth, label.lower(), tree.WORDS, split="train", line=line
            )


def coded(raw: Path, root: Path, emotion_of: Mapping[str, str | None]) -> Iterator[Sample]:
    """Rows of {train,val,test}/<0..7>/; without a test folder the validation pictures are it."""
    name_of = tree.Names("affectnet")
    for part, split in CODED.items():
        if part == "val" and not (root / "test").is_dir():
            split = "test"
        for folder in tree.subfolders(root / part):
            for path in tree.files(folder):
                name = name_of(path.relative_to(root).with_suffix("").as_posix())
                yield tree.row(raw, name, path, folder.name, emotion_of, split=split)


def yolo(raw: Path, root: Path) -> Iterator[Sample]:
    """Rows of {train,valid,test}/images with their label files.

    Raises: BadRaw.
    """
    names = _class_names(root / "data.yaml")
    for part, split in YOLO.items():
        notes = root / part / "labels"
        pictures = {path.stem: path for path in tree.files(root / part / "images")}
        noted = {path.stem for path in tree.files(notes, (".txt",))}
        for stem in sorted(noted | pictures.keys(), key=tree.natural):
            path = pictures.get(stem, root / part / "images" / f"{stem}.png")
            labels, box = _objects(notes / f"{stem}.txt", names)
            label = labels[0] if len(set(labels)) == 1 else None
            sample = tree.row(
                raw,
                f"affectnet/{part}/{stem}",
                path,
                label,
                tree.WORDS,
                split=split,
                given_box=_in_pixels(box, path),
            )
            if len(set(labels)) > 1 and sample.status != UNREADABLE:
                sample.status, sample.reason = UNCERTAIN, f"labelled {', '.join(labels)}"
            yield sample


def _class_names(path: Path) -> list[str]:
    try:
        names = yaml.safe_load(path.read_text(encoding="utf-8"))["names"]
    except (yaml.YAMLError, KeyError, TypeError):
        raise BadRaw(f"{path} has no list 'names' of the classes; download it again") from None
    if isinstance(names, dict):
        names = [names[code] for code in sorted(names)]
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
    if box is None or not path.is_file():
        return None
    try:
        with Image.open(path) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, OSError):
        return None
    x, y, w, h = box
    edges = [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height]
    return [max(edges[0], 0), max(edges[1], 0), min(edges[2], width), min(edges[3], height)]
