"""CK+ as its own archives unpack: sequences of pictures, and their label files in other trees."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fer_pipeline.datasets._disk import tree
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.manifest import UNREADABLE, Sample

IMAGES: Final = "cohn-kanade-images"
LABELLED: Final = 3
"""Frames at a sequence's end that carry its label."""

FRAME: Final = re.compile(r"(S\d+)_(\d+)_(\d+)", re.IGNORECASE)
STRAY: Final = "the name is not of the form S005_001_00000001"

_SUBJECT: Final = re.compile(r"S\d+", re.IGNORECASE)

Takes = Mapping[tuple[str, str], Path]
"""(subject, take), both in upper case -> folder of the sequence."""


@dataclass(frozen=True)
class Trees:
    """The sequences' folders in each of the set's four trees, {} for one that is not there."""

    images: Takes
    labels: Mapping[tuple[str, str], str | None]
    units: Takes
    landmarks: Takes


def samples(
    raw: Path, root: Path, emotion_of: Mapping[str, str | None], obtain: str
) -> Iterator[Sample]:
    """Rows of all sequences, by subject and take, then those of pictures outside of them.

    Raises: MissingData without labels, BadRaw.
    """
    images = tree.child(root, IMAGES) or root / IMAGES
    emotion, facs, points = (_top(raw, root, name) for name in ("Emotion", "FACS", "Landmarks"))
    labels = {key: _label(folder) for key, folder in _takes(emotion).items()}
    if not any(labels.values()):
        raise MissingData(
            f"no Emotion/S005/001/S005_001_00000011_emotion.txt or its like in {raw}: without them "
            f"no picture has a label; unpack the folder Emotion beside {images}. {obtain}"
        )
    trees = Trees(_takes(images), labels, _takes(facs), _takes(points))
    for key in sorted({*trees.images, *labels}):
        yield from _sequence(raw, key, trees, emotion_of)
    for folder in (images, *tree.subfolders(images)):
        for path in tree.files(folder):
            name = f"ckplus/{path.relative_to(images).as_posix()}"
            yield tree.unlabelled(raw, name, path, "it lies in no sequence's folder")


def _top(raw: Path, root: Path, name: str) -> Path | None:
    """The folder of that name that holds subjects, nearest to the pictures; None: there is none."""
    for start in (root, raw):
        for place in tree.folders(start):
            found = tree.child(place, name)
            if found and any(_SUBJECT.fullmatch(below.name) for below in tree.subfolders(found)):
                return found
    return None


def _takes(top: Path | None) -> dict[tuple[str, str], Path]:
    subjects = tree.subfolders(top) if top else []
    return {
        (subject.name.upper(), take.name.upper()): take
        for subject in subjects
        for take in tree.subfolders(subject)
    }


def _sequence(
    raw: Path, key: tuple[str, str], trees: Trees, emotion_of: Mapping[str, str | None]
) -> Iterator[Sample]:
    subject, sequence = key[0], "_".join(key)
    label, folder = trees.labels.get(key), trees.images.get(key)
    pictures = tree.walk(folder) if folder else []
    paths = [path for path in pictures if FRAME.fullmatch(path.stem) and path.parent == folder]
    for path in pictures:
        if folder and path not in paths:
            name = f"ckplus/{sequence}/{path.relative_to(folder).as_posix()}"
            yield tree.unlabelled(raw, name, path, STRAY)
    columns: dict[str, Any] = {"subject": subject, "sequence": sequence}
    if label is not None and not paths:
        reason = "its Emotion file is there, but the sequence has no picture"
        columns |= {"status": UNREADABLE, "reason": reason}
        yield Sample(f"ckplus/{sequence}", label, emotion_of.get(label), **columns)
    for place, path in enumerate(paths):
        from_end = len(paths) - place
        phase = "neutral" if place == 0 else "apex" if from_end <= LABELLED else "onset"
        own = {"neutral": "0", "onset": None, "apex": label}[phase] if label else None
        columns["given_landmarks"] = _landmarks(trees.landmarks.get(key), path)
        units = _units(trees.units.get(key)) if from_end == 1 else {}
        columns |= {"attributes": units, "intensity": _intensity(units)}
        columns |= {"frame": int(path.stem.split("_")[2]) - 1, "phase": phase}
        sample = tree.row(raw, f"ckplus/{path.stem}", path, own, emotion_of, **columns)
        if label and own is None:
            sample.reason = "between neutral and apex: the label holds for the last three frames"
        elif label is None:
            sample.reason = "its sequence has no emotion label"
        yield sample


def _label(folder: Path) -> str | None:
    """The sequence's code, None without a file."""
    found = tree.files(folder, ("_emotion.txt",))
    if not found:
        return None
    text = found[-1].read_text(encoding="latin-1").strip()
    try:
        return str(int(float(text)))
    except (ValueError, OverflowError):
        raise BadRaw(
            f"{found[-1]}, line 1: '{text[:40]}' is no emotion code; unpack the original file again"
        ) from None


def _units(folder: Path | None) -> dict[str, str]:
    """AU12 -> intensity of the last frame; {} without a FACS file."""
    found = tree.files(folder, ("_facs.txt",)) if folder else []
    units = {}
    for line, text in tree.lines(found[-1]) if found else ():
        unit, intensity = tree.numbers(text, 2, found[-1], line)
        units[f"AU{unit:g}"] = f"{intensity:g}"
    return units


def _intensity(units: Mapping[str, str]) -> float | None:
    """Mean of the units' intensities, A to E as 0.2 to 1; None where no unit was given one."""
    given = [float(value) for value in units.values() if float(value) > 0]
    return min(sum(given) / (5 * len(given)), 1.0) if given else None


def _landmarks(folder: Path | None, picture: Path) -> list[float] | None:
    """x0, y0, x1, ... of the 68 points; None without a file."""
    path = folder / f"{picture.stem}_landmarks.txt" if folder else None
    if path is None or not path.is_file():
        return None
    pairs = [tree.numbers(text, 2, path, line) for line, text in tree.lines(path)]
    if len(pairs) != 68:
        raise BadRaw(f"{path}: {len(pairs)} points, not 68; unpack the original file again")
    return [value for pair in pairs for value in pair]
