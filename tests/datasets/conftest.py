"""Small look-alikes: pictures of a few pixels, and portraits as the generator hands them over."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.portraits import Portrait


@pytest.fixture
def put() -> Callable[..., Path]:
    """Writes a small picture (by default) or a text below a folder and returns its path."""

    def write(root: Path, name: str, text: str | None = None, size: tuple[int, int] = (8, 6)):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_bytes(text.encode())
        else:
            Image.new("RGB", size, (len(name) % 250, 90, 30)).save(path)
        return path

    return write


@pytest.fixture
def portrait() -> Callable[..., Portrait]:
    """Makes a 320 x 240 portrait with a bright square where the face is."""

    def make(emotion: str = "happiness", subject: str = "s001", **more: Any) -> Portrait:
        pixels = np.full((240, 320, 3), 40, np.uint8)
        pixels[50:190, 90:210] = (220, 160, 120)
        points = np.stack([np.linspace(100, 200, 68), np.linspace(60, 180, 68)], axis=1)
        points[36:42], points[42:48], points[30] = (125, 95), (175, 95), (150, 125)
        points[48], points[54] = (130, 155), (170, 155)
        votes = [0] * 10
        votes[EMOTIONS.index(emotion)], votes[8] = 8, 2
        values: dict[str, Any] = {
            "split": None,
            "intensity": 1.0,
            "votes": tuple(votes),
            "landmarks": points.astype(np.float32),
            "box": np.array([90, 50, 210, 190], np.float32),
            "valence": 0.25,
            "arousal": -0.5,
            "gender": "female",
            "race": "Asian",
            "age": 30,
            "action_units": {12: 3.0, 25: 1.0},
        }
        return Portrait(pixels, emotion, subject, **values | more)

    return make


PHASES = ("neutral", "onset", "apex", "apex", "apex", "offset")


@pytest.fixture
def clip(portrait) -> Callable[..., list[Portrait]]:
    """Makes the six frames of a clip, neutral to offset, the apex on frames 2 to 4."""

    def make(emotion: str, subject: str, sequence: int) -> list[Portrait]:
        return [
            portrait(
                "neutral" if phase == "neutral" else emotion,
                subject,
                sequence=sequence,
                frame=frame,
                phase=phase,
                intensity=float(phase == "apex"),
                action_units={} if phase == "neutral" else {12: 3.0},
            )
            for frame, phase in enumerate(PHASES)
        ]

    return make


@pytest.fixture
def content() -> Callable[[Path], dict[str, bytes]]:
    """Reads every file below a folder."""

    def read(root: Path) -> dict[str, bytes]:
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}

    return read
