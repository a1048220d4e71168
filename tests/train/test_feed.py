"""Input of a batch, from the host and on the device."""

import numpy as np
import pytest
import torch

from fer_pipeline.images import Input
from fer_pipeline.train import augment, feed, losses
from fer_pipeline.train.feed import Feed
from fer_pipeline.train.hardware import Hardware
from fer_pipeline.train.params import Augment
from fer_pipeline.train.part import Part

CONTRACT = Input(size=16, channels=1, mean=(0.4,), std=(0.2,))
HOST = Hardware("cpu", "float32", True)
DEVICE = Hardware("cpu", "float32", True, augments=True)
PIXELS = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 1), dtype=np.uint8)
PART = Part(
    ids=tuple("abcde"),
    pixels=PIXELS,
    places=np.array([8, 1, 4, 0, 2]),
    lengths=None,
    peaks=None,
    targets=losses.one_hot(np.zeros(5, np.int64), 2),
    truth=np.zeros(5, np.int64),
    ratings=np.zeros((5, 0), np.float32),
)


@pytest.mark.parametrize("hardware", [HOST, DEVICE])
def test_values_are_normalised_and_of_the_asked_rows(hardware):
    found = Feed(CONTRACT, hardware, PIXELS).values(PART, np.array([2, 0]))
    expected = (PIXELS[[4, 8]][..., 0] / 255 - 0.4) / 0.2
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)


def test_pixels_stay_where_they_are_when_the_device_is_too_small(monkeypatch):
    recipe = augment.draw(Augment(), 16, 16, 5, 0, 1)
    rows = np.array([3, 1, 2])
    large = Feed(CONTRACT, DEVICE, PIXELS)
    assert large.resident is not None
    monkeypatch.setattr(feed, "_free", lambda device: 2 * PIXELS.nbytes - 1)
    small = Feed(CONTRACT, DEVICE, PIXELS)
    assert small.resident is None
    torch.testing.assert_close(small.values(PART, rows, recipe), large.values(PART, rows, recipe))


def test_the_host_keeps_its_pixels_in_the_file():
    assert Feed(CONTRACT, HOST, PIXELS).resident is None


@pytest.mark.parametrize("hardware", [HOST, DEVICE])
def test_one_row_is_varied_as_often_as_it_is_drawn(hardware):
    recipe = augment.draw(Augment(), 16, 16, 5, 0, 1)
    fed = Feed(CONTRACT, hardware, PIXELS)
    rows = np.array([3, 3])
    first, second = fed.values(PART, rows, recipe, np.array([0, 1]))
    assert not torch.equal(first, second)
    own = fed.values(PART, rows, recipe)
    assert torch.equal(own[0], own[1])
