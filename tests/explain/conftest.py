"""A tiny world: drawn faces, a network trained on them for a moment, and its predictions."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from fer_pipeline import checkpoints, manifest, registry
from fer_pipeline.emotions import COMMON7
from fer_pipeline.explain.cams import to_tensor
from fer_pipeline.faces import TEMPLATE
from fer_pipeline.images import encode_png
from fer_pipeline.predictions import PREDICTIONS

MOUTHS = {
    "anger": (14, 2, 0, 180),
    "disgust": (9, 6, 180, 360),
    "fear": (16, 9, 0, 360),
    "happiness": (18, 12, 0, 180),
    "sadness": (18, 10, 180, 360),
    "surprise": (9, 14, 0, 360),
    "neutral": (16, 0, 0, 360),
}


@dataclass(frozen=True)
class World:
    """Where the files lie, and the arguments of the stage."""

    folder: Path
    arguments: list[str]


def drawn_face(emotion: str, rng: np.random.Generator) -> np.ndarray:
    """(112, 112) uint8: an oval with eyes, nose and the emotion's mouth, shifted and noisy."""
    canvas = np.full((112, 112), int(rng.integers(40, 90)), np.uint8)
    cv2.ellipse(canvas, (56, 66), (40, 52), 0, 0, 360, int(rng.integers(160, 210)), -1)
    for x, y in TEMPLATE[:2]:
        cv2.ellipse(canvas, (int(x), int(y)), (7, 4), 0, 0, 360, 40, -1)
    cv2.line(canvas, (56, 56), (56, 72), 120, 2)
    wide, high, start, end = MOUTHS[emotion]
    centre = (56 + int(rng.integers(-2, 3)), 90 + int(rng.integers(-2, 3)))
    cv2.ellipse(canvas, centre, (wide, high), 0, start, end, 50, 3)
    noisy = canvas + rng.normal(0, 12, canvas.shape)
    return noisy.clip(0, 255).astype(np.uint8)


def a_face_row(name: str, emotion: str, crop: np.ndarray, **more: object) -> dict[str, object]:
    """A FACES row with everything else empty."""
    row: dict[str, object] = dict.fromkeys(manifest.FACES.names)
    row |= {"id": name, "dataset": "drawn", "emotion": emotion, "status": manifest.OK}
    return row | {"attributes": {}, "crop": encode_png(crop)} | more


def a_prediction_row(name: str, emotion: str, probabilities: np.ndarray) -> dict[str, object]:
    """A PREDICTIONS row of simple_cnn on its own set."""
    row: dict[str, object] = dict.fromkeys(PREDICTIONS.names)
    row |= {"model": "simple_cnn", "source": "drawn", "target": "drawn", "repeat": 0}
    row |= {"id": name, "emotion": emotion, "repeated": False}
    row["predicted"] = COMMON7[int(probabilities.argmax())]
    return row | {f"p_{c}": float(p) for c, p in zip(COMMON7, probabilities, strict=True)}


def write_table(path: Path, rows: list[dict[str, object]], schema: pa.Schema) -> None:
    """One table at `path`."""
    with manifest.writing(path, schema) as writer:
        for row in rows:
            writer.add(row)


@pytest.fixture
def face_row():
    """`a_face_row`."""
    return a_face_row


@pytest.fixture
def prediction_row():
    """`a_prediction_row`."""
    return a_prediction_row


@pytest.fixture
def write():
    """`write_table`."""
    return write_table


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """simple_cnn, trained for a moment, with predictions for 84 faces."""
    import torch

    folder = tmp_path_factory.mktemp("explain")
    rng = np.random.default_rng(7)
    labels = list(COMMON7) * 12
    crops = [drawn_face(emotion, rng) for emotion in labels]
    module = registry.load("models", "simple_cnn")
    torch.manual_seed(3)
    model = module.build(len(COMMON7), pretrained=False)
    inputs = to_tensor(crops, module.INPUT)
    truth = torch.tensor([COMMON7.index(emotion) for emotion in labels])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for step in range(16):
        chosen = torch.arange(step % 2, len(labels), 2)
        loss = torch.nn.functional.cross_entropy(model(inputs[chosen]), truth[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        certain = torch.softmax(model(inputs), dim=1).numpy()
    card = checkpoints.Card(
        *("simple_cnn", "simple_cnn", "drawn", 0, COMMON7, module.INPUT),
        *({}, "none", "unknown", 1, 0.5),
    )
    checkpoints.save(folder / "checkpoints" / "0", model, card)
    names = [f"drawn/{number}" for number in range(len(labels))]
    faces = [a_face_row(*each) for each in zip(names, labels, crops, strict=True)]
    write_table(folder / "faces.parquet", faces, manifest.FACES)
    rows = [a_prediction_row(*each) for each in zip(names, labels, certain, strict=True)]
    write_table(folder / "predictions.parquet", rows, PREDICTIONS)
    (folder / "params.yaml").write_text("explain: {per_class: 2, images: 20}\n")
    arguments = ["--model", "simple_cnn", "--source", "drawn"]
    for option, name in {
        "checkpoints": "checkpoints",
        "faces": "faces.parquet",
        "predictions": "predictions.parquet",
        "params": "params.yaml",
    }.items():
        arguments += [f"--{option}", str(folder / name)]
    return World(folder, arguments)
