"""What a face shows: emotions as FACS action units, the raters' votes, valence and arousal."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from fer_pipeline.emotions import CIRCUMPLEX, EMOTIONS

FORMS: Final[Mapping[str, tuple[Mapping[int, float], ...]]] = {
    "anger": (
        {4: 5, 5: 2, 7: 4, 17: 2.5, 23: 4, 24: 4},
        {4: 5, 5: 3, 7: 3.5, 10: 2.5, 16: 3, 22: 2, 25: 4},
        {4: 5, 7: 3, 10: 1, 25: 5, 26: 3, 27: 4},
    ),
    "disgust": (
        {4: 2, 7: 3, 9: 5, 10: 4, 17: 4},
        {4: 2, 7: 3, 9: 5, 10: 5, 16: 2, 25: 3},
        {4: 1, 7: 2, 10: 5, 25: 4},
    ),
    "fear": (
        {1: 5, 2: 3, 4: 3.5, 5: 5, 20: 5, 25: 2},
        {1: 5, 2: 3, 4: 3.5, 5: 5, 20: 4.5, 25: 5, 26: 1.5},
        {1: 5, 2: 4, 4: 2, 5: 5, 25: 5, 26: 4, 27: 2},
    ),
    "happiness": (
        {6: 4, 12: 4.5},
        {6: 4, 12: 5, 25: 5, 26: 1.5},
        {12: 3.5},
    ),
    "sadness": (
        {1: 5, 4: 2.5, 15: 5, 17: 2.5},
        {1: 5, 4: 3, 11: 2, 15: 4, 25: 2.5, 43: 2},
        {4: 4, 7: 1.5, 15: 4.5, 17: 4},
    ),
    "surprise": (
        {1: 4.5, 2: 5, 5: 4, 25: 4, 26: 2},
        {1: 5, 2: 5, 5: 5, 25: 5, 26: 4, 27: 4},
        {1: 4.5, 2: 5, 5: 3},
    ),
    "neutral": ({}, {}, {}),
    "contempt": (
        {12: 3.5, 14: 5},
        {2: 2, 12: 3, 14: 5, 25: 1},
        {14: 5},
    ),
}
"""Action units of each emotion's full display, intensity 0 to 5 (A to E), in three forms: the
prototype with lips closed, or as near to it as the emotion goes; the prototype with lips parted;
and a partial display, or one of the mouth mainly.

Source: the prototypes are those of Ekman, Friesen & Hager, FACS Investigator's Guide (2002), with
their major variants. That most displays outside the laboratory are partial, and look alike across
emotions, is the finding of Barrett et al., "Emotional expressions reconsidered", Psychological
Science in the Public Interest 20(1), 2019. Contempt acts on one side only.
"""

ONE_SIDED: Final = frozenset({"contempt"})

_NEAR: Final = {
    "anger": {"disgust": 0.6, "contempt": 0.15, "neutral": 0.25},
    "disgust": {"anger": 0.6, "contempt": 0.15, "sadness": 0.25},
    "fear": {"surprise": 0.7, "sadness": 0.3},
    "happiness": {"neutral": 0.7, "surprise": 0.15, "contempt": 0.15},
    "sadness": {"neutral": 0.6, "fear": 0.25, "anger": 0.15},
    "surprise": {"fear": 0.7, "happiness": 0.3},
    "neutral": {"sadness": 0.5, "contempt": 0.2, "anger": 0.15, "happiness": 0.15},
    "contempt": {"neutral": 0.5, "happiness": 0.3, "anger": 0.2},
}
"""What raters take an emotion for when they err."""


UPPER_FACE: Final = frozenset({1, 2, 4, 5, 6, 7, 9, 43})
"""Action units of brows, lids and the root of the nose."""


def variant(
    emotion: str,
    rng: np.random.Generator,
    forms: Sequence[float] = (0.5, 0.5, 0.0),
    upper: float = 1.0,
    lower: float = 1.0,
) -> dict[int, float]:
    """One person's full display of `emotion` on one occasion: one of its forms, each unit varied.

    forms          chance of each of the three forms
    upper, lower   how strongly the halves of the face take part, 1 is as the prototype says
    """
    chosen = FORMS[emotion][int(rng.choice(3, p=forms))]
    levels = (
        level * rng.uniform(0.85, 1.1) * (upper if unit in UPPER_FACE else lower)
        for unit, level in chosen.items()
    )
    return {unit: min(max(level, 0.0), 5.0) for unit, level in zip(chosen, levels, strict=True)}


def mistaken(emotion: str, rng: np.random.Generator) -> str:
    """What a rater who errs takes `emotion` for."""
    names = list(_NEAR[emotion])
    return str(rng.choice(names, p=list(_NEAR[emotion].values())))


def at(
    display: Mapping[int, float], rest: Mapping[int, float], intensity: float
) -> dict[int, float]:
    """The display's action units at `intensity` in [0, 1] on top of a habitual `rest`.

    Units at work in both add up, to 5 at most; traces are left out.
    """
    levels = {
        unit: round(min(display.get(unit, 0) * intensity + rest.get(unit, 0), 5.0), 2)
        for unit in sorted({*display, *rest})
    }
    return {unit: level for unit, level in levels.items() if level >= 0.1}


def affect(emotion: str, intensity: float, rng: np.random.Generator) -> tuple[float, float]:
    """Valence and arousal in [-1, 1]: the emotion's place on the circumplex times the intensity."""
    felt = np.array(CIRCUMPLEX[emotion]) * intensity + rng.normal(0, 0.05, 2)
    valence, arousal = np.clip(felt, -1, 1).round(4).tolist()
    return valence, arousal


def votes(
    emotion: str, intensity: float, ambiguity: float, rng: np.random.Generator
) -> tuple[int, ...]:
    """Ten raters' votes: EMOTIONS order, then unknown, then not a face.

    A rater sees the emotion with a chance that falls with `ambiguity` (0 to 1) and with missing
    intensity; weak displays are taken for neutral, the rest for a neighbour or unknown.
    """
    strength = 1.0 if emotion == "neutral" else intensity
    right = (1 - 0.55 * ambiguity) * (0.45 + 0.5 * strength)
    chances = dict.fromkeys([*EMOTIONS, "unknown", "no face"], 0.0)
    rest = 1 - right
    for name, share in _NEAR[emotion].items():
        chances[name] += 0.6 * rest * share
    chances["neutral"] += 0.3 * rest
    chances["unknown"] += 0.1 * rest
    chances[emotion] += right
    probabilities = np.array(list(chances.values()))
    drawn = rng.multinomial(10, probabilities / probabilities.sum())
    return tuple(int(count) for count in drawn)
