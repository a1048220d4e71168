"""What the networks for clips promise beyond the contract."""

import pytest
import torch

from fer_pipeline import architectures, seeds


def built(name, **options):
    seeds.fix(0)
    return architectures.build(name, 7, 48, options).eval()


def clips(count=3):
    random = torch.Generator().manual_seed(0)
    return torch.randn(count, 10, 1, 48, 48, generator=random)


LENGTHS, PEAKS = torch.tensor([10, 6, 3]), torch.tensor([4, 5, 0])


@pytest.mark.parametrize("encoder", ["plain", "small_cnn", "resnet_cnn", "resnet18"])
def test_every_encoder_of_frames(encoder):
    with torch.inference_mode():
        assert built("cnn_gru", encoder=encoder)(clips(), LENGTHS, PEAKS).shape == (3, 7)


def test_without_time_only_the_peak_counts():
    model, given = built("cnn_lstm", temporal=False), clips()
    other = clips()
    for clip, peak in zip(other, PEAKS.tolist(), strict=True):
        clip[[frame for frame in range(10) if frame != peak]] = 7.0
    with torch.inference_mode():
        assert torch.equal(model(other, LENGTHS, PEAKS), model(given, LENGTHS, PEAKS))
        middle = model(given, LENGTHS, LENGTHS // 2)
        assert torch.equal(model(given, LENGTHS, torch.full((3,), -1)), middle)


def test_the_order_of_frames_matters_with_time():
    model, given = built("cnn_gru"), clips()
    with torch.inference_mode():
        there = model(given, torch.full((3,), 10), PEAKS)
        back = model(given.flip(1), torch.full((3,), 10), PEAKS)
    assert not torch.allclose(there, back, atol=1e-4)


@pytest.mark.parametrize("fuse", ["gated", "late"])
def test_a_missing_branch_leaves_the_decision_to_the_other(fuse):
    model, given = built("fusion", fuse=fuse), clips()
    unknown = torch.full((3,), -1)
    with torch.inference_mode():
        both = model(given, LENGTHS, PEAKS)
        no_peak = model(given, LENGTHS, unknown)
        assert torch.isfinite(no_peak).all()
        assert not torch.allclose(both, no_peak)
        # Without the image branch, its weights say nothing.
        for value in model.image.parameters():
            value.mul_(3.0)
        assert torch.equal(model(given, LENGTHS, unknown), no_peak)
        single = torch.ones(3, dtype=torch.int64)
        still = model(given, single, torch.zeros(3, dtype=torch.int64))
        for value in model.frames.parameters():
            value.mul_(3.0)
        assert torch.equal(model(given, single, torch.zeros(3, dtype=torch.int64)), still)


def test_branches_are_left_out_while_training_only():
    model, given = built("fusion", dropout=0.0, branch_drop=1.0), clips()
    there = model._there(LENGTHS, PEAKS)
    assert there.all()
    torch.manual_seed(0)
    dropped = model.train()._there(torch.full((200,), 10), torch.zeros(200, dtype=torch.int64))
    assert (dropped.sum(dim=1) == 1).all()
    assert 60 < dropped[:, 0].sum() < 140
    assert torch.isfinite(model(given, LENGTHS, PEAKS)).all()
