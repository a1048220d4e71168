"""What every file of the catalogue `models/` promises."""

import copy

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from fer_pipeline import architectures, checkpoints, registry, seeds
from fer_pipeline.checkpoints import Card
from fer_pipeline.emotions import COMMON7
from fer_pipeline.errors import BadParams, PipelineError
from fer_pipeline.images import Input
from fer_pipeline.train import parallel, phases
from fer_pipeline.train.params import TrainParams

NAMES = registry.names("models")
CLIPS = [name for name in NAMES if architectures.contract(name).frames > 1]
BUILT: dict[str, nn.Module] = {}


DEEP = [
    # Large, and alike in what they take from timm: one of them stands for them every day.
    pytest.param(name, marks=pytest.mark.deep)
    if name != "resnet18" and hasattr(registry.load("models", name), "_timm")
    else name
    for name in NAMES
]


@pytest.fixture(params=NAMES)
def module(request):
    """A file of the catalogue."""
    return registry.load("models", request.param)


def named(module):
    return module.__name__.rsplit(".", 1)[-1]


def build(module, classes=7, seed=0):
    """A network of its own; the first of its kind is kept, for building some takes seconds."""
    key = f"{module.__name__} {classes} {seed}"
    if key not in BUILT:
        BUILT.clear()
        seeds.fix(seed)
        BUILT[key] = module.build(classes, pretrained=False)
    return copy.deepcopy(BUILT[key])


def batch(module, count, seed=0):
    """Normalised random pictures, or clips of unequal length, as `model(*batch)` takes them."""
    contract: Input = module.INPUT
    picture = (contract.channels, contract.size, contract.size)
    random = torch.Generator().manual_seed(seed)
    if contract.frames == 1:
        return (torch.randn(count, *picture, generator=random),)
    clips = torch.randn(count, contract.frames, *picture, generator=random)
    lengths = torch.arange(count) % contract.frames + 1
    return clips, lengths, lengths - 1 - torch.arange(count) % 2 * lengths


def still(model):
    """The model without anything drawn at random, in training mode."""
    model.train()
    for layer in model.modules():
        if type(layer).__name__.startswith(("Dropout", "DropPath")):
            layer.eval()
    if hasattr(model, "_branch_drop"):
        model._branch_drop = 0.0
    return model


def settled(module):
    """The model in evaluation mode, its normalisations as after training on such pictures."""
    model = still(build(module))
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model(*batch(module, 12, seed=9))
    return model.eval()


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
    model = settled(module)
    inputs = batch(module, 5)
    with torch.inference_mode():
        together = model(*inputs)
        alone = torch.cat([model(*(x[i : i + 1] for x in inputs)) for i in range(5)])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", CLIPS)
def test_frames_behind_the_length_change_nothing(name):
    module = registry.load("models", name)
    model = build(module).eval()
    clips, lengths, peaks = batch(module, 4)
    padded = clips.clone()
    for clip, length in zip(padded, lengths.tolist(), strict=True):
        clip[length:] = 9.0
    torch.testing.assert_close(model(padded, lengths, peaks), model(clips, lengths, peaks))
    answers = []
    for given in (clips, padded):
        torch.manual_seed(0)
        answers.append(model.train()(given, lengths, peaks))
    torch.testing.assert_close(answers[0], answers[1])


@pytest.mark.parametrize("module", DEEP, indirect=True)
def test_one_step_lowers_the_loss(module):
    model = still(build(module))
    inputs, truth = batch(module, 14), torch.arange(14) % 7
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4)
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
    outputs = [layer for layer in head.modules() if isinstance(layer, nn.Linear)]
    assert outputs[-1].out_features == 6
    seen = {}
    cam.register_forward_hook(lambda layer, args, output: seen.update(shape=output.shape))
    model.eval()(*batch(module, 2))
    assert len(seen["shape"]) == 4, "Grad-CAM needs a map"
    assert min(seen["shape"][2:]) > 1


def test_the_head_is_a_small_part(module):
    model = build(module)
    inside = sum(value.numel() for value in module.head(model).parameters())
    assert inside < 0.4 * sum(value.numel() for value in model.parameters())


