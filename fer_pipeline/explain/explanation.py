"""From a checkpoint and its predictions to a grid of explained faces and the shares."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from fer_pipeline import checkpoints, registry
from fer_pipeline.emotions import in_order
from fer_pipeline.explain import cams
from fer_pipeline.explain.cases import Case, drawn, read, shown
from fer_pipeline.explain.grid import Explained, draw
from fer_pipeline.explain.params import ExplainParams
from fer_pipeline.explain.pictures import Picture
from fer_pipeline.explain.pictures import read as read_pictures
from fer_pipeline.explain.shares import summarise

FRAMES = 3
"""Frames of a clip that the grid shows: first, middle, last."""


def explain(
    model_name: str,
    source: str,
    checkpoint: Path,
    faces: Path,
    predictions: Path,
    params: ExplainParams,
) -> tuple[dict[str, Any], Image.Image]:
    """Numbers (see `shares.summarise`) and grid of repeat 0 on the source's own test rows.

    Each map explains the predicted class, right or wrong. The grid shows the surest cases; the
    numbers are of a random draw alone, for the surest, and as many wrong as right, are no fair
    sample.

    Raises: MissingData, BadManifest.
    """
    model, card = checkpoints.load(checkpoint)
    cases = read(predictions, model_name, source)
    classes = in_order(frozenset(card.classes))
    gridded = shown(cases, classes, params.per_class)
    measured = drawn(cases, params.images, params.seed)
    unique = {case.id: case for case in measured}
    unique |= {case.id: case for row in gridded.values() for case in row}
    chosen = list(unique.values())
    pictures = read_pictures(faces, list(unique), card.input.frames)
    every = [pictures[case.id] for case in chosen]
    heat = heatmaps(model, card, chosen, every, params.method)
    explained = {
        case.id: _explained(case, picture, maps)
        for case, picture, maps in zip(chosen, every, heat, strict=True)
    }
    cells = {key: [explained[case.id] for case in row] for key, row in gridded.items()}
    title = f"{model_name} trained on {source}: where it looks on {source}'s test faces"
    sheet = draw(cells, classes, title, params.method)
    apexes = [maps[picture.apex] for picture, maps in zip(every, heat, strict=True)]
    return summarise(measured, np.stack(apexes[: len(measured)]), classes), sheet


def heatmaps(
    model: Any,
    card: checkpoints.Card,
    cases: Sequence[Case],
    pictures: Sequence[Picture],
    method: str,
) -> list[np.ndarray]:
    """(frames, size, size) float32 in [0, 1] per case, for its predicted class."""
    layer = registry.load("models", card.model).cam_layer(model)
    labels = [card.classes.index(case.predicted) for case in cases]
    if card.input.frames == 1:
        inputs = cams.to_tensor([picture.crops[0] for picture in pictures], card.input)
        return list(cams.of_stills(model, layer, method, inputs, labels)[:, None])
    return [
        cams.of_clip(
            model,
            layer,
            method,
            cams.to_tensor(picture.crops, card.input),
            label,
            picture.apex if picture.known else -1,
        )
        for picture, label in tqdm(
            list(zip(pictures, labels, strict=True)), desc="clips", mininterval=2
        )
    ]


def _explained(case: Case, picture: Picture, heat: np.ndarray) -> Explained:
    count = len(picture.crops)
    places = [0] if count == 1 else [i * (count - 1) // (FRAMES - 1) for i in range(FRAMES)]
    return Explained(case, [picture.crops[i] for i in places], [heat[i] for i in places])
