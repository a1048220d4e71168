"""The saved state of a training comes back as it was."""

import pytest
import torch
from torch import nn

from fer_pipeline.train import optimisers, phases, state
from fer_pipeline.train.params import TrainParams


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 3)).to(
        memory_format=torch.channels_last
    )


def advance(model, optimiser, steps):
    for step in range(steps):
        torch.manual_seed(step)
        loss = model(torch.randn(8, 2, 4, 4)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "lion", "nadamw", "muon", "lamb"])
def test_a_restored_training_goes_on_bit_for_bit(tmp_path, name):
    settings = TrainParams(optimiser=name, lr=0.1)
    model = network()
    optimiser = optimisers.build(settings, phases.layers(model, model[-1]))
    advance(model, optimiser, 3)
    kept = state.State([{"epoch": 1, "val_accuracy": 0.1 + 0.2}], 1, {"w": torch.rand(3)}, 7.5)
    state.save(tmp_path / "last.safetensors", kept, {"model": model}, optimiser, {"averaged": 4})
    advance(model, optimiser, 2)

    other = nn.Sequential(*network())
    for value in other.parameters():
        nn.init.constant_(value, 0.5)
    again = optimisers.build(settings, phases.layers(other, other[-1]))
    found, header = state.load(tmp_path / "last.safetensors", {"model": other}, again)
    assert found.history == kept.history
    assert found.best == 1
    assert found.seconds == 7.5
    assert torch.equal(found.weights["w"], kept.weights["w"])
    assert header["averaged"] == 4
    advance(other, again, 2)
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_a_kill_while_saving_leaves_the_old_state(tmp_path, monkeypatch):
    model = network()
    optimiser = optimisers.build(TrainParams(), phases.layers(model, model[-1]))
    path = tmp_path / "last.safetensors"
    state.save(path, state.State(best=1), {"model": model}, optimiser, {})

    def killed(tensors, target, metadata):
        target.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(state, "save_file", killed)
    with pytest.raises(KeyboardInterrupt):
        state.save(path, state.State(best=2), {"model": model}, optimiser, {})
    assert state.load(path, {"model": model}, optimiser)[0].best == 1
