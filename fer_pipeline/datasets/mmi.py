"""MMI: about 2,900 videos and stills of 75 people in the lab; about 205 videos carry an emotion.

Layout `sessions`: Sessions/<session id>/ with
    session.xml            <track view="0|1|2" .../>
    S001-002.avi           subject-serial; sessions of stills hold .jpg or .png instead
    S001-002.xml           <Metatag Name="Emotion" Value="1"/>, only in emotion sessions
    S001-002-oao_aucs.xml  <ActionUnit Number="12"><Marker Frame="1" Type="0"/>...: neutral 0,
                           onset 1, apex 2, offset 3; frames from 1; only in coded sessions

Views, of videos and stills alike: 0 frontal (turned clockwise unless it is 480 high), 1 turned
counter-clockwise, 2 frontal and profile side by side, of which the left, frontal one is read. The
view stays as an attribute.

What a video's frames mean: it runs neutral - apex - neutral. Every frame of a labelled video is a
row. With AU coding a frame is at the apex when any unit is, else in onset, offset, or neutral;
without it the middle third is the apex. Apex frames carry the emotion; the first frame is neutral,
without a label of the set's own, if no unit has started; the others have status uncertain, for clip
models to use. A video without an emotion is one uncertain row, its first frame. Units at work are
attributes AU12 = apex.

Labels 7 (scream), 8 (bored) and 9 (sleepy) are no emotion classes. Subjects: name before `-`.
Splits: none, 10 folds by subject. Licence: end-user agreement, research only.
Paper: Pantic, Valstar, Rademaker, Maat, "Web-based database for facial expression analysis",
ICME 2005. https://mmifacedb.eu
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import cv2

from fer_pipeline.datasets._disk import mmi_coding as coding
from fer_pipeline.datasets._disk import mmi_sample, tree
from fer_pipeline.images import VIDEOS
from fer_pipeline.manifest import OK, UNCERTAIN, UNREADABLE, Sample
from fer_pipeline.portraits import Portrait
from fer_pipeline.protocol import Protocol

EMOTION_OF: Final[dict[str, str | None]] = {
    "1": "anger",
    "2": "disgust",
    "3": "fear",
    "4": "happiness",
    "5": "sadness",
    "6": "surprise",
    "7": None,
    "8": None,
    "9": None,
}
PROTOCOL: Final = Protocol("folds", "usual practice: 10 folds by subject, no official split", 10)
OBTAIN: Final = (
    "MMI is free for research by agreement: register at https://mmifacedb.eu, search for sessions "
    "with an emotion, download them with their XML files and unpack Sessions/ there"
)

_STEM: Final = re.compile(r"(S\d+)-(\d+)", re.IGNORECASE)


def recognise(raw: Path) -> str:
    """sessions.

    Raises: MissingData.
    """
    _find(raw)
    return "sessions"


def samples(raw: Path) -> Iterator[Sample]:
    """One row per frame of a labelled video, per still, and per unlabelled video; by session.

    Raises: MissingData, BadRaw.
    """
    root = _find(raw)
    name_of, sequence_of = tree.Names("mmi"), tree.Names("")
    for session in tree.subfolders(root):
        views = coding.views(session / "session.xml")
        for path in tree.files(session, (*VIDEOS, *tree.PICTURES)):
            match = _STEM.match(path.stem)
            label = coding.emotion(session / f"{path.stem}.xml")
            if label is None and match is not None:
                label = coding.emotion(session / f"{match[0]}.xml")
            view = views.get(path.name, views.get(""))
            columns = {
                "subject": match[1].upper() if match else None,
                "attributes": {"view": view} if view else {},
            }
            name = name_of(f"{session.name}/{path.stem}")
            if path.suffix.lower() in VIDEOS:
                sequence = sequence_of(path.stem).removeprefix("/")
                yield from _video(raw, path, name, label, sequence=sequence, **columns)
            else:
                upright = _upright(view, *(tree.size(path) or (0, 0)))
                yield tree.row(raw, name, path, label, EMOTION_OF, view=upright, **columns)


def _find(raw: Path) -> Path:
    for folder in tree.folders(raw):
        if folder.name.lower() == "sessions" or (folder / "1" / "session.xml").is_file():
            return folder
        sessions = tree.child(folder, "Sessions")
        if sessions:
            return sessions
    raise tree.missing("MMI", raw, "Sessions/<session id>/", OBTAIN)


def _video(raw: Path, path: Path, name: str, label: str | None, **columns: Any) -> Iterator[Sample]:
    """Rows of one video, all with its sequence and subject."""
    count, width, height = _probe(path)
    emotion, status, reason = tree.judge(label, EMOTION_OF)
    below = path.relative_to(raw).as_posix()
    attributes = columns.pop("attributes")
    columns |= {"path": below, "view": _upright(attributes.get("view"), width, height)}
    if count == 0:
        reason = "the video cannot be opened"
        yield Sample(
            name,
            label,
            emotion,
            frame=0,
            attributes=attributes,
            status=UNREADABLE,
            reason=reason,
            **columns,
        )
        return
    if status != OK:
        yield Sample(
            name,
            label,
            None,
            frame=0,
            attributes=attributes,
            status=status,
            reason=reason,
            **columns,
        )
        return
    coded = coding.units(path.with_name(f"{path.stem}-oao_aucs.xml"), count)
    for frame, phase in enumerate(coding.phases(coded, count)):
        at_work = {
            f"AU{unit}": course[frame]
            for unit, course in sorted(coded.items())
            if course[frame] != "neutral"
        }
        sample = Sample(
            f"{name}/{frame:04d}",
            None,
            None,
            frame=frame,
            phase=phase,
            attributes=attributes | at_work,
            **columns,
        )
        if phase == "apex":
            sample.label, sample.emotion = label, emotion
        elif frame == 0 and phase == "neutral":
            sample.emotion = "neutral"
        else:
            sample.status = UNCERTAIN
            sample.reason = f"{phase} frame: the label holds for the apex"
        yield sample


def _probe(path: Path) -> tuple[int, int, int]:
    """Frames, width and height of a video by its header; zeros when it cannot be opened."""
    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            return 0, 0, 0
        count = round(video.get(cv2.CAP_PROP_FRAME_COUNT))
        if count <= 0:
            # Some containers do not store the number of frames.
            count = 0
            while video.grab():
                count += 1
        width = round(video.get(cv2.CAP_PROP_FRAME_WIDTH))
        return count, width, round(video.get(cv2.CAP_PROP_FRAME_HEIGHT))
    finally:
        video.release()


def _upright(view: str | None, width: int, height: int) -> str | None:
    """The `view` column for a session's view; the numbers are those of the set's 576-line video.

    None also where the size is not known (0): then there is no picture to turn.
    """
    if 0 in (width, height):
        return None
    if view == "0" and height != 480:
        return "rot270"
    if view == "1":
        return "rot90"
    if view == "2":
        return f"crop:0,0,{min(361, width)},{min(576, height)}"
    return None


def write_sample(portraits: Iterable[Portrait], raw: Path) -> None:
    """Lays clips out as sessions of Motion JPEG video, 640 x 480, 25 frames a second.

    The frames of a clip follow each other. Every third video lies on its side, so that the view
    matters; three sessions of four have AU coding. A clip that stays neutral gets no emotion.

    Raises: ValueError for a still, or an emotion that the set does not know.
    """
    code_of = {emotion: code for code, emotion in EMOTION_OF.items() if emotion}
    mmi_sample.write(portraits, raw, code_of)
