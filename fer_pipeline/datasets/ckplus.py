"""CK+: 593 posed sequences of 123 people in the lab, 327 of them labelled (118 people), 7 classes.

Layouts
    original
        cohn-kanade-images/S005/001/S005_001_00000001.png ... (640 x 490 or 480)
        Emotion/S005/001/S005_001_00000011_emotion.txt: one float; only for labelled sequences,
        the folder may exist and be empty
        FACS/S005/001/S005_001_00000011_facs.txt: lines `unit intensity`, for the last frame
        Landmarks/S005/001/S005_001_00000001_landmarks.txt: 68 lines `x y`
        The last three may lie elsewhere, as in Emotion_labels/Emotion/; without any emotion file
        the reading stops.
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

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_pipeline.datasets._disk import canvas, class_folders, csv_pixels, tree
from fer_pipeline.datasets._disk import ckplus_sequences as sequences
from fer_pipeline.datasets._disk.ckplus_sequences import FRAME
from fer_pipeline.manifest import Sample
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
_APEX: Final = {
    "anger": 135,
    "contempt": 54,
    "disgust": 177,
    "fear": 75,
    "happiness": 207,
    "sadness": 84,
    "surprise": 249,
}
LAYOUT_COUNTS: Final = {"original": {"sequences": 593}, "ck48": {"all": sum(_APEX.values())}}
LAYOUT_CLASSES: Final = {"original": {"all": {**_APEX, "neutral": 327}}, "ck48": {"all": _APEX}}
"""The last three frames of the 327 labelled sequences, and the first of each: neutral."""

OBTAIN: Final = (
    "CK+ is free for research by agreement: http://www.jeffcohn.net/resources/; unpack "
    "cohn-kanade-images, Emotion, FACS and Landmarks there"
)


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
        yield from sequences.samples(raw, root, EMOTION_OF, OBTAIN)
    elif layout == "ck48":
        yield from _ck48(raw, root)
    else:
        yield from _extended(root / "ckextended.csv")


def _find(raw: Path) -> tuple[str, Path]:
    for folder in tree.folders(raw):
        if tree.child(folder, sequences.IMAGES):
            return "original", folder
        if (folder / "ckextended.csv").is_file():
            return "ckextended", folder
        for child in tree.subfolders(folder):
            named = child.name.lower() in tree.WORDS
            if named and any(FRAME.fullmatch(path.stem) for path in tree.files(child)):
                return "ck48", folder
    raise tree.missing("CK+", raw, f"{sequences.IMAGES}/", OBTAIN)


def _ck48(raw: Path, root: Path) -> Iterator[Sample]:
    name_of = tree.Names("ckplus")
    for path, folder in class_folders.labelled(root):
        match = FRAME.fullmatch(path.stem)
        if match is None or folder is None:
            name, reason = path.relative_to(root).as_posix(), sequences.STRAY
            if folder is None:
                reason = "it lies in no class folder"
            yield tree.unlabelled(raw, name_of(name), path, reason)
            continue
        columns: dict[str, Any] = {
            "subject": match[1].upper(),
            "sequence": f"{match[1]}_{match[2]}".upper(),
            "frame": int(match[3]) - 1,
            "phase": "apex",
        }
        yield tree.row(raw, name_of(path.stem), path, folder.lower(), tree.WORDS, **columns)


def _extended(path: Path) -> Iterator[Sample]:
    for record in csv_pixels.rows(path, ("emotion", "Usage")):
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
