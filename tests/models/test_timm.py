"""Files of weights that timm's networks start from."""

import pytest
import torch
from safetensors.torch import save_file

from fer_pipeline import registry, seeds
from fer_pipeline.errors import BadParams
from fer_pipeline.models import _timm, small_cnn

QUICK = ("resnet18", "mobilenetv3", "vit_small")
NAMES = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.deep)
    for name in registry.names("models")
    if hasattr(registry.load("models", name), "_timm")
]


@pytest.fixture(params=NAMES)
def module(request):
    """A file of the catalogue whose network is timm's."""
    return registry.load("models", request.param)


@pytest.fixture
def original(module, monkeypatch, tmp_path):
    """The library's own network, colour pictures and 1,000 classes, and a file of its weights."""
    import timm

    asked, create = [], _timm.create
    monkeypatch.setattr(
        _timm, "create", lambda name, *rest, **o: asked.append(name) or create(name, *rest, **o)
    )
    module.build(7, pretrained=False)
    monkeypatch.undo()
    seeds.fix(5)
    model = timm.create_model(asked[0], pretrained=False)
    # Norms and biases begin alike in every network; weights that were learnt do not.
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.01 * torch.randn_like(value))
    file = tmp_path / "original.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, file)
    return model, file


def test_the_librarys_own_weights_are_taken_whole(module, original):
    source, file = original
    model = module.build(7, pretrained=str(file))
    head = {id(value) for value in module.head(model).parameters()}
    first, *_ = (value for value in model.parameters() if value.ndim == 4)
    given = {_timm._content(value) for value in source.parameters()}
    kept = [
        (name, value)
        for name, value in model.named_parameters()
        if id(value) not in head and value is not first and name != "pos_embed"
    ]
    assert len(kept) > 20
    assert [name for name, value in kept if _timm._content(value) not in given] == []
    model.eval()
    with torch.inference_mode():
        assert model(torch.zeros(1, 1, module.INPUT.size, module.INPUT.size)).shape == (1, 7)


def test_the_first_filters_are_the_middle_of_the_librarys_summed_over_colours(module, original):
    source, file = original
    if "vit" in module.__name__:
        pytest.skip("its patches are resampled, not cut")
    theirs, ours = (
        next(layer for layer in model.modules() if isinstance(layer, torch.nn.Conv2d))
        for model in (source, module.build(7, pretrained=str(file)))
    )
    side, whole = ours.kernel_size[0], theirs.kernel_size[0]
    begin = (whole - side) // 2
    middle = theirs.weight.sum(dim=1, keepdim=True)
    middle = middle[:, :, begin : begin + side, begin : begin + side]
    torch.testing.assert_close(ours.weight, middle)


def test_values_arrive_as_the_librarys_weights_expect_them(module, original):
    told = original[0].pretrained_cfg
    gray = sum(told["mean"]) / 3, sum(told["std"]) / 3
    assert module.INPUT.mean[0] == pytest.approx(gray[0], abs=0.07)
    assert module.INPUT.std[0] == pytest.approx(gray[1], abs=0.04)


def test_a_file_of_another_network_is_refused(module, tmp_path):
    file = tmp_path / "small.safetensors"
    save_file(small_cnn.build(7).state_dict(), file)
    with pytest.raises(BadParams, match=r"small\.safetensors holds no weights of"):
        module.build(7, pretrained=str(file))


def test_a_file_that_lacks_a_layer_is_refused(module, original, tmp_path):
    source, _ = original
    tensors = {name: value.contiguous() for name, value in source.state_dict().items()}
    told = source.pretrained_cfg
    adapted = (told["classifier"], told["first_conv"])
    inside = [name for name, _ in source.named_parameters() if not name.startswith(adapted)]
    lost = [name for name in inside if tensors[name].ndim > 1][-1]
    del tensors[lost]
    file = tmp_path / "cut.safetensors"
    save_file(tensors, file)
    with pytest.raises(BadParams, match=f"{lost} is missing"):
        module.build(7, pretrained=str(file))
