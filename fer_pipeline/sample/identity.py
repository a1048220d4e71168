"""Who a synthetic person is: the shape of the face, skin, hair, beard, glasses, age."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from fer_pipeline.sample.canvas import Colour

Gender = Literal["female", "male"]

RACES: Final = ("Caucasian", "African-American", "Asian")

_SKIN: Final = {
    "Caucasian": ((238, 204, 184), (205, 160, 132)),
    "African-American": ((176, 126, 96), (112, 76, 58)),
    "Asian": ((240, 206, 172), (208, 166, 126)),
}
_HAIR: Final = {
    "Caucasian": ((58, 40, 28), (96, 64, 38), (160, 118, 66), (206, 174, 112), (34, 26, 22)),
    "African-American": ((26, 20, 18), (38, 28, 24)),
    "Asian": ((26, 22, 22), (42, 32, 28)),
}
_IRIS: Final = {
    "Caucasian": ((84, 60, 40), (86, 112, 134), (92, 104, 72)),
    "African-American": ((52, 34, 26),),
    "Asian": ((56, 38, 28),),
}
STYLES: Final = {
    "female": ("long", "bob", "bun", "fringe", "short"),
    "male": ("short", "parted", "crop", "bald", "fringe"),
}
BEARDS: Final = ("none", "none", "none", "stubble", "moustache", "full")


@dataclass(frozen=True)
class Identity:
    """One person. Lengths are in face units: half the average width of a face is 1.

    skin, hair, iris     RGB colours
    jaw, chin            widths of the lower face, 1 is average
    length               of the lower face, 1 is average
    eye_gap              distance of a pupil from the middle
    eye_width, eye_open  half length of the lid slit; height of its upper arc
    eye_slant            rise of the outer corner
    brow_height          above the pupil; brow_weight: thickness; brow_arch: rise of its middle
    nose_length, nose_width; mouth_width (half), lips (fullness, 1 is average)
    wrinkles             0 to 1, grows with age
    style, beard         one of STYLES, BEARDS; glasses: 0 none, 1 thin, 2 thick rims
    """

    gender: Gender
    race: str
    age: int
    skin: Colour
    hair: Colour
    iris: Colour
    lip: Colour
    jaw: float
    chin: float
    length: float
    cheeks: float
    eye_gap: float
    eye_width: float
    eye_open: float
    eye_slant: float
    brow_height: float
    brow_weight: float
    brow_arch: float
    nose_length: float
    nose_width: float
    mouth_width: float
    lips: float
    wrinkles: float
    style: str
    beard: str
    glasses: int


def person(
    rng: np.random.Generator,
    gender: Gender | None = None,
    race: str | None = None,
    ages: tuple[int, int] = (16, 72),
    glasses: float = 0.15,
) -> Identity:
    """A random person; `gender` and `race` fix those, `glasses` is the chance to wear some."""
    chosen: Gender = gender or ("female" if rng.random() < 0.5 else "male")
    origin = race or str(rng.choice(RACES, p=(0.56, 0.18, 0.26)))
    age = int(rng.integers(ages[0], ages[1] + 1))
    man = chosen == "male"
    skin = _between(*_SKIN[origin], rng.random())
    hair: Colour = _HAIR[origin][int(rng.integers(len(_HAIR[origin])))]
    if age > 45:
        hair = _between(hair, (196, 192, 188), min(1.0, (age - 45) / 30) * rng.random() ** 0.5)
    blood = (176, 72, 74) if not man else (168, 88, 82)
    style = str(rng.choice(STYLES[chosen]))
    beard = str(rng.choice(BEARDS)) if man and age > 18 else "none"

    def about(mean: float, spread: float) -> float:
        return min(max(rng.normal(mean, spread), mean - 2 * spread), mean + 2 * spread)

    return Identity(
        gender=chosen,
        race=origin,
        age=age,
        skin=skin,
        hair=hair,
        iris=_IRIS[origin][int(rng.integers(len(_IRIS[origin])))],
        lip=_between(skin, blood, 0.48 if man else 0.62),
        jaw=about(1.03 if man else 0.95, 0.05),
        chin=about(1.06 if man else 0.92, 0.10),
        length=about(1.03 if man else 0.98, 0.04),
        cheeks=about(1.0, 0.25),
        eye_gap=about(0.455, 0.018),
        eye_width=about(0.22 if man else 0.23, 0.012),
        eye_open=about(0.098 if origin != "Asian" else 0.082, 0.010),
        eye_slant=about(0.012 if origin != "Asian" else 0.035, 0.012),
        brow_height=about(0.30 if man else 0.34, 0.025),
        brow_weight=about(0.105 if man else 0.075, 0.015),
        brow_arch=about(0.035 if man else 0.06, 0.012),
        nose_length=about(0.60, 0.03),
        nose_width=about(0.25 if origin == "Caucasian" else 0.29, 0.02),
        mouth_width=about(0.385 if man else 0.365, 0.02),
        lips=about(0.92 if man else 1.1, 0.10) * (1.2 if origin == "African-American" else 1.0),
        wrinkles=float(np.clip((age - 30) / 45, 0, 1)),
        style=style,
        beard=beard,
        glasses=int(rng.random() < glasses) * int(rng.integers(1, 3)),
    )


def _between(a: Colour, b: Colour, share: float) -> Colour:
    red, green, blue = (x + (y - x) * share for x, y in zip(a, b, strict=True))
    return red, green, blue
