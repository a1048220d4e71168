"""CK+: 593 posed sequences of 123 people in the lab, 327 of them labelled (118 people), 7 classes.

Layouts
    original
        cohn-kanade-images/S005/001/S005_001_00000001.png ... (640 x 490 or 480)
        Emotion/S005/001/S005_001_00000011_emotion.txt: one float; only for labelled sequences,
        the folder may exist and be empty
        FACS/S005/001/S005_001_00000011_facs.txt: lines `unit intensity`, for the last frame
        Landmarks/S005/001/S005_001_00000001_landmarks.txt: 68 lines `x y`
    ck48
        {anger,contempt,...,surprise}/S010_004_00000017.png, 48 x 48: the last three frames
    ckextended
        ckextended.csv (`emotion,pixels,Usage`), 48 x 48, with codes of its own (EXTENDED_OF). It
        names no subject, so folds cannot be made from it: train elsewhere and test on it at most.
        Its random Usage is kept as an attribute, not as a split.

What a sequence's frames mean: it runs from neutral to the apex. In a labelled one the first frame
is neutral and the last three carry the label (the usual 327 + 981 stills); those between have
status uncertain, for clip models to use. Of an unlabelled sequence all frames are uncertain, the
first too, so that stills come from the 118 labelled people alone.

Subjects: in the names. Splits: none, 10 folds by subject. Attributes: AU12 = intensity on the last
frame. Contempt is kept; whoever trains on seven classes drops it.
Licence: by agreement, research only, not redistributable.
Paper: Lucey et al., "The extended Cohn-Kanade dataset (CK+)", CVPR workshops 2010.
http://www.jeffcohn.net/resources/
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_pipeline.datasets._disk import canvas, csv_pixels, tree
from fer_pipeline.errors import BadRaw
from fer_pipeline.manifest import UNREADABLE, Sample
from fer_pipeline.portraits import Portrait
from fer_pipeline.protocol import Protocol

EMOTION_OF: Final[dict[str, str | None]] = {
    "0": "neutral",
    "1": "anger",
    "2": "contempt",
    "3": "disgust",
    "4": "fear",
    "5": "happiness",
    "6": "sadness",
    "7": "surprise",
}
EXTENDED_OF: Final[dict[str, str | None]] = {
    "0": "anger",
    "1": "disgust",
    "2": "fear",
    "3": "happiness",
    "4": "sadness",
    "5": "surprise",
    "6": "neutral",
    "7": "contempt",
}
"""Codes of ckextended.csv: FER2013's order, then contempt."""

PROTOCOL: Final = Protocol("folds", "usual practice: 10 folds by subject, no official split", 10)
OBTAIN: Final = (
    "CK+ is free for research by agreement: http://www.jeffcohn.net/resources/; unpack "
    "cohn-kanade-images, Emotion, FACS and Landmarks there"
)
LABELLED: Final = 3
"""Frames at a sequence's end that carry its label."""

STRAY: Final = "the name is not of the form S005_001_00000001"

_FRAME: Final = re.compile(r"(S\d+)_(\d+)_(\d+)")


def recognise(raw: Path) -> str:
    """original, ck48 or ckextended.

    Raises: MissingData.
    """
    return _find(raw)[0]


def samples(raw: Path) -> Iterator[Sample]:
    """One row per frame, by subject, sequence and frame (ck48: by class; ckextended: by line).

    Raises: MissingData, BadRaw.
    """
    layout, root = _find(raw)
    if layout == "original":
        yield from _original(raw, root)
    elif layout == "ck48":
        yield from _ck48(raw, root)
    else:
        yield from _extended(root / "ckextended.csv")


def _find(raw: Path) -> tuple[str, Path]:
    for folder in tree.folders(raw):
        if (folder / "cohn-kanade-images").is_dir():
            return "original", folder
        if (folder / "ckextended.csv").is_file():
            return "ckextended", folder
        for child in tree.subfolders(folder):
            named = child.name.lower() in tree.WORDS
            if named and any(_FRAME.fullmatch(path.stem) for path in tree.files(child)):
                return "ck48", folder
    raise tree.missing("CK+", raw, "cohn-kanade-images/", OBTAIN)


def _original(raw: Path, root: Path) -> Iterator[Sample]:
    images, emotions = root / "cohn-kanade-images", root / "Emotion"
    subjects = {path.name for top in (images, emotions) for path in tree.subfolders(top)}
    for subject in sorted(subjects):
        tops = (images / subject, emotions / subject)
        takes = {path.name for top in tops for path in tree.subfolders(top)}
        for take in sorted(takes):
            yield from _sequence(raw, root, subject, take)


