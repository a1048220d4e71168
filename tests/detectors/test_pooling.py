"""Resizing against torch's `interpolate(mode="area")`."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from fer_pipeline.detectors._pooling import Integral

RNG = np.random.default_rng(3)


def area(pixels, height, width):
    """(3, height, width) float32 of (value - 127.5) / 128, by torch."""
    values = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float()
    return ((interpolate(values, size=(height, width), mode="area") - 127.5) / 128)[0].numpy()


@pytest.mark.parametrize(
    ("source", "target"),
    [((37, 53), (23, 31)), ((40, 60), (20, 30)), ((10, 12), (25, 24)), ((7, 9), (7, 9))],
    ids=["odd", "half", "larger", "same"],
)
def test_whole_pictures(source, target):
    pixels = RNG.integers(0, 256, (*source, 3), np.uint8)
    found = Integral(pixels).resized(*target)
    assert (found.shape, found.dtype) == ((1, 3, *target), np.float32)
    np.testing.assert_allclose(found[0], area(pixels, *target), atol=2e-6)


def test_crops_are_cut_at_the_edge_and_count_from_one():
    pixels = RNG.integers(0, 256, (60, 80, 3), np.uint8)
    boxes = np.array(
        [[10.7, 5.2, 40.9, 35.9], [-8, -9, 21, 20], [60, 40, 99, 79], [1, 1, 5, 5]], np.float32
    )
    kept, crops = Integral(pixels).crops(boxes, 24)
    np.testing.assert_array_equal(kept, boxes)
    cuts = [(9, 40, 4, 35), (0, 21, 0, 20), (59, 80, 39, 60), (0, 5, 0, 5)]
    for crop, (x0, x1, y0, y1) in zip(crops, cuts, strict=True):
        np.testing.assert_allclose(crop, area(pixels[y0:y1, x0:x1], 24, 24), atol=2e-6)


def test_boxes_without_a_pixel_are_left_out():
    picture = Integral(np.zeros((20, 20, 3), np.uint8))
    boxes = np.array([[30, 2, 40, 12], [2, 2, 12, 12], [-9, -9, 0, 0]], np.float32)
    kept, crops = picture.crops(boxes, 12)
    np.testing.assert_array_equal(kept, boxes[1:2])
    assert crops.shape == (1, 3, 12, 12)


def test_sums_beyond_32_bits_do_not_show():
    """White, 3000 x 3000: the running sum is 2.3e9, beyond int32."""
    found = Integral(np.full((3000, 3000, 3), 255, np.uint8)).resized(30, 30)
    np.testing.assert_allclose(found, np.float32(127.5 / 128))
