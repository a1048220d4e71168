"""Mixed pictures and their targets."""

import numpy as np
import pytest
import torch

from fer_pipeline.train import mixing
from fer_pipeline.train.params import TrainParams

COUNT, SIDE = 6, 20


def batch():
    """Each picture is full of its row's number; so is its target's place."""
    values = torch.arange(COUNT, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 1, SIDE, SIDE)
    return values.clone(), torch.eye(COUNT)


def mixed(seed=0, **changes):
    return mixing.mixed(*batch(), TrainParams(**changes), np.random.default_rng(seed))


def test_off_by_default():
    values, targets = mixed()
    assert torch.equal(values, batch()[0])
    assert torch.equal(targets, batch()[1])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("changes", [{"mixup": 0.4}, {"cutmix": 1.0}])
def test_targets_say_what_the_pictures_are_made_of(seed, changes):
    values, targets = mixed(seed, **changes)
    numbers = torch.arange(COUNT, dtype=torch.float32)
    # The mean pixel is the mean row number under the shares, for either way of mixing.
    torch.testing.assert_close(values.mean(dim=(1, 2, 3)), targets @ numbers)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(COUNT))


@pytest.mark.parametrize("seed", range(8))
def test_mixup_blends_and_keeps_the_larger_share_its_own(seed):
    values, targets = mixed(seed, mixup=1.0)
    assert (values.amax(dim=(1, 2, 3)) == values.amin(dim=(1, 2, 3))).all()
    assert (targets.diagonal() >= 0.5).all()


def test_cutmix_pastes_one_rectangle():
    values, _ = mixed(3, cutmix=1.0)
    for number, picture in enumerate(values[:, 0]):
        foreign = picture != number
        if not foreign.any():
            continue
        rows, columns = foreign.any(dim=1).nonzero(), foreign.any(dim=0).nonzero()
        inside = foreign[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert inside.all()
        assert len(picture[foreign].unique()) == 1


def test_both_take_turns():
    blended = [
        bool((values.amax(dim=(1, 2, 3)) == values.amin(dim=(1, 2, 3))).all())
        for values, _ in (mixed(seed, mixup=1.0, cutmix=1.0) for seed in range(20))
    ]
    assert 4 <= sum(blended) <= 16


def test_a_box_lies_inside_and_has_its_share():
    random = np.random.default_rng(0)
    for share in (0.0, 0.3, 0.75, 1.0):
        top, left, bottom, right = mixing.box(40, 60, share, random)
        assert 0 <= top <= bottom <= 40
        assert 0 <= left <= right <= 60
        assert (bottom - top) * (right - left) / 2400 == pytest.approx(1 - share, abs=0.02)
