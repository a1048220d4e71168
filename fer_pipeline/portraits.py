"""A synthetic face as the generator hands it to a dataset's `write_sample`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(slots=True)
class Portrait:
    """One rendered face and all that is known about it.

    pixels        (H, W, 3) RGB uint8; the dataset's file turns it gray, scales and encodes it
    emotion       one of `emotions.EMOTIONS`
    subject       name of the person, `s001` and so on; unique persons, shared by stills and clips
    split         train, val or test (subject-disjoint); None for sets without official splits
    intensity     0 (neutral) to 1 (apex)
    votes         ten raters' votes: EMOTIONS order, then unknown, then not a face; sum 10
    action_units  FACS number -> intensity 0 to 5 (A to E)
    landmarks     (68, 2) float32 pixels, iBUG 68-point order
    box           (4,) float32 pixels xyxy around the face
    valence, arousal   in [-1, 1]
    gender        female or male; race: Caucasian, African-American or Asian; age: years
    sequence      number of the subject's clip, from 1; None for a still
    frame         0-based within the clip; phase: neutral, onset, apex or offset
    """

    pixels: np.ndarray
    emotion: str
    subject: str
    split: str | None
    intensity: float
    votes: tuple[int, ...]
    landmarks: np.ndarray
    box: np.ndarray
    valence: float
    arousal: float
    gender: str
    race: str
    age: int
    action_units: Mapping[int, float] = field(default_factory=dict)
    sequence: int | None = None
    frame: int | None = None
    phase: str | None = None
