"""What resnet_cnn promises beyond the contract."""

import pytest
import torch

from fer_pipeline.models import resnet_cnn
from fer_pipeline.models._layers import Residual


@pytest.mark.parametrize("size", [44, 45, 48, 64])
def test_it_takes_faces_of_any_size_in_its_range(size):
    model = resnet_cnn.build(7).eval()
    with torch.inference_mode():
        assert model(torch.zeros(2, 1, size, size)).shape == (2, 7)


@pytest.mark.parametrize("side", [11, 12])
def test_a_halving_skip_fits_its_branch(side):
    block = Residual(8, 16, stride=2).eval()
    with torch.inference_mode():
        assert block(torch.zeros(1, 8, side, side)).shape == (1, 16, 6, 6)


def test_it_stays_small():
    count = sum(value.numel() for value in resnet_cnn.build(7).parameters())
    assert 2.5e6 < count < 3e6
