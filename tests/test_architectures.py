"""Networks made to order."""

import pytest

from fer_pipeline import architectures
from fer_pipeline.errors import BadParams, UnknownName


def names_of(model):
    return {path.name for path in architectures.sources(model)}


def test_contract_with_another_size():
    assert architectures.contract("simple_cnn").size == 48
    assert architectures.contract("simple_cnn", 64).size == 64
    assert architectures.contract("cnn_gru", 64).frames == 10


def test_options_are_those_of_build():
    assert set(architectures.options("cnn_cbam")) == {"dropout", "width", "norm", "attention"}


@pytest.mark.parametrize(
    ("model", "given", "message"),
    [
        ("cnn_cbam", {"atention": False}, "options.atention is no parameter; did you mean 'attent"),
        ("cnn_cbam", {"dropout": "much"}, "options.dropout = 'much'"),
        ("vit_small", {"variant": "huge"}, "options.variant = 'huge'"),
        ("vit_small", {"patch": 7}, "options.patch = 7; it must divide the picture's side, 48"),
        ("simple_cnn", {"convs": 6}, "simple_cnn has 3 to 5 convolutions"),
        ("cnn_attention", {"heads": 3}, "options.heads = 3; it must divide 256"),
        ("cnn_gru", {"encoder": "vgg"}, "options.encoder = 'vgg'"),
    ],
)
def test_bad_options_are_named(model, given, message):
    with pytest.raises(BadParams, match=message):
        architectures.build(model, 7, 48, given)


def test_a_picture_too_small_for_its_network_is_said():
    with pytest.raises(BadParams, match=r"size = 64; inception_v3 with options\.stem = imagenet"):
        architectures.build("inception_v3", 7, 64, {"stem": "imagenet"})


def test_an_unknown_model():
    with pytest.raises(UnknownName, match="did you mean 'simple_cnn'"):
        architectures.build("simple_cn", 7, 48, {})


def test_numbers_are_read_as_their_types():
    assert architectures.checked("simple_cnn", {"dropout": "1e-1"}) == {"dropout": 0.1}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("simple_cnn", {"simple_cnn.py", "_layers.py", "_weights.py"}),
        ("resnet18", {"resnet18.py", "_timm.py", "_layers.py", "_weights.py"}),
        (
            "cnn_lstm",
            {"cnn_lstm.py", "_clips.py", "_layers.py", "_weights.py", "_timm.py"}
            | {"resnet18.py", "resnet_cnn.py", "small_cnn.py"},
        ),
    ],
)
def test_sources_are_the_file_and_what_it_imports(model, expected):
    assert names_of(model) == expected


@pytest.mark.parametrize("variant", ["b0", "b2"])
def test_variants_differ(variant):
    model = architectures.build("efficientnet_b0", 7, 48, {"variant": variant})
    count = sum(value.numel() for value in model.parameters())
    assert count == pytest.approx({"b0": 4.0e6, "b2": 7.7e6}[variant], rel=0.05)


@pytest.mark.parametrize("stem", ["fit", "imagenet"])
@pytest.mark.parametrize("name", ["resnet18", "densenet169", "efficientnet_b0", "convnext_tiny"])
def test_small_pictures_never_meet_the_stem_of_large_ones_unasked(name, stem):
    import torch
    from torch import nn

    model = architectures.build(name, 7, 48, {"stem": stem})
    first = next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
    original = {"convnext_tiny": 4}.get(name, 2)
    fitted = {"convnext_tiny": 2}.get(name, 1)
    assert first.stride[0] == (original if stem == "imagenet" else fitted)
    large = architectures.build(name, 7, 224, {"stem": stem})
    first = next(layer for layer in large.modules() if isinstance(layer, nn.Conv2d))
    assert first.stride[0] == original
    with torch.inference_mode():
        assert large.eval()(torch.zeros(1, 1, 224, 224)).shape == (1, 7)


def test_the_small_network_stays_below_a_million():
    model = architectures.build("small_cnn", 7, 48, {})
    assert sum(value.numel() for value in model.parameters()) < 1_000_000


def test_without_what_an_option_takes_away():
    from torch import nn

    plain = architectures.build("resnet_cnn", 7, 48, {"norm": False})
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in plain.modules())
    blind = architectures.build("cnn_cbam", 7, 48, {"attention": False})
    seeing = architectures.build("cnn_cbam", 7, 48, {})
    assert len(list(blind.parameters())) < len(list(seeing.parameters()))
    alone = architectures.build("cnn_gru", 7, 48, {"temporal": False})
    assert alone.unit is None
