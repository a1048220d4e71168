"""Small sets as tables on disk: rows of pictures, with whatever a test plants in them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from fer_pipeline import images, manifest
from fer_pipeline.emotions import COMMON7


def picture(seed: int, side: int = 48) -> np.ndarray:
    """(side, side) uint8: a smooth random pattern; two seeds are as unlike as two photos."""
    random = np.random.default_rng(seed)
    rough = random.normal(128, 50, (16, 16)).astype(np.float32)
    smooth = cv2.resize(rough, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + random.normal(0, 3, (side, side)), 0, 255).astype(np.uint8)


def brighter(pixels: np.ndarray) -> np.ndarray:
    """The same picture as another site would publish it."""
    good, jpeg = cv2.imencode(".jpg", cv2.convertScaleAbs(pixels, alpha=0.9, beta=12))
    assert good
    return cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)


def row(dataset: str, number: int, pixels: np.ndarray | None, **given: Any) -> dict[str, Any]:
    """A row of SAMPLES and FACES in one, `given` over the defaults."""
    png = None if pixels is None else images.encode_png(pixels)
    found: dict[str, Any] = dict.fromkeys({*manifest.SAMPLES.names, *manifest.FACES.names})
    found |= {
        "id": f"{dataset}/{number}",
        "dataset": dataset,
        "label": "x",
        "emotion": COMMON7[number % 7],
        "status": manifest.OK if pixels is not None else manifest.UNREADABLE,
        "attributes": {},
        "image": png,
        "crop": png,
    }
    if pixels is not None:
        height, width = pixels.shape[:2]
        found |= {
            "width": width,
            "height": height,
            "pixel_hash": images.pixel_hash(pixels),
            "box": [0.0, 0.0, float(width), float(height)],
            "score": 1.0,
            "faces": 1,
            "alignment": "precropped",
            "detector": "precropped",
        }
    return found | given


@pytest.fixture
def write(tmp_path: Path):
    """Writes rows as samples/<name>.parquet and faces/<name>.parquet; returns both paths."""

    def tables(
        name: str, rows: list[dict[str, Any]], faces: list[dict[str, Any]] | None = None
    ) -> tuple[Path, Path]:
        paths = []
        for kind, schema, chosen in (
            ("samples", manifest.SAMPLES, rows),
            ("faces", manifest.FACES, rows if faces is None else faces),
        ):
            path = tmp_path / kind / f"{name}.parquet"
            with manifest.writing(path, schema) as writer:
                for values in chosen:
                    writer.add({column: values[column] for column in schema.names})
            paths.append(path)
        return paths[0], paths[1]

    return tables


def official(dataset: str = "fer2013", each: int = 21) -> list[dict[str, Any]]:
    """A faultless set with official splits: `each` rows in train, val and test."""
    return [
        row(dataset, number, picture(number), split=split)
        for number, split in enumerate(np.repeat(["train", "val", "test"], each))
    ]


def grouped(dataset: str = "jaffe", subjects: int = 4, each: int = 7) -> list[dict[str, Any]]:
    """A faultless set of subjects without splits."""
    return [
        row(dataset, number, picture(number), subject=f"s{number // each}")
        for number in range(subjects * each)
    ]


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The makers above."""
    return SimpleNamespace(
        picture=picture, brighter=brighter, row=row, official=official, grouped=grouped
    )
