"""The emotion classes, their one order, and the spellings that datasets use for them."""

from typing import Final

from fer_pipeline.errors import UnknownName, nearest

EMOTIONS: Final = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
    "neutral",
    "contempt",
)
"""All classes. Integers exist only between decoded pixels and the loss, in this order."""

COMMON7: Final = EMOTIONS[:7]
"""The classes that nearly all sets share; contempt is dropped, never merged."""

BASIC6: Final = EMOTIONS[:6]
"""Ekman's six, for sets without neutral."""

SPELLINGS: Final = {
    "anger": ("anger", "angry", "an", "ang"),
    "disgust": ("disgust", "disgusted", "di", "dis"),
    "fear": ("fear", "fearful", "afraid", "scared", "fe", "fea"),
    "happiness": ("happiness", "happy", "joy", "joyful", "ha", "hap"),
    "sadness": ("sadness", "sad", "sa"),
    "surprise": ("surprise", "surprised", "su", "sur"),
    "neutral": ("neutral", "neutrality", "normal", "calm", "ne", "neu"),
    "contempt": ("contempt", "contemptuous", "co", "con"),
}

CIRCUMPLEX: Final = {
    "anger": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "happiness": (0.81, 0.51),
    "sadness": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "neutral": (0.0, 0.0),
    "contempt": (-0.56, 0.47),
}
"""(valence, arousal) in [-1, 1] for each emotion.

Source: Russell & Mehrabian 1977, "Evidence for a three-factor theory of emotions", J. Research in
Personality 11(3), 273-294: mean pleasure and arousal of "angry", "disgusted", "terrified", "happy",
"sad" and "surprised". Neutral is the origin by definition; contempt, which that table lacks, is put
midway between anger and disgust.
"""

POLARITY: Final = {
    "anger": -1,
    "disgust": -1,
    "fear": -1,
    "sadness": -1,
    "contempt": -1,
    "neutral": 0,
    "surprise": 1,
    "happiness": 1,
}
"""Ordinal reading: negative, neutral, positive. Surprise is counted positive, as its valence is."""

_EMOTION_OF: Final = {
    spelling: emotion for emotion, spellings in SPELLINGS.items() for spelling in spellings
}


def parse(name: str) -> str:
    """The emotion that a dataset's word means, in any letter case.

    Raises: UnknownName, with the nearest spelling.
    """
    key = name.strip().lower().replace("-", "_")
    if key not in _EMOTION_OF:
        hint = nearest(key, list(_EMOTION_OF))
        raise UnknownName(f"'{name}' is no emotion; {hint}known: {', '.join(EMOTIONS)}")
    return _EMOTION_OF[key]


def in_order(names: set[str] | frozenset[str]) -> tuple[str, ...]:
    """The given emotions in the order of `EMOTIONS`."""
    return tuple(emotion for emotion in EMOTIONS if emotion in names)
