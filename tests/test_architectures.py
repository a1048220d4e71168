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


STEMS = {
    "resnet18": (2, 1),
    "resnet50": (2, 1),
    "resnet50v2": (2, 1),
    "inception_v3": (2, 1),
    "densenet169": (2, 1),
    "efficientnet_b0": (2, 1),
    "mobilenetv3": (2, 1),
    "convnext_tiny": (4, 2),
}
"""Stride of the first convolution in the original network, and fitted to small faces."""


@pytest.mark.parametrize("stem", ["fit", "imagenet"])
@pytest.mark.parametrize("name", STEMS)
def test_small_pictures_never_meet_the_stem_of_large_ones_unasked(name, stem):
    import torch
    from torch import nn

    original, fitted = STEMS[name]
    small = 96 if name == "inception_v3" else 48
    model = architectures.build(name, 7, small, {"stem": stem})
    first = next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
    assert first.stride[0] == (original if stem == "imagenet" else fitted)
    large = architectures.build(name, 7, 224, {"stem": stem})
    first = next(layer for layer in large.modules() if isinstance(layer, nn.Conv2d))
    assert first.stride[0] == original
    with torch.inference_mode():
        assert large.eval()(torch.zeros(1, 1, 224, 224)).shape == (1, 7)


def test_the_other_networks_of_timm_take_small_pictures_as_they_are():
    from torch import nn

    for name, stride in (("vgg16", 1), ("vit_small", 8)):
        model = architectures.build(name, 7, 48, {})
        first = next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
        assert first.stride[0] == stride


def kinds(layers):
    from torch import nn

    wanted = (nn.Dropout, nn.BatchNorm2d, nn.Flatten, nn.Linear, nn.ReLU, nn.BatchNorm1d)
    return [type(layer).__name__ for layer in layers if isinstance(layer, wanted)]


def test_the_head_of_the_keras_projects():
    from torch import nn

    head = list(architectures.build("resnet50v2", 7, 48, {}).head)
    expected = ["Dropout", "BatchNorm2d", "Flatten", "Linear", "ReLU", "BatchNorm1d", "Dropout"]
    assert kinds(head) == [*expected, "Linear"]
    assert [layer.p for layer in head if isinstance(layer, nn.Dropout)] == [0.25, 0.5]
    assert [layer.out_features for layer in head if isinstance(layer, nn.Linear)] == [64, 7]


@pytest.mark.parametrize(
    ("name", "options", "widths"),
    [
        ("lenet_cnn", {}, [32, 64, 128]),
        ("deep_cnn", {}, [128, 256, 512, 512]),
        ("simple_cnn", {}, [32, 64, 128]),
        ("simple_cnn", {"convs": 5}, 5),
    ],
)
def test_widths_of_convolutions(name, options, widths):
    from torch import nn

    model = architectures.build(name, 7, 48, options)
    found = [layer.out_channels for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert (found if isinstance(widths, list) else len(found)) == widths


def test_the_hidden_layer_of_the_simple_network():
    from torch import nn

    layers = architectures.build("simple_cnn", 7, 48, {}).modules()
    assert [layer.out_features for layer in layers if isinstance(layer, nn.Linear)] == [512, 7]


def test_what_the_field_gave_its_own_networks():
    from torch import nn

    leaky = architectures.build("deep_cnn", 7, 48, {}).modules()
    assert any(isinstance(layer, nn.LeakyReLU) for layer in leaky)
    lenet = architectures.build("lenet_cnn", 7, 48, {}).modules()
    assert 0.5 in [layer.p for layer in lenet if isinstance(layer, nn.Dropout)]


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
