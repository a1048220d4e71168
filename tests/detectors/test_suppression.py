"""Suppression against torchvision and against hand-worked boxes."""

import numpy as np
import pytest
import torch
from torchvision.ops import nms

from fer_pipeline.detectors._suppression import suppress, suppress_nested


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_as_torchvision(threshold):
    rng = np.random.default_rng(1)
    corner = rng.uniform(0, 100, (300, 2))
    boxes = np.hstack([corner, corner + rng.uniform(5, 60, (300, 2))]).astype(np.float32)
    scores = rng.permutation(np.linspace(0.1, 0.9, 300)).astype(np.float32)
    expected = nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold).numpy()
    np.testing.assert_array_equal(suppress(boxes, scores, threshold), expected)


def test_a_box_inside_another_goes():
    boxes = np.array([[0, 0, 99, 99], [10, 10, 29, 29], [90, 90, 139, 139]], np.float32)
    scores = np.array([0.8, 0.9, 0.7], np.float32)
    # By the smaller box the first lies wholly on the second; the third only by 10 x 10 of 50 x 50.
    np.testing.assert_array_equal(suppress_nested(boxes, scores, 0.7), [1, 2])
    # By IoU neither does.
    np.testing.assert_array_equal(suppress(boxes, scores, 0.7), [1, 0, 2])


def test_nothing_to_suppress():
    empty = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    assert len(suppress(*empty, 0.5)) == len(suppress_nested(*empty, 0.5)) == 0
