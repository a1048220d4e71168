"""What every file of the catalogue `models/` promises."""

import pytest
import torch
from torch import nn

from fer_pipeline import checkpoints, registry, seeds
from fer_pipeline.checkpoints import Card
from fer_pipeline.emotions import COMMON7
from fer_pipeline.errors import PipelineError
from fer_pipeline.images import Input

NAMES = registry.names("models")


@pytest.fixture(params=NAMES)
def module(request):
    """A file of the catalogue."""
    return registry.load("models", request.param)


def build(module, classes=7, seed=0):
    seeds.fix(seed)
    return module.build(classes, pretrained=False)


def batch(module, count, seed=0):
    """Normalised random pictures, or clips of unequal length, as `model(*batch)` takes them."""
    contract: Input = module.INPUT
    picture = (contract.channels, contract.size, contract.size)
    random = torch.Generator().manual_seed(seed)
    if contract.frames == 1:
        return (torch.randn(count, *picture, generator=random),)
    clips = torch.randn(count, contract.frames, *picture, generator=random)
    lengths = torch.arange(count) % contract.frames + 1
    return clips, lengths


def test_input_contract_is_sound(module):
    contract = module.INPUT
    assert isinstance(contract, Input)
    assert contract.channels in (1, 3)
    assert len(contract.mean) == len(contract.std) == contract.channels
    assert all(0 < value < 1 for value in (*contract.mean, *contract.std))
    assert contract.size >= 32
    assert contract.frames >= 1


@pytest.mark.parametrize("classes", [6, 8])
def test_logits_per_class(module, classes):
    model = build(module, classes).eval()
    with torch.inference_mode():
        logits = model(*batch(module, 3))
    assert logits.shape == (3, classes)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


def test_an_answer_does_not_depend_on_the_batch(module):
    model = build(module).eval()
    inputs = batch(module, 5)
    with torch.inference_mode():
        together = model(*inputs)
        alone = torch.cat([model(*(x[i : i + 1] for x in inputs)) for i in range(5)])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)


def test_frames_behind_the_length_change_nothing(module):
    if module.INPUT.frames == 1:
        pytest.skip("takes stills")
    model = build(module).eval()
    clips, lengths = batch(module, 4)
    padded = clips.clone()
    for clip, length in zip(padded, lengths.tolist(), strict=True):
        clip[length:] = 9.0
    torch.testing.assert_close(model(padded, lengths), model(clips, lengths))
    answers = []
    for given in (clips, padded):
        torch.manual_seed(0)
        answers.append(model.train()(given, lengths))
    torch.testing.assert_close(answers[0], answers[1])


def test_one_step_lowers_the_loss(module):
    model = build(module).train()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout | nn.Dropout2d):
            layer.p = 0.0
    inputs, truth = batch(module, 14), torch.arange(14) % 7
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    before = nn.functional.cross_entropy(model(*inputs), truth)
    before.backward()
    assert all(value.grad is not None for value in model.parameters())
    optimiser.step()
    after = nn.functional.cross_entropy(model(*inputs), truth)
    assert after.item() < before.item()


def test_head_and_cam_layer_belong_to_the_model(module):
    model = build(module, 6)
    head, cam = module.head(model), module.cam_layer(model)
    layers = list(model.modules())
    assert any(layer is head for layer in layers)
    assert any(layer is cam for layer in layers)
    assert head.out_features == 6
    seen = {}
    cam.register_forward_hook(lambda layer, args, output: seen.update(shape=output.shape))
    model.eval()(*batch(module, 2))
    assert len(seen["shape"]) == 4, "Grad-CAM needs a map"
    assert min(seen["shape"][2:]) > 1


def test_building_is_deterministic_under_a_seed(module):
    first, second, other = (build(module, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_checkpoint_round_trip(module, tmp_path):
    name = module.__name__.rsplit(".", 1)[-1]
    model = build(module).eval()
    card = Card(
        model=name,
        source="fer2013",
        repeat=0,
        classes=COMMON7,
        input=module.INPUT,
        params={},
        data="d",
        code="c",
        epoch=1,
        score=0.5,
    )
    checkpoints.save(tmp_path / "0", model, card)
    again, read = checkpoints.load(tmp_path / "0")
    assert read == card
    inputs = batch(module, 2)
    with torch.inference_mode():
        assert torch.equal(again(*inputs), model(*inputs))


def test_pretrained_weights_that_are_not_there_are_said(module, tmp_path):
    with pytest.raises(PipelineError):
        module.build(7, pretrained=str(tmp_path / "none.safetensors"))
