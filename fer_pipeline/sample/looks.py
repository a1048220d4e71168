"""How each dataset's pictures look, and how many people and pictures its sample has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from fer_pipeline.emotions import BASIC6, COMMON7, EMOTIONS
from fer_pipeline.sample.identity import Gender

Range = tuple[float, float]


@dataclass(frozen=True)
class Look:
    """One set's pictures. Ranges are drawn from uniformly, lengths are pixels, angles degrees.

    people      name of the people pictured: sets with the same one show the same pictures
    subjects    how many people; each: stills, or clips, of every one of them
    frames      of a clip, fewest and most; None: stills
    ends        where a clip stops: at the apex, or neutral again
    shares      relative number of pictures (or clips) per emotion
    splits      share of the people in each official split; empty for a set without
    size        height and width; scale: pixels per face unit (half the width of a face)
    turn        standard deviations of yaw, pitch and roll
    shift       how far the face lies off its place, in face units
    rise        how far the eyes lie above the picture's middle, in face units
    intensity   of the display, 0 to 1; forms: chances of `expression.FORMS`; upper, lower:
                how strongly the halves of the face take part
    rest        units at work in everybody, whatever they feel: eyes screwed up in the sun, a smile
                for the camera. Whoever learns from one set takes its habit for neutral
    mislabelled chance that a still got the label of a similar emotion
    ambient, strength, tint    of the light; side: how far from the front it comes; lamp: from
                where around the face, 0 is the right as seen, 90 below, 180 the left
    backdrop    studio wall or clutter; tone: brightness of the wall
    occlusion, glasses         chances
    blur, noise, contrast, gamma, gray    of the camera
    """

    people: str
    subjects: int
    each: int
    shares: Mapping[str, float]
    size: tuple[int, int]
    scale: Range
    turn: tuple[float, float, float]
    frames: tuple[int, int] | None = None
    ends: Literal["apex", "neutral"] = "apex"
    splits: Mapping[str, float] = field(default_factory=dict)
    shift: float = 0.0
    rise: float = 0.15
    intensity: Range = (0.85, 1.0)
    forms: tuple[float, float, float] = (0.5, 0.5, 0.0)
    upper: float = 1.0
    lower: float = 1.0
    rest: Mapping[int, float] = field(default_factory=dict)
    mislabelled: float = 0.0
    ambient: Range = (0.5, 0.6)
    side: Range = (0.0, 0.4)
    lamp: Range = (0.0, 360.0)
    strength: Range = (0.95, 1.05)
    tint: float = 0.0
    backdrop: Literal["plain", "clutter"] = "plain"
    tone: tuple[int, int] = (120, 190)
    occlusion: float = 0.0
    glasses: float = 0.0
    ages: tuple[int, int] = (18, 60)
    gender: Gender | None = None
    race: str | None = None
    blur: Range = (0.0, 0.0)
    noise: Range = (0.0, 0.0)
    contrast: Range = (1.0, 1.0)
    gamma: Range = (1.0, 1.0)
    gray: bool = False


_OFFICIAL3: Final = {"train": 0.8, "val": 0.1, "test": 0.1}
_WILD: Final = {
    "anger": 1.0,
    "disgust": 0.8,
    "fear": 0.9,
    "happiness": 1.5,
    "sadness": 1.1,
    "surprise": 1.0,
    "neutral": 1.3,
}

_FER: Final = Look(
    people="fer2013",
    subjects=220,
    each=4,
    shares={**_WILD, "contempt": 0.35},
    splits=_OFFICIAL3,
    size=(48, 48),
    scale=(18.0, 21.0),
    turn=(9, 5, 5),
    shift=0.10,
    intensity=(0.65, 1.0),
    ambient=(0.40, 0.65),
    side=(0.0, 0.9),
    strength=(0.88, 1.2),
    backdrop="clutter",
    occlusion=0.06,
    glasses=0.12,
    ages=(8, 78),
    blur=(0.3, 0.8),
    noise=(1, 6),
    contrast=(0.85, 1.25),
    gamma=(0.75, 1.2),
    gray=True,
    rise=0.28,
    upper=0.9,
    mislabelled=0.03,
    rest={7: 1.0, 25: 1.0},
    forms=(0.15, 0.75, 0.1),
)

LOOKS: Final[Mapping[str, Look]] = {
    "fer2013": _FER,
    # FER+ are the same pictures with more raters.
    "ferplus": _FER,
    "rafdb": Look(
        people="rafdb",
        subjects=220,
        each=3,
        shares=_WILD,
        splits={"train": 0.8, "test": 0.2},
        size=(140, 140),
        scale=(38, 44),
        turn=(10, 6, 6),
        shift=0.08,
        intensity=(0.65, 1.0),
        ambient=(0.40, 0.65),
        side=(0.0, 0.9),
        strength=(0.85, 1.15),
        tint=0.08,
        backdrop="clutter",
        occlusion=0.06,
        glasses=0.15,
        ages=(6, 80),
        blur=(0.0, 0.9),
        noise=(0, 4),
        contrast=(0.85, 1.2),
        gamma=(0.8, 1.25),
        lower=1.0,
        mislabelled=0.02,
        rest={12: 1.0},
        forms=(0.75, 0.15, 0.1),
    ),
    "ckplus": Look(
        people="ckplus",
        subjects=24,
        each=3,
        frames=(6, 8),
        shares=dict.fromkeys((e for e in EMOTIONS if e != "neutral"), 1.0),
        size=(490, 640),
        scale=(88, 98),
        turn=(3, 3, 2),
        shift=0.15,
        intensity=(0.9, 1.0),
        ambient=(0.25, 0.35),
        side=(0.9, 1.2),
        lamp=(165, 215),
        tone=(90, 140),
        ages=(18, 50),
        noise=(1, 3),
        contrast=(1.1, 1.25),
        gamma=(0.75, 0.85),
        strength=(0.84, 0.94),
        gray=True,
        upper=0.85,
        forms=(0.0, 1.0, 0.0),
        rest={4: 1.5, 17: 2.5, 24: 2.0},
    ),
    "jaffe": Look(
        people="jaffe",
        subjects=10,
        each=21,
        shares=dict.fromkeys(COMMON7, 1.0),
        size=(256, 256),
        scale=(66, 72),
        turn=(3, 3, 2),
        shift=0.06,
        intensity=(0.75, 1.0),
        ambient=(0.60, 0.70),
        side=(0.0, 0.15),
        tone=(70, 110),
        gender="female",
        race="Asian",
        ages=(20, 38),
        blur=(0.6, 1.1),
        noise=(2, 4),
        contrast=(0.9, 1.05),
        gamma=(0.9, 1.1),
        gray=True,
        upper=0.9,
        lower=0.8,
        rest={1: 0.8, 2: 0.8},
        forms=(0.5, 0.05, 0.45),
    ),
    "mmi": Look(
        people="mmi",
        subjects=12,
        each=3,
        frames=(14, 16),
        ends="neutral",
        shares=dict.fromkeys(BASIC6, 1.0),
        size=(480, 640),
        scale=(72, 84),
        turn=(4, 3, 2),
        shift=0.2,
        intensity=(0.9, 1.0),
        ambient=(0.45, 0.55),
        side=(0.2, 0.6),
        tint=0.05,
        tone=(40, 90),
        glasses=0.25,
        ages=(19, 62),
        blur=(0.5, 0.9),
        noise=(1, 2),
        upper=0.8,
        lower=1.0,
        rest={15: 2.0, 17: 1.5, 43: 1.0},
        forms=(0.7, 0.2, 0.1),
    ),
    "affectnet": Look(
        people="affectnet",
        subjects=220,
        each=3,
        shares={**_WILD, "contempt": 0.8},
        splits={"train": 0.85, "test": 0.15},
        size=(224, 224),
        scale=(44, 62),
        turn=(11, 7, 7),
        shift=0.25,
        intensity=(0.7, 1.0),
        ambient=(0.30, 0.60),
        side=(0.0, 1.1),
        strength=(0.75, 1.25),
        tint=0.10,
        backdrop="clutter",
        occlusion=0.07,
        glasses=0.2,
        ages=(5, 82),
        blur=(0.0, 1.6),
        noise=(0, 6),
        contrast=(0.75, 1.2),
        gamma=(0.75, 1.3),
        upper=1.0,
        lower=1.0,
        mislabelled=0.03,
        rest={4: 1.0, 26: 0.5},
        forms=(0.15, 0.15, 0.7),
    ),
}
"""The seven sets of the default run, by the names of their files in `datasets/`."""
