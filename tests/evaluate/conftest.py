"""A small study: faces of three sets on disk, two checkpoints of an untrained simple_cnn."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fer_pipeline import checkpoints, images, manifest, registry, seeds
from fer_pipeline.checkpoints import Card
from fer_pipeline.emotions import COMMON7

PARAMS = """
datasets: {rafdb: {origin: sample, detector: precropped}, jaffe: {}, affectnet: {}}
repeats: 2
validate: {}
evaluate: {batch_size: 16, device: cpu}
"""


@dataclass(frozen=True)
class Study:
    """Where the study lies; `arguments` are those of the evaluate command."""

    root: Path

    def at(self, root: Path) -> "Study":
        """The same study copied to another place."""
        return Study(root)

    def arguments(self, model: str = "simple_cnn", source: str = "rafdb") -> list[str]:
        """The command line of one run."""
        name = f"{model}-{source}"
        places = {
            "checkpoints": f"checkpoints/{name}",
            "faces": "faces",
            "leaks": "leaks",
            "out": f"predictions/{name}.parquet",
            "metrics": f"metrics/{name}.json",
            "scores": f"scores/{name}.json",
            "plots": f"plots/{name}",
            "ledger": "test_uses.jsonl",
            "params": "params.yaml",
        }
        line = ["--model", model, "--source", source]
        for key, place in places.items():
            line += [f"--{key}", str(self.root / place)]
        return line


def picture(number: int, size: int = 48) -> np.ndarray:
    """(size, size) uint8 of noise that only `number` decides."""
    return np.random.default_rng(number).integers(0, 256, (size, size)).astype(np.uint8)


def face(dataset: str, number: int, **given: Any) -> dict[str, Any]:
    """A usable row of FACES showing picture `number`; `given` replaces columns."""
    pixels = picture(given.pop("picture", number))
    row: dict[str, Any] = dict.fromkeys(manifest.FACES.names)
    row |= {
        "id": f"{dataset}/{number}",
        "dataset": dataset,
        "status": manifest.OK,
        "attributes": {},
        "pixel_hash": images.pixel_hash(pixels),
        "alignment": "precropped",
        "crop": images.encode_png(pixels),
        **given,
    }
    if row["status"] == manifest.NO_FACE:
        row |= {"alignment": None, "crop": None}
    return row


def leak(row: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """The row of LEAKS that belongs to a row of FACES."""
    known = row["crop"] is not None
    words = int(row["pixel_hash"], 16) if known else 0
    hashed = words.to_bytes(16, "big") * 2 if known else None
    found = {"id": row["id"], "pixel_hash": row["pixel_hash"], "perceptual_hash": hashed}
    return {**found, "drop": None, **given}


Rows = list[dict[str, Any]]


def write(root: Path, dataset: str, faces: Rows, leaks: Rows) -> None:
    """Both tables of a dataset, in small row groups."""
    for folder, schema, rows in (
        ("faces", manifest.FACES, faces),
        ("leaks", manifest.LEAKS, leaks),
    ):
        with manifest.writing(root / folder / f"{dataset}.parquet", schema, group=7) as writer:
            for row in rows:
                writer.add(row)


def write_checkpoint(
    root: Path,
    model: str,
    source: str,
    repeat: int,
    name: str = "",
    start: Card | None = None,
    dimensions: tuple[str, ...] = (),
) -> Card:
    """An untrained model whose weights only the repeat decides; its card."""
    seeds.fix(repeat)
    made, name = registry.load("models", model), name or model
    card = Card(name, model, source, repeat, COMMON7, made.INPUT, {}, "d", "c", 1, 0.5, start)
    card = replace(card, dimensions=dimensions)
    folder = root / "checkpoints" / f"{name}-{source}" / str(repeat)
    outputs = len(COMMON7) + len(dimensions)
    checkpoints.save(folder, made.build(outputs, pretrained=False), card)
    return card


def rafdb() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """40 training rows, 28 test rows: 4 of each class.

    Test rows 40 and 41 show the same picture; 42 shows that of training row 2; 43 nearly that of
    training row 3; 44 has no face.
    """
    rows = []
    for number in range(68):
        emotion = COMMON7[number % 7]
        split = "train" if number < 40 else "test"
        extra: dict[str, Any] = {"picture": {41: 40, 42: 2}.get(number, number)}
        if number == 44:
            extra["status"] = manifest.NO_FACE
        rows.append(face("rafdb", number, emotion=emotion, split=split, **extra))
    leaks = [leak(row) for row in rows]
    near = bytearray(leaks[3]["perceptual_hash"])
    near[0] ^= 0b111
    leaks[43]["perceptual_hash"] = bytes(near)
    return rows, leaks


def jaffe() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """42 rows of six women, one of them unlabelled."""
    rows = [
        face("jaffe", 100 + i, emotion=COMMON7[i % 7] if i else None, subject=f"W{i // 7}")
        for i in range(42)
    ]
    rows[0]["status"] = manifest.UNKNOWN_LABEL
    return rows, [leak(row) for row in rows]


def affectnet() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Ten training rows, 16 test rows with valence, arousal and votes; two show contempt."""
    emotions = (*COMMON7, "contempt")
    rows = []
    for i in range(26):
        votes = [0.0] * 8
        votes[i % 8], votes[(i + 1) % 8] = 7.0, 3.0
        extra = {"valence": (i % 5 - 2) / 2, "arousal": (i % 3 - 1) / 2, "votes": votes}
        split = "train" if i < 10 else "test"
        rows.append(face("affectnet", 200 + i, emotion=emotions[i % 8], split=split, **extra))
    return rows, [leak(row) for row in rows]


@pytest.fixture(scope="session")
def build() -> SimpleNamespace:
    """What makes studies: picture, face, leak, write, write_checkpoint."""
    parts = (picture, face, leak, write, write_checkpoint)
    return SimpleNamespace(**{part.__name__: part for part in parts})


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study, read-only but for outputs."""
    root = tmp_path_factory.mktemp("study")
    write(root, "rafdb", *rafdb())
    write(root, "jaffe", *jaffe())
    write(root, "affectnet", *affectnet())
    for source in ("rafdb", "jaffe"):
        for repeat in (0, 1):
            write_checkpoint(root, "simple_cnn", source, repeat)
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    return Study(root)
