"""MTCNN with facenet-pytorch's weights: finds the faces that its `MTCNN.detect` finds, sooner.

Same pyramid, same resampling, same thresholds and suppression; the nets run in ONNX
Runtime on one thread, so that one process per core pays off, and torch is never imported.

Source: Zhang et al., SPL 23(10), 2016; facenet_pytorch/models/utils/detect_face.py (MIT).
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from fer_pipeline.detectors._nets import Net
from fer_pipeline.detectors._pooling import Integral
from fer_pipeline.detectors._suppression import suppress, suppress_nested
from fer_pipeline.faces import Face
from fer_pipeline.params import Section, check

Probability = Annotated[float, Field(gt=0, lt=1)]

_CELL, _STRIDE = 12, 2


class Options(Section):
    """The detector's own parameters, by facenet-pytorch's names."""

    min_face_size: int = Field(20, ge=12, description="smallest face searched for, pixels")
    thresholds: tuple[Probability, Probability, Probability] = Field(
        (0.6, 0.7, 0.7), description="face probability that passes each of the three nets"
    )
    factor: float = Field(0.709, gt=0.1, lt=1, description="step of the scale pyramid")


def load(device: str, **options: Any) -> Callable[[Sequence[np.ndarray]], list[list[Face]]]:
    """A detector with all five landmarks.

    Raises: BadParams for an unknown option, ValueError for a device other than the CPU,
    MissingData without facenet-pytorch's weights.
    """
    if device != "cpu":
        raise ValueError(f"mtcnn runs on the CPU only, not on {device!r}")
    chosen = check(Options, options, "detect.options.mtcnn")
    nets = Net("pnet"), Net("rnet"), Net("onet")

    def detect(images: Sequence[np.ndarray]) -> list[list[Face]]:
        return [_faces(pixels, nets, chosen) for pixels in images]

    return detect


def _faces(pixels: np.ndarray, nets: tuple[Net, Net, Net], chosen: Options) -> list[Face]:
    pnet, rnet, onet = nets
    first, second, third = chosen.thresholds
    picture = Integral(pixels)
    boxes = _propose(picture, pnet, chosen, first)
    boxes = _refine(picture, rnet, boxes, second)
    return _finish(picture, onet, boxes, third)


def _propose(picture: Integral, pnet: Net, chosen: Options, threshold: float) -> np.ndarray:
    """(n, 4) float32 square boxes xyxy from the fully convolutional net over a scale pyramid."""
    found = [np.zeros((0, 9), np.float32)]
    scale = _CELL / chosen.min_face_size
    while min(picture.height, picture.width) * scale >= _CELL:
        height, width = int(picture.height * scale + 1), int(picture.width * scale + 1)
        logits = pnet(picture.resized(height, width))[0]
        found.append(_cells(logits, scale, threshold))
        scale *= chosen.factor
    cells = np.concatenate(found)
    cells = cells[suppress(cells[:, :4], cells[:, 4], 0.7)]
    sides = cells[:, 2:4] - cells[:, :2]
    return _squared(cells[:, :4] + cells[:, 5:9] * np.tile(sides, 2))


def _cells(logits: np.ndarray, scale: float, threshold: float) -> np.ndarray:
    """(n, 9) float32: box xyxy, probability and offsets of the cells that pass, after NMS."""
    margin = logits[1] - logits[0]
    rows, columns = np.nonzero(margin >= np.log(threshold / (1 - threshold)))
    corner = _STRIDE * np.stack([columns, rows], axis=1).astype(np.float32) + 1
    near = np.floor(corner / np.float32(scale))
    far = np.floor((corner + (_CELL - 1)) / np.float32(scale))
    score = _probability(margin[rows, columns])
    cells = np.column_stack([near, far, score, logits[2:, rows, columns].T]).astype(np.float32)
    return cells[suppress(cells[:, :4], cells[:, 4], 0.5)]


def _refine(picture: Integral, rnet: Net, boxes: np.ndarray, threshold: float) -> np.ndarray:
    """(n, 4) float32 square boxes xyxy that the second net keeps, moved by its offsets."""
    boxes, crops = picture.crops(boxes, 24)
    if not len(boxes):
        return boxes
    heads = rnet(crops)
    score = _probability(heads[:, 1] - heads[:, 0])
    passed = score > threshold
    boxes, score, heads = boxes[passed], score[passed], heads[passed]
    kept = suppress(boxes, score, 0.7)
    return _squared(_moved(boxes[kept], heads[kept, 2:6]))


def _finish(picture: Integral, onet: Net, boxes: np.ndarray, threshold: float) -> list[Face]:
    """Faces of the third net, which also gives the landmarks, best first."""
    boxes, crops = picture.crops(boxes, 48)
    if not len(boxes):
        return []
    heads = onet(crops)
    score = _probability(heads[:, 1] - heads[:, 0])
    passed = score > threshold
    boxes, score, heads = boxes[passed], score[passed], heads[passed]
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    points = heads[:, 6:].reshape(-1, 2, 5).transpose(0, 2, 1)
    points = points * sides[:, None] + boxes[:, None, :2] - 1
    boxes = _moved(boxes, heads[:, 2:6])
    return [
        Face(boxes[index], points[index], float(score[index]))
        for index in suppress_nested(boxes, score, 0.7)
    ]


def _probability(margin: np.ndarray) -> np.ndarray:
    """Softmax of two logits: the probability of the second by their difference."""
    return 1 / (1 + np.exp(-margin))


def _moved(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + offsets * np.tile(sides, 2)


def _squared(boxes: np.ndarray) -> np.ndarray:
    """The boxes made square about their centres, by their longer side."""
    sides = boxes[:, 2:] - boxes[:, :2]
    side = sides.max(axis=1, keepdims=True)
    near = boxes[:, :2] + (sides - side) / 2
    return np.hstack([near, near + side])
