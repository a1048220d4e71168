"""From a look to portraits: who is pictured, showing what, and in which setting."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from fer_pipeline.portraits import Portrait
from fer_pipeline.sample import expression, scene
from fer_pipeline.sample.canvas import Colour
from fer_pipeline.sample.geometry import shape
from fer_pipeline.sample.identity import Identity, person
from fer_pipeline.sample.looks import Look
from fer_pipeline.sample.pose import Pose
from fer_pipeline.sample.render import Light, head
from fer_pipeline.seeds import derive


@dataclass(frozen=True)
class Setting:
    """All that stays as it is during one still or one clip."""

    who: Identity
    pose: Pose
    light: Light
    camera: scene.Camera
    cloth: Colour
    gaze: tuple[float, float]
    occluded: bool
    seed: int
    """Of backdrop, hair streaks and occlusion."""


@dataclass(frozen=True)
class Shot:
    """A still or a clip to be taken.

    frames   number of frames, 1 for a still; sequence: number of the subject's clip, None: still
    """

    look: Look
    seed: int
    subject: str
    split: str | None
    emotion: str
    number: int
    frames: int = 1
    sequence: int | None = None


def take(shot: Shot) -> list[Portrait]:
    """The portraits of a shot, frame after frame. Depends on the shot and on nothing else."""
    look = shot.look
    born = np.random.default_rng(derive(shot.seed, look.people, shot.subject, "person"))
    who = person(born, look.gender, look.race, look.ages, look.glasses)
    rng = np.random.default_rng(derive(shot.seed, look.people, shot.subject, shot.number))
    setting = _setting(look, who, rng)
    display = expression.variant(shot.emotion, rng, look.forms, look.upper, look.lower)
    rest = {unit: level * rng.uniform(0.7, 1.2) for unit, level in look.rest.items()}
    one_sided = shot.emotion in expression.ONE_SIDED
    side = (1 if rng.random() < 0.5 else -1) if one_sided else 0
    apex = rng.uniform(*look.intensity)
    room = surroundings(look, setting)
    if shot.sequence is None:
        portrait = _portrait(shot, setting, room, (display, rest), side, apex, rng)
        if rng.random() < look.mislabelled:
            wrong = expression.mistaken(shot.emotion, rng)
            portrait.emotion = wrong if wrong in look.shares else shot.emotion
        return [portrait]
    return list(_clip(shot, setting, room, (display, rest), side, apex, rng))


def _clip(
    shot: Shot,
    setting: Setting,
    room: np.ndarray,
    acts: tuple[dict[int, float], dict[int, float]],
    side: int,
    apex: float,
    rng: np.random.Generator,
) -> Iterator[Portrait]:
    course, phases = timeline(shot.frames, shot.look.ends)
    drift = rng.normal(0, 1, (2, 3)) * [[2.0], [1.2]]
    for frame, (level, phase) in enumerate(zip(course, phases, strict=True)):
        t = frame / max(shot.frames - 1, 1)
        yaw, pitch, roll = drift[0] * t + drift[1] * np.sin(2 * np.pi * t)
        pose = setting.pose
        moved = replace(
            pose, yaw=pose.yaw + yaw, pitch=pose.pitch + pitch, roll=pose.roll + roll * 0.5
        )
        now = replace(setting, pose=moved)
        portrait = _portrait(shot, now, room, acts, side, apex * level, rng)
        portrait.sequence, portrait.frame, portrait.phase = shot.sequence, frame, phase
        yield portrait


def timeline(frames: int, ends: str) -> tuple[list[float], list[str]]:
    """Intensity in [0, 1] and phase of each frame of a clip that starts neutral.

    Ends at the apex, held for the last three frames, or returns to neutral after a held middle.
    """
    if ends == "apex":
        rising = np.clip(np.arange(frames) / (frames - 3), 0, 1)
        marks = ["neutral"] + ["onset"] * (frames - 4) + ["apex"] * 3
    else:
        still = max(1, frames // 8)
        held = max(3, frames // 4)
        up = (frames - 2 * still - held) // 2
        down = frames - 2 * still - held - up
        ramp_up = np.arange(1, up + 1) / (up + 1)
        ramp_down = np.arange(down, 0, -1) / (down + 1)
        parts = [np.zeros(still), ramp_up, np.ones(held), ramp_down, np.zeros(still)]
        rising = np.concatenate(parts)
        marks = ["neutral"] * still + ["onset"] * up + ["apex"] * held
        marks += ["offset"] * down + ["neutral"] * still
    smooth = rising**2 * (3 - 2 * rising)
    return [float(level) for level in smooth], marks


def _setting(look: Look, who: Identity, rng: np.random.Generator) -> Setting:
    height, width = look.size
    scale = rng.uniform(*look.scale)
    yaw, pitch, roll = np.clip(rng.normal(0, 1, 3), -2, 2) * look.turn
    off = rng.uniform(-look.shift, look.shift, 2) * scale
    pose = Pose(
        yaw, pitch, roll, width / 2 + off[0], height / 2 - look.rise * scale + off[1], scale
    )
    angle, lean = np.radians(rng.uniform(*look.lamp)), rng.uniform(*look.side)
    # Lamps hang above more often than they lie below.
    direction = (lean * np.cos(angle), -0.35 + 0.6 * lean * np.sin(angle), 1.0)
    warm, green = (float(rng.uniform(-look.tint, look.tint)) for _ in range(2))
    tint = (1 + warm, 1 + 0.3 * green, 1 - warm)
    light = Light(direction, rng.uniform(*look.ambient), rng.uniform(*look.strength), tint)
    camera = scene.Camera(
        blur=rng.uniform(*look.blur),
        noise=rng.uniform(*look.noise),
        contrast=rng.uniform(*look.contrast),
        gamma=rng.uniform(*look.gamma),
        gray=look.gray,
    )
    red, green, blue = rng.uniform(15, 210, 3)
    gaze = tuple(np.clip(rng.normal(0, 0.25, 2), -0.5, 0.5))
    occluded = bool(rng.random() < look.occlusion)
    seed = int(rng.integers(2**31))
    return Setting(who, pose, light, camera, (red, green, blue), gaze, occluded, seed)


def _portrait(
    shot: Shot,
    setting: Setting,
    room: np.ndarray,
    acts: tuple[dict[int, float], dict[int, float]],
    side: int,
    intensity: float,
    rng: np.random.Generator,
) -> Portrait:
    who, units = setting.who, expression.at(*acts, intensity)
    drawn = head(
        who,
        shape(who, units, side),
        setting.pose,
        setting.light,
        shot.look.size,
        setting.gaze,
        _streaks(setting.seed),
    )
    picture = room.copy()
    scene.overlay(picture, drawn)
    if setting.occluded:
        still = np.random.default_rng(setting.seed)
        scene.occlude(picture, who, setting.pose, still, setting.light.strength)
    shown = "neutral" if intensity < 0.05 else shot.emotion
    felt = 0.0 if shown == "neutral" else intensity
    valence, arousal = expression.affect(shown, felt, rng)
    return Portrait(
        pixels=scene.photograph(picture, setting.camera, rng),
        emotion=shot.emotion,
        subject=shot.subject,
        split=shot.split,
        intensity=round(felt, 4),
        votes=expression.votes(shown, felt, float(rng.beta(1.5, 4)), rng),
        landmarks=drawn.landmarks,
        box=drawn.box,
        valence=valence,
        arousal=arousal,
        gender=who.gender,
        race=who.race,
        age=who.age,
        action_units=units,
    )


def surroundings(look: Look, setting: Setting) -> np.ndarray:
    """(H, W, 3) uint8: backdrop and shoulders, the same for every frame of a clip."""
    rng = np.random.default_rng(setting.seed)
    if look.backdrop == "plain":
        picture = scene.plain(look.size, rng, look.tone)
    else:
        picture = scene.clutter(look.size, rng)
    light = setting.light
    scene.shoulders(picture, setting.who, setting.pose, setting.cloth, min(light.strength, 1.1))
    return picture


@cache
def _streaks(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed + 1).uniform(-1, 1, 90)
    return cv2.GaussianBlur(noise[None], (0, 0), 0.6)[0] * 1.6
