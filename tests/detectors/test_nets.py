"""The three nets against facenet-pytorch's modules."""

import numpy as np
import pytest
import torch
from facenet_pytorch.models import mtcnn as facenet

from fer_pipeline.detectors._nets import Net

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("pnet", (1, 3, 41, 58)),
        ("pnet", (1, 3, 12, 12)),
        ("rnet", (1, 3, 24, 24)),
        ("rnet", (19, 3, 24, 24)),
        ("onet", (9, 3, 48, 48)),
    ],
)
def test_same_numbers(name, shape):
    values = RNG.uniform(-1, 1, shape).astype(np.float32)
    module = {"pnet": facenet.PNet, "rnet": facenet.RNet, "onet": facenet.ONet}[name]()
    with torch.inference_mode():
        box, *points, chance = (part.numpy() for part in module(torch.from_numpy(values)))
    found = Net(name)(values)
    np.testing.assert_allclose(1 / (1 + np.exp(found[:, 0] - found[:, 1])), chance[:, 1], atol=1e-5)
    np.testing.assert_allclose(found[:, 2:6], box, atol=1e-5)
    if points:
        np.testing.assert_allclose(found[:, 6:], points[0], atol=1e-5)
