"""Clips laid out as MMI sessions: AVI files and the XML files around them."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from fer_pipeline.datasets._disk import canvas
from fer_pipeline.datasets._disk.mmi_coding import PHASES
from fer_pipeline.portraits import Portrait

WIDTH: Final = 640
HEIGHT: Final = 480
FRAMES_PER_SECOND: Final = 25

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def write(portraits: Iterable[Portrait], raw: Path, code_of: Mapping[str, str]) -> None:
    """One session per clip; see `mmi.write_sample`."""
    done: set[tuple[str, int | None]] = set()
    clips = groupby(portraits, key=lambda portrait: (portrait.subject, portrait.sequence))
    for number, (key, frames) in enumerate(clips, start=1):
        if key[1] is None:
            raise ValueError(f"MMI holds clips, but a portrait of {key[0]} is a still")
        if key in done:
            raise ValueError(f"the frames of clip {key} do not follow each other")
        done.add(key)
        stem = f"S{canvas.number(key[0]):03d}-{key[1]:03d}"
        _session(raw / "Sessions" / str(number), stem, frames, number, code_of)


def _session(
    folder: Path,
    stem: str,
    frames: Iterable[Portrait],
    number: int,
    code_of: Mapping[str, str],
) -> None:
    folder.mkdir(parents=True)
    # Every third video lies on its side, as the portrait-format recordings of the set do.
    clip = _write_video(folder / f"{stem}.avi", frames, turned=number % 3 == 0)
    apex = max(clip, key=lambda portrait: portrait.intensity)
    if apex.emotion != "neutral" and apex.emotion not in code_of:
        raise ValueError(f"MMI has no code for {apex.emotion!r}")
    coded = number % 4 != 0
    annotation = f'  <annotation filename="{stem}-oao_aucs.xml"/>\n' if coded else ""
    _text(
        folder / "session.xml",
        f'<session id="{number}">\n'
        f'  <track view="0" filename="{stem}.avi"/>\n{annotation}</session>\n',
    )
    tags = f'  <Metatag Name="Subject" Value="{stem[1:4]}"/>\n'
    if apex.emotion != "neutral":
        tags += f'  <Metatag Name="Emotion" Value="{code_of[apex.emotion]}"/>\n'
    _text(folder / f"{stem}.xml", f"<Recording>\n{tags}</Recording>\n")
    if coded:
        _text(folder / f"{stem}-oao_aucs.xml", _coding(clip, apex))


def _write_video(path: Path, frames: Iterable[Portrait], turned: bool) -> list[Portrait]:
    """Writes Motion JPEG and returns the clip's portraits."""
    size = (HEIGHT, WIDTH) if turned else (WIDTH, HEIGHT)
    video = cv2.VideoWriter(
        str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), FRAMES_PER_SECOND, size
    )
    if not video.isOpened():
        raise OSError(f"cannot write the video {path}")
    clip = []
    for portrait in frames:
        pixels, _ = canvas.fit(portrait.pixels, portrait.landmarks, WIDTH, HEIGHT)
        if turned:
            pixels = np.ascontiguousarray(np.rot90(pixels))
        video.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        clip.append(portrait)
    video.release()
    return clip


def _coding(clip: list[Portrait], apex: Portrait) -> str:
    """Markers at every change of phase, the same for all units at work at the apex."""
    changes: list[tuple[int, int]] = []
    for frame, portrait in enumerate(clip, start=1):
        kind = PHASES.index(portrait.phase or "neutral")
        if not changes or changes[-1][1] != kind:
            changes.append((frame, kind))
    markers = "".join(f'    <Marker Frame="{frame}" Type="{kind}"/>\n' for frame, kind in changes)
    units = "".join(
        f'  <ActionUnit Number="{unit}">\n{markers}  </ActionUnit>\n'
        for unit, level in sorted(apex.action_units.items())
        if level > 0
    )
    return f"<AUCoding>\n{units}</AUCoding>\n"


def _text(path: Path, text: str) -> None:
    path.write_text(_HEAD + text, encoding="utf-8", newline="\n")
