"""One set's sample, from its look to files in the set's own layout, faults included."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from fer_pipeline import outputs, registry
from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.errors import UnknownName, nearest
from fer_pipeline.portraits import Portrait
from fer_pipeline.sample import faults, sheet
from fer_pipeline.sample.casting import plan
from fer_pipeline.sample.census import Census
from fer_pipeline.sample.generate import portraits
from fer_pipeline.sample.looks import LOOKS, Look
from fer_pipeline.sample.params import Faults
from fer_pipeline.sample.shots import Shot

_SHOWN: Final = 8
"""People on the contact sheet."""
_AFTER: Final = 10_000
"""Shot numbers of the contact sheet, beyond those of any set."""


def make(
    dataset: str, out: Path, seed: int, scale: float, workers: int, planted: Faults
) -> tuple[dict[str, Any], list[Portrait]]:
    """Writes the sample below `out`, all or nothing.

    Returns what it holds, see `Census.result`, and faces for the contact sheet: the set's first
    people in its own look, each showing every emotion.

    Raises: UnknownName, BadParams.
    """
    look = look_of(dataset)
    shots, census = plan(look, seed, scale), Census()
    exhibits = _exhibits(look, seed, sorted({shot.subject for shot in shots})[:_SHOWN])
    stream = portraits([*exhibits, *shots], workers, f"sample {dataset}")
    shown = list(islice(stream, len(exhibits)))
    faces: Any = census.watch(stream)
    if not look.frames:
        # Files of stills are ordered by split, so their writers look at all of them first.
        faces = list(faces)
    with outputs.atomic(out) as part:
        part.mkdir()
        registry.load("datasets", dataset).write_sample(faces, part)
        struck = faults.plant(dataset, part, planted, faults.seed_of(look.people, seed))
    return census.result(struck), shown


def draw_sheet(dataset: str, path: Path, faces: list[Portrait], counts: dict[str, Any]) -> None:
    """Draws the contact sheet."""
    what = f"{counts['images']:,} pictures of {counts['subjects']} people"
    if counts["clips"]:
        what += f" in {counts['clips']} clips"
    note = f"Sample of {what}. Drawn by a program: none of these people exists."
    sheet.write(path, dataset, note, faces)


def look_of(dataset: str) -> Look:
    """The look of a set.

    Raises: UnknownName.
    """
    if dataset not in LOOKS:
        hint = nearest(dataset, list(LOOKS))
        raise UnknownName(f"no look for '{dataset}'; {hint}known: {', '.join(LOOKS)}")
    return LOOKS[dataset]


def _exhibits(look: Look, seed: int, people: list[str]) -> list[Shot]:
    shown = [emotion for emotion in EMOTIONS if emotion in look.shares or emotion == "neutral"]
    posed = replace(look, intensity=(0.9, 1.0), occlusion=0.0, mislabelled=0.0)
    return [
        Shot(posed, seed, subject, None, emotion, _AFTER + place)
        for subject in people
        for place, emotion in enumerate(shown)
    ]
