"""All detectors on real photos: speed, faces found, landmark agreement; and mtcnn's bar.

The bar: mtcnn, one process per core, gives at least 2 x (aim 3 x) the photos per second of calling
facenet-pytorch's `MTCNN.detect` photo by photo with the same settings on the same cores, and every
face that either finds is found by both at IoU >= 0.9. Both sides are warm, start-up is left out,
and their rounds alternate; the best round of each counts.

`python benchmarks/detectors.py [--photos DIR] [--yunet FILE] [--rounds N]`; by default the photos
and weights of ../shared/data.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_pipeline import faces, images, registry
from fer_pipeline.detect.workers import cores, processes
from fer_pipeline.errors import MissingData
from fer_pipeline.faces import Face

DATA = Path(os.environ.get("FER_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SIDE, BAR, AIM, SAME = 640, 2.0, 3.0, 0.9
MATCH = 0.4
"""IoU at which another detector's face counts as the same person's."""


@lru_cache
def photos(folder: Path) -> tuple[np.ndarray, ...]:
    """The photos, longer side 640 px, RGB uint8."""
    found = []
    for path in sorted(folder.iterdir()):
        pixels = images.to_rgb(images.decode(path.read_bytes()))
        scale = SIDE / max(pixels.shape)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        found.append(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=method))
    return tuple(found)


@lru_cache
def detector(name: str, model: str | None) -> Callable[..., list[list[Face]]]:
    """The detector on one thread."""
    cv2.setNumThreads(1)
    options = {"model": model} if name == "yunet" and model else {}
    return registry.load("detectors", name).load("cpu", **options)


def ours(folder: Path, number: int) -> list[Face]:
    """What a worker does: the faces of one photo."""
    return detector("mtcnn", None)([photos(folder)[number]])[0]


def theirs(net: Any, pixels: np.ndarray) -> list[Face]:
    """The faces of one photo by facenet-pytorch."""
    boxes, scores, points = net.detect(pixels, landmarks=True)
    if boxes is None:
        return []
    return [
        Face(box.astype(np.float32), point.astype(np.float32), float(score))
        for box, point, score in zip(boxes, points, scores, strict=True)
    ]


def timed(work: Callable[[], list[list[Face]]]) -> tuple[float, list[list[Face]]]:
    """(seconds, answer)."""
    began = time.perf_counter()
    answer = work()
    return time.perf_counter() - began, answer


def race(folder: Path, rounds: int) -> tuple[float, float, list[list[Face]], list[list[Face]]]:
    """Photos per second of facenet-pytorch and of mtcnn, and the faces of each."""
    import torch
    from facenet_pytorch import MTCNN

    pictures, count = photos(folder), cores()
    torch.set_num_threads(count)
    net = MTCNN(keep_all=True, select_largest=False)
    turns = list(range(len(pictures))) * 2

    def plain() -> list[list[Face]]:
        return [theirs(net, pictures[number]) for number in turns]

    def spread(pool: Executor) -> list[list[Face]]:
        return list(pool.map(partial(ours, folder), turns))

    slow, fast = [], []
    with processes(count) as pool:
        plain(), spread(pool)
        for _ in range(rounds):
            slow.append(timed(plain))
            fast.append(timed(partial(spread, pool)))
    one, two = (min(side, key=lambda turn: turn[0]) for side in (slow, fast))
    size = len(turns)
    return size / one[0], size / two[0], one[1][: len(pictures)], two[1][: len(pictures)]


def pairs(
    found: list[list[Face]], truth: list[list[Face]], least: float
) -> list[tuple[Face, Face]]:
    """Each face of `truth` with the face of `found` that overlaps it most, by at least `least`."""
    matched = []
    for mine, other in zip(found, truth, strict=True):
        for face in other:
            best = max(mine, key=lambda each: faces.iou(each.box, face.box), default=None)
            if best is not None and faces.iou(best.box, face.box) >= least:
                matched.append((best, face))
    return matched


def error(matched: list[tuple[Face, Face]]) -> float:
    """Mean distance of the known landmarks, in eye distances."""
    values = []
    for mine, other in matched:
        span = np.linalg.norm(other.landmarks[1] - other.landmarks[0])
        values.append(np.linalg.norm(mine.landmarks - other.landmarks, axis=1) / span)
    known = np.array(values)[~np.isnan(values)] if values else np.array([])
    return float(known.mean()) if known.size else float("nan")


def compare(folder: Path, model: str | None, rounds: int) -> list[str]:
    """One line per detector."""
    pictures = list(photos(folder))
    reference = detector("mtcnn", None)(pictures)
    total = sum(len(found) for found in reference)
    lines = [
        f"{'detector':<10}{'ms/photo':>10}{'faces':>8}{'of mtcnn':>11}{'others':>8}"
        f"{'with eyes':>11}{'all five':>10}{'error':>8}"
    ]
    for name in registry.names("detectors"):
        if name == faces.PRECROPPED:
            continue
        try:
            detect = detector(name, model)
        except MissingData as reason:
            lines.append(f"{name:<10}left out: {reason}")
            continue
        detect(pictures[:2])
        seconds, found = min(
            (timed(partial(detect, pictures)) for _ in range(rounds)), key=min_time
        )
        matched = pairs(found, reference, MATCH)
        everyone = [face for each in found for face in each]
        known = np.array([~np.isnan(face.landmarks).any(axis=1) for face in everyone])
        lines.append(
            f"{name:<10}{1000 * seconds / len(pictures):>10.1f}{len(everyone):>8}"
            f"{f'{len(matched)}/{total}':>11}{len(everyone) - len(matched):>8}"
            f"{known[:, :2].all(axis=1).sum():>11}{known.all(axis=1).sum():>10}"
            f"{error(matched):>8.3f}"
        )
    return lines


def min_time(turn: tuple[float, Any]) -> float:
    """Its seconds."""
    return turn[0]


def main() -> None:
    """Prints the table of all detectors and the verdict on mtcnn; exits 1 if it misses the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=DATA / "photos")
    parser.add_argument(
        "--yunet", type=Path, default=DATA / "weights/face_detection_yunet_2023mar.onnx"
    )
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if not args.photos.is_dir():
        sys.exit(f"no photos at {args.photos}: give a folder of them by --photos")
    model = str(args.yunet) if args.yunet.is_file() else None

    print(f"{len(photos(args.photos))} photos of {SIDE} px, one thread; error in eye distances")
    print("\n".join(compare(args.photos, model, args.rounds)))
    slow, fast, expected, found = race(args.photos, args.rounds)
    both = len(pairs(found, expected, SAME))
    counts = [sum(len(each) for each in side) for side in (expected, found)]
    print(f"\nfacenet-pytorch, photo by photo  {slow:6.1f} photos/s  {counts[0]} faces")
    print(f"mtcnn, {cores()} processes              {fast:6.1f} photos/s  {counts[1]} faces")
    print(f"same face at IoU >= {SAME}: {both}; ratio {fast / slow:.2f} (bar {BAR}, aim {AIM})")
    good = fast / slow >= BAR and both == counts[0] == counts[1]
    print("bar met" if good else "BAR MISSED")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
