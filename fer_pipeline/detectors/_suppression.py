"""Non-maximum suppression: of boxes that overlap, the one with the best score stays."""

import cv2
import numpy as np


def suppress(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Indices of the boxes xyxy that stay, best first; IoU above `threshold` goes."""
    if not len(boxes):
        return np.zeros(0, np.int64)
    corners = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).astype(np.float64)
    kept = cv2.dnn.NMSBoxes(corners, scores.astype(np.float32), 0.0, threshold)  # type: ignore[arg-type]
    return np.asarray(kept, np.int64)


def suppress_nested(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """As `suppress`, by intersection over the smaller box: a box inside another goes.

    Sides count pixels (far - near + 1), as in facenet-pytorch's last step.
    """
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    areas = sides[:, 0] * sides[:, 1]
    # Of equal scores the last comes first, as in facenet-pytorch: scores near 1 often are equal.
    order = np.argsort(scores, kind="stable")[::-1]
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        near = np.maximum(boxes[best, :2], boxes[rest, :2])
        far = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        width, height = np.maximum(far - near + 1, 0).T
        order = rest[width * height <= threshold * np.minimum(areas[best], areas[rest])]
    return np.asarray(kept, np.int64)
