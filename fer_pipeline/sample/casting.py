"""Who of a set's people shows which emotion, in which split, in how many frames."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.sample.looks import Look
from fer_pipeline.sample.shots import Shot
from fer_pipeline.seeds import derive


def plan(look: Look, seed: int, scale: float) -> list[Shot]:
    """Every shot of a set, subject after subject; splits hold different people.

    Emotions are dealt so that each split has its share of every one, whatever the size.
    """
    count = max(round(look.subjects * scale), 3 if look.splits else 1)
    subjects = [f"s{number:03d}" for number in range(1, count + 1)]
    shots = []
    for split, members in _split(subjects, look, seed):
        deck = _deck(look, len(members) * look.each, derive(seed, look.people, "deck", split))
        for place, subject in enumerate(members):
            for number in range(look.each):
                emotion = deck[place * look.each + number]
                shot = Shot(look, seed, subject, split, emotion, number)
                shots.append(_filmed(shot) if look.frames else shot)
    return sorted(shots, key=lambda shot: (shot.subject, shot.number))


def _filmed(shot: Shot) -> Shot:
    low, high = shot.look.frames or (1, 1)
    seed = derive(shot.seed, shot.look.people, shot.subject, shot.number, "frames")
    return replace(shot, frames=low + seed % (high - low + 1), sequence=shot.number + 1)


def _split(subjects: list[str], look: Look, seed: int) -> Iterator[tuple[str | None, list[str]]]:
    if not look.splits:
        yield None, subjects
        return
    order = sorted(subjects, key=lambda name: derive(seed, look.people, "split", name))
    start, total = 0, 0.0
    for split, share in look.splits.items():
        total += share
        stop = max(round(total * len(order)), start + 1)
        yield split, sorted(order[start:stop])
        start = stop


def _deck(look: Look, count: int, seed: int) -> list[str]:
    """`count` emotions in the look's shares, in random order."""
    names = [emotion for emotion in EMOTIONS if emotion in look.shares]
    shares = np.array([look.shares[name] for name in names])
    # Rounding the running total leaves every emotion within one of its share.
    ends = np.rint(np.cumsum(shares / shares.sum()) * count).astype(int)
    dealt = np.repeat(names, np.diff(ends, prepend=0))
    return [str(name) for name in np.random.default_rng(seed).permutation(dealt)]
