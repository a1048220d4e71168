"""Maps against formulas worked by hand, and networks whose evidence lies in a known place."""

import numpy as np
import pytest
import torch
from torch import nn

from fer_pipeline.explain import cams
from fer_pipeline.images import Input, prepare


class Pooled(nn.Module):
    """Two channels, shown as they are, averaged, and weighed by a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 2, 1, bias=False)
        self.head = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.layer.weight.copy_(torch.eye(2)[:, :, None, None])
            self.head.weight.copy_(torch.tensor([[2.0, -1.0], [-1.0, 3.0]]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(x).mean(dim=(2, 3)))


@pytest.mark.parametrize("label", [0, 1])
def test_gradcam_is_the_positive_part_of_the_weighed_channels(label):
    model = Pooled().eval()
    inputs = torch.rand(3, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    heat = cams.of_stills(model, model.layer, "gradcam", inputs, [label] * 3)
    weights = model.head.weight[label].detach()
    by_hand = (inputs * weights[None, :, None, None]).sum(dim=1).clamp(min=0).numpy()
    low = by_hand.min(axis=(1, 2), keepdims=True)
    by_hand = (by_hand - low) / (by_hand - low).max(axis=(1, 2), keepdims=True)
    assert heat == pytest.approx(by_hand, abs=1e-5)


def test_a_map_does_not_depend_on_the_batch(monkeypatch):
    model = Pooled().eval()
    inputs = torch.rand(5, 2, 8, 8, generator=torch.Generator().manual_seed(2))
    labels = [0, 1, 1, 0, 1]
    together = cams.of_stills(model, model.layer, "gradcam", inputs, labels)
    monkeypatch.setattr(cams, "BATCH", 2)
    assert cams.of_stills(model, model.layer, "gradcam", inputs, labels) == pytest.approx(together)


@pytest.mark.parametrize("method", cams.METHODS)
def test_every_method_finds_the_only_place_with_evidence(method):
    model = Pooled().eval()
    inputs = torch.zeros(1, 2, 16, 16)
    inputs[0, 0, 11:14, 5:8] = 1
    heat = cams.of_stills(model, model.layer, method, inputs, [0])[0]
    assert heat.shape == (16, 16)
    assert heat[11:14, 5:8].sum() > 0.99 * heat.sum() > 0


def test_evidence_against_a_class_gives_an_empty_map():
    model = Pooled().eval()
    inputs = torch.zeros(1, 2, 8, 8)
    inputs[0, 1] = 1
    assert not cams.of_stills(model, model.layer, "gradcam", inputs, [0]).any()


class Clips(nn.Module):
    """Averages over the valid frames the score that `Pooled` gives each."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = Pooled()

    def forward(
        self, clips: torch.Tensor, lengths: torch.Tensor, peaks: torch.Tensor
    ) -> torch.Tensor:
        scores = self.frames(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
        valid = torch.arange(clips.shape[1])[None] < lengths[:, None]
        return (scores * valid[:, :, None]).sum(dim=1) / lengths[:, None]


def test_a_clip_is_explained_frame_by_frame():
    model = Clips().eval()
    frames = torch.zeros(4, 2, 8, 8)
    for number in range(4):
        frames[number, 0, 2 * number, 3] = 1
    heat = cams.of_clip(model, model.frames.layer, "gradcam", frames, 0)
    assert heat.shape == (4, 8, 8)
    peaks = [np.unravel_index(each.argmax(), each.shape) for each in heat]
    assert peaks == [(0, 3), (2, 3), (4, 3), (6, 3)]


class Peak(Clips):
    """Looks at one frame alone."""

    def forward(
        self, clips: torch.Tensor, lengths: torch.Tensor, peaks: torch.Tensor
    ) -> torch.Tensor:
        return self.frames(clips[0, peaks])


def test_frames_that_a_network_never_looks_at_have_no_heat():
    model = Peak().eval()
    frames = torch.zeros(4, 2, 8, 8)
    frames[:, 0, 5, 3] = 1
    heat = cams.of_clip(model, model.frames.layer, "gradcam", frames, 0, peak=2)
    assert heat.shape == (4, 8, 8)
    assert heat[2].argmax() == 5 * 8 + 3
    assert not heat[[0, 1, 3]].any()


def test_to_tensor_follows_the_input_contract():
    contract = Input(size=4, channels=3, mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 0.2))
    crop = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    tensor = cams.to_tensor([crop], contract).numpy()
    by_hand = (prepare(crop, contract) / 255 - contract.mean) / contract.std
    assert tensor.shape == (1, 3, 4, 4)
    assert tensor.dtype == np.float32
    assert tensor[0] == pytest.approx(by_hand.transpose(2, 0, 1), abs=1e-5)
