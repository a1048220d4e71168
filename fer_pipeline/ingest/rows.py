"""Samples as a dataset's file yields them -> complete rows of the SAMPLES table."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fer_pipeline import images
from fer_pipeline.errors import BadImage, BadRaw
from fer_pipeline.manifest import UNREADABLE, Sample
from fer_pipeline.pictures import Pictures

_Place = tuple[str | None, int | None, int | None]
"""Path, line and frame of a sample."""


def rows(dataset: str, found: Iterable[Sample], raw: Path) -> Iterator[dict[str, Any]]:
    """One row per sample in the same order, each picture read once.

    A picture that cannot be read leaves a row with status `unreadable` and the reason.

    Raises: BadRaw when two samples have the same id.
    """
    seen: dict[str, _Place] = {}
    with Pictures(raw) as pictures:
        for sample in found:
            place = sample.path, sample.line, sample.frame
            if sample.id in seen:
                first, second = (_named(*where, sample.id) for where in (seen[sample.id], place))
                raise BadRaw(
                    f"{dataset}: {first} and {second} both have the id '{sample.id}'; remove one "
                    f"of them from {raw}"
                )
            seen[sample.id] = place
            yield _row(dataset, sample, pictures)


def _named(path: str | None, line: int | None, frame: int | None, other: str) -> str:
    parts = [path] if path is not None else []
    if line is not None:
        parts.append(f"row {line}")
    if frame is not None:
        parts.append(f"frame {frame}")
    return ", ".join(parts) or other


def read(sample: Sample, pictures: Pictures) -> np.ndarray:
    """The upright picture of a sample: (H, W) gray or (H, W, 3) RGB uint8.

    Raises: BadImage with the reason.
    """
    if sample.pixels is not None:
        return sample.pixels
    if sample.path is None:
        raise BadImage("the set names no picture file for it")
    return pictures.read(sample.path, sample.frame, sample.view)


def _row(dataset: str, sample: Sample, pictures: Pictures) -> dict[str, Any]:
    status, reason = sample.status, sample.reason
    width = height = digest = image = None
    if status != UNREADABLE:
        try:
            pixels = read(sample, pictures)
            height, width = pixels.shape[:2]
            digest = images.pixel_hash(pixels)
            if sample.pixels is not None:
                image = images.encode_png(pixels, stored=True)
        except BadImage as error:
            status, reason = UNREADABLE, str(error)
    return {
        "id": sample.id,
        "dataset": dataset,
        "split": sample.split,
        "subject": sample.subject,
        "sequence": sample.sequence,
        "frame": sample.frame,
        "phase": sample.phase,
        "path": sample.path,
        "view": sample.view,
        "line": sample.line,
        "label": sample.label,
        "emotion": sample.emotion,
        "votes": sample.votes,
        "valence": sample.valence,
        "arousal": sample.arousal,
        "intensity": sample.intensity,
        "given_box": sample.given_box,
        "given_landmarks": sample.given_landmarks,
        "attributes": list(sample.attributes.items()),
        "width": width,
        "height": height,
        "pixel_hash": digest,
        "status": status,
        "reason": reason,
        "image": image,
    }