@pytest.mark.parametrize("module", DEEP, indirect=True)
def test_building_is_deterministic_under_a_seed(module):
    def state(seed):
        seeds.fix(seed)
        return module.build(7, pretrained=False).state_dict()

    first, second, other = state(3), state(3), state(4)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("module", DEEP, indirect=True)
def test_checkpoint_round_trip(module, tmp_path):
    model = build(module).eval()
    card = Card(
        name=named(module),
        model=named(module),
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


@pytest.mark.parametrize("module", DEEP, indirect=True)
def test_a_network_goes_on_from_its_own_weights_with_other_classes(module, tmp_path):
    from safetensors.torch import save_file

    file = tmp_path / "weights.safetensors"
    model = build(module)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, file)
    seeds.fix(1)
    again = module.build(5, pretrained=str(file))
    inside = {id(value) for value in module.head(again).parameters()}
    for (name, value), old in zip(again.named_parameters(), model.parameters(), strict=True):
        if id(value) not in inside:
            assert torch.equal(value, old), name
    again.eval()
    with torch.inference_mode():
        assert again(*batch(module, 1)).shape == (1, 5)


@pytest.mark.parametrize("content", [None, b"no tensors"])
def test_weights_that_cannot_be_had_are_said(module, tmp_path, content):
    file = tmp_path / "weights.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PipelineError, match=r"weights\.safetensors"):
        module.build(7, pretrained=str(file))


@pytest.mark.parametrize("training", [True, False])
def test_a_process_among_several_computes_the_same_network(module, monkeypatch, training):
    monkeypatch.setattr(parallel, "_summed", lambda values: values)
    plain, inputs = build(module), batch(module, 4)
    synced = parallel.synced(copy.deepcopy(plain), parallel.Ranks(0, 2))
    answers = []
    for model in (plain, synced):
        torch.manual_seed(0)
        with torch.no_grad():
            answers.append(model.train(training)(*inputs))
    torch.testing.assert_close(answers[1], answers[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("module", DEEP, indirect=True)
def test_frozen_normalisations_stay_as_they_are_while_the_head_learns(module):
    model = build(module).train()
    settings = TrainParams(mode="feature_extraction", pretrained="given")
    for layer in phases.freeze(settings, phases.layers(model, module.head(model)), 1):
        layer.training = False
    inside = {id(layer) for layer in module.head(model).modules()}
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    norms = [norm for norm in norms if id(norm) not in inside]
    before = [copy.deepcopy(norm.state_dict()) for norm in norms]
    model(*batch(module, 4))
    for norm, state in zip(norms, before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in norm.state_dict().items())


def exported(model, inputs, names, file):
    """Stills by the tracing exporter, a tenth of the other's time, which clips need."""
    if len(inputs) == 1:
        axes = {name: {0: "count"} for name in names}
        torch.onnx.export(
            model, inputs, file, input_names=names, dynamic_axes=axes, dynamo=False, verbose=False
        )
        return
    shapes = tuple({0: torch.export.Dim("count")} for _ in inputs)
    torch.onnx.export(
        model, inputs, file, input_names=names, dynamic_shapes=shapes, dynamo=True, verbose=False
    )


# A GRU and an LSTM leave by the same way, which takes as long as all stills together.
EXPORTED = [
    pytest.param(name, marks=pytest.mark.deep) if name == "cnn_lstm" else name for name in DEEP
]


@pytest.mark.parametrize("module", EXPORTED, indirect=True)
def test_it_runs_in_onnx_as_in_torch(module, tmp_path):
    model = settled(module)
    inputs, file = batch(module, 3), tmp_path / "model.onnx"
    names = ["pictures", "lengths", "peaks"][: len(inputs)]
    exported(model, inputs, names, file)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    other = batch(module, 5, seed=1)
    given = {name: x.numpy() for name, x in zip(names, other, strict=True)}
    with torch.inference_mode():
        expected = model(*other).numpy()
    np.testing.assert_allclose(session.run(None, given)[0], expected, rtol=1e-2, atol=2e-3)


def test_an_option_that_it_does_not_have_is_refused(module):
    with pytest.raises(BadParams, match="no_such_option is no parameter"):
        architectures.build(named(module), 7, module.INPUT.size, {"no_such_option": 1})