def _sequence(raw: Path, root: Path, subject: str, take: str) -> Iterator[Sample]:
    sequence = f"{subject}_{take}"
    label = _label(root / "Emotion" / subject / take)
    pictures = tree.files(root / "cohn-kanade-images" / subject / take)
    paths = [path for path in pictures if _FRAME.fullmatch(path.stem)]
    for path in pictures:
        if path not in paths:
            yield tree.unlabelled(raw, f"ckplus/{sequence}/{path.name}", path, STRAY)
    if label is not None and not paths:
        reason = "its Emotion file is there, but the sequence has no picture"
        yield Sample(
            f"ckplus/{sequence}",
            label,
            EMOTION_OF.get(label),
            subject=subject,
            sequence=sequence,
            status=UNREADABLE,
            reason=reason,
        )
    for place, path in enumerate(paths):
        from_end = len(paths) - place
        phase = "neutral" if place == 0 else "apex" if from_end <= LABELLED else "onset"
        own = {"neutral": "0", "onset": None, "apex": label}[phase] if label else None
        columns: dict[str, Any] = {"given_landmarks": _landmarks(root, path)}
        if from_end == 1:
            columns["attributes"] = _units(root / "FACS" / subject / take)
        sample = tree.row(
            raw,
            f"ckplus/{path.stem}",
            path,
            own,
            EMOTION_OF,
            subject=subject,
            sequence=sequence,
            frame=int(path.stem.split("_")[2]) - 1,
            phase=phase,
            **columns,
        )
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


def _units(folder: Path) -> dict[str, str]:
    """AU12 -> intensity of the last frame; {} without a FACS file."""
    found = tree.files(folder, ("_facs.txt",))
    units = {}
    for line, text in tree.lines(found[-1]) if found else ():
        unit, intensity = tree.numbers(text, 2, found[-1], line)
        units[f"AU{unit:g}"] = f"{intensity:g}"
    return units


def _landmarks(root: Path, picture: Path) -> list[float] | None:
    """x0, y0, x1, ... of the 68 points; None without a file."""
    take = picture.parent
    path = root / "Landmarks" / take.parent.name / take.name / f"{picture.stem}_landmarks.txt"
    if not path.is_file():
        return None
    pairs = [tree.numbers(text, 2, path, line) for line, text in tree.lines(path)]
    if len(pairs) != 68:
        raise BadRaw(f"{path}: {len(pairs)} points, not 68; unpack the original file again")
    return [value for pair in pairs for value in pair]


def _ck48(raw: Path, root: Path) -> Iterator[Sample]:
    name_of = tree.Names("ckplus")
    for folder in tree.subfolders(root):
        for path in tree.files(folder):
            match = _FRAME.fullmatch(path.stem)
            if match is None:
                yield tree.unlabelled(raw, name_of(f"{folder.name}/{path.name}"), path, STRAY)
                continue
            yield tree.row(
                raw,
                name_of(path.stem),
                path,
                folder.name.lower(),
                tree.WORDS,
                subject=match[1],
                sequence=f"{match[1]}_{match[2]}",
                frame=int(match[3]) - 1,
                phase="apex",
            )


def _extended(path: Path) -> Iterator[Sample]:
    for record in csv_pixels.rows(path):
        emotion, status, reason = tree.judge(record.emotion, EXTENDED_OF)
        yield Sample(
            f"ckplus/ckextended/{record.row:04d}",
            record.emotion,
            emotion,
            line=record.line,
            attributes={"usage": record.usage} if record.usage else {},
            status=status,
            reason=reason,
            pixels=record.pixels,
        )


def write_sample(portraits: Iterable[Portrait], raw: Path) -> None:
    """Lays clips out as `original`: 640 x 490 gray PNGs, Emotion, FACS and Landmarks.

    Frames after the apex (phase offset) are left out, as the set's sequences end at the apex. A
    clip whose last frame is neutral becomes an unlabelled sequence with an empty Emotion folder.

    Raises: ValueError for a portrait that belongs to no clip.
    """
    last: dict[tuple[str, str], tuple[int, Portrait]] = {}
    for portrait in portraits:
        if portrait.sequence is None or portrait.frame is None:
            raise ValueError(f"CK+ holds clips, but a portrait of {portrait.subject} is a still")
        if portrait.phase == "offset":
            continue
        key = (f"S{canvas.number(portrait.subject):03d}", f"{portrait.sequence:03d}")
        stem = "_".join((*key, f"{portrait.frame + 1:08d}"))
        pixels, points = canvas.fit(portrait.pixels, portrait.landmarks, 640, 490)
        canvas.write_gray_png(raw.joinpath("cohn-kanade-images", *key, f"{stem}.png"), pixels)
        _write_floats(raw.joinpath("Landmarks", *key, f"{stem}_landmarks.txt"), points)
        if key not in last or last[key][0] < portrait.frame:
            last[key] = (portrait.frame, portrait)
    for key, (frame, portrait) in last.items():
        _write_labels(raw, key, f"{'_'.join(key)}_{frame + 1:08d}", portrait)


def _write_labels(raw: Path, key: tuple[str, str], stem: str, apex: Portrait) -> None:
    code_of = {emotion: code for code, emotion in EMOTION_OF.items()}
    raw.joinpath("Emotion", *key).mkdir(parents=True, exist_ok=True)
    if apex.emotion != "neutral":
        code = np.array([[float(code_of[apex.emotion])]])
        _write_floats(raw.joinpath("Emotion", *key, f"{stem}_emotion.txt"), code)
    units = np.array(
        [[unit, level] for unit, level in sorted(apex.action_units.items()) if level > 0]
    )
    _write_floats(raw.joinpath("FACS", *key, f"{stem}_facs.txt"), units)


def _write_floats(path: Path, rows: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join("".join(f"   {value:.7e}" for value in row) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="\n")
