"""Variation on the device against the host's, by the same recipe."""

import cv2
import numpy as np
import pytest
import torch

from fer_pipeline.train import augment, warps
from fer_pipeline.train.params import Augment

COUNT, SIDE = 24, 48
STRONG = Augment(
    rotate=20, shift=0.15, zoom=0.2, brightness=0.2, contrast=0.3, erase=0.6, erase_area=0.3
)


@pytest.fixture(params=[1, 3])
def pictures(request):
    """Smooth pictures, gray or RGB: where they are rough, a hundredth of a pixel shows."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (COUNT, SIDE, SIDE, request.param), dtype=np.uint8)
    smooth = [cv2.GaussianBlur(picture, (0, 0), 2.5) for picture in noise]
    return np.stack(smooth).reshape(noise.shape).astype(np.uint8)


def differences(pictures, settings, size=SIDE):
    recipe = augment.draw(settings, SIDE, size, 100, 7, 1)
    rows = np.arange(COUNT) * 3
    host = augment.apply(pictures, rows, recipe)
    device = warps.apply(torch.from_numpy(pictures), rows, recipe)
    moved = device.movedim(-3, -1).numpy()
    assert moved.shape == host.shape
    return np.abs(moved - host.astype(np.float32))


@pytest.mark.parametrize(
    "settings",
    [
        augment.NOTHING,
        augment.NOTHING.model_copy(update={"flip": 1.0}),
        augment.NOTHING.model_copy(update={"brightness": 0.3, "contrast": 0.3}),
        augment.NOTHING.model_copy(update={"erase": 1.0, "erase_area": 0.3}),
    ],
)
def test_what_needs_no_interpolation_is_the_same(pictures, settings):
    assert differences(pictures, settings).max() <= 1


@pytest.mark.parametrize("size", [48, 32])
def test_everything_at_once_differs_by_rounding_alone(pictures, size):
    found = differences(pictures, STRONG, size)
    assert found.mean() < 0.7
    assert np.quantile(found, 0.999) <= 4


def test_frames_of_a_clip_are_varied_alike(pictures):
    recipe = augment.draw(STRONG, SIDE, SIDE, 100, 7, 1)
    clips = torch.from_numpy(pictures.reshape(8, 3, *pictures.shape[1:]))
    rows = np.arange(8) + 20
    found = warps.apply(clips, rows, recipe)
    for frame in range(3):
        alone = warps.apply(clips[:, frame], rows, recipe)
        torch.testing.assert_close(found[:, frame], alone)
