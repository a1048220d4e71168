"""What is taken away, and what a model does not have."""

import pytest
from safetensors.torch import save_file

from fer_pipeline import architectures
from fer_pipeline.ablate import variants
from fer_pipeline.ablate.params import AblateParams
from fer_pipeline.errors import BadParams
from fer_pipeline.train.params import TrainParams


def found(model, section=None, hindrance="", **base):
    made = variants.variants(model, TrainParams(**base), section or AblateParams(), hindrance)
    return {variant.name: variant for variant in made}


def test_the_base_comes_first_and_unchanged():
    made = variants.variants("simple_cnn", TrainParams(lr=0.3), AblateParams(), "")
    assert made[0] == variants.Variant("base", TrainParams(lr=0.3))
    assert [variant.name for variant in made[1:]] == list(AblateParams().variants)


@pytest.fixture
def weights(tmp_path):
    """A file of weights of cnn_cbam, and one of simple_cnn's."""
    made = {}
    for name in ("cnn_cbam", "simple_cnn"):
        made[name] = str(tmp_path / f"{name}.safetensors")
        save_file(architectures.build(name, 7, 48, {}).state_dict(), made[name])
    return made


def test_each_takes_away_one_thing(weights):
    base = {"class_weights": "inverse", "pretrained": weights["cnn_cbam"], "mode": "finetune"}
    base |= {"top": 0.4, "layer_decay": 0.7}
    made = found("cnn_cbam", **base)
    plain = TrainParams(**base)
    changed = {
        "no_augmentation": {"augment": None},
        "no_dropout": {"options": {"dropout": 0.0}},
        "no_attention": {"options": {"attention": False}},
        "no_transfer": {
            "pretrained": False,
            "mode": "scratch",
            "top": 1.0,
            "layer_decay": 1.0,
        },
        "no_class_weights": {"class_weights": "none"},
        "size_96": {"size": 96},
        "size_224": {"size": 224},
    }
    for name, change in changed.items():
        assert made[name].settings == plain.model_copy(update=change), name
        assert made[name].aligned
    assert made["no_alignment"].settings == plain
    assert not made["no_alignment"].aligned
    assert found("cnn_cbam")["no_norm"].settings.options == {"norm": False}
    assert found("cnn_gru")["no_temporal"].settings.options == {"temporal": False}


@pytest.mark.parametrize(
    ("model", "name", "why"),
    [
        ("simple_cnn", "no_attention", "simple_cnn has no option attention"),
        ("simple_cnn", "no_temporal", "simple_cnn has no option temporal"),
        ("simple_cnn", "no_transfer", "the base starts from random weights"),
        ("simple_cnn", "no_class_weights", "the base has no class weights"),
        ("simple_cnn", "size_48", "it is the base's size, 48 px"),
        ("resnet18", "no_norm", "resnet18 has no option norm"),
        ("resnet18", "no_dropout", "the base has no dropout"),
    ],
)
def test_what_does_not_apply_is_named(model, name, why):
    assert found(model)[name] == variants.Variant(name, None, why)


def test_more_that_does_not_apply():
    bare = found("cnn_cbam", hindrance="crops", augment=None, options={"attention": False})
    assert (bare["no_alignment"].why, bare["no_alignment"].settings) == ("crops", None)
    assert bare["no_augmentation"].why == "the base has no augmentation"
    assert bare["no_attention"].why == "the base has attention off"
    assert (
        "takes 75 px" in found("inception_v3", options={"stem": "imagenet"}, size=96)["size_48"].why
    )


def test_what_the_weights_to_start_from_do_not_fit_is_named(weights):
    made = found("simple_cnn", pretrained=weights["simple_cnn"], mode="finetune")
    for name in ("no_norm", "size_96"):
        assert made[name].settings is None, name
        assert "so not of this simple_cnn" in made[name].why
    assert made["no_augmentation"].settings.augment is None


def test_own_variants(weights):
    section = AblateParams(
        variants=(), own={"frozen": {"mode": "feature_extraction"}, "slow": {"augment.rotate": 3}}
    )
    made = found("simple_cnn", section, pretrained=weights["simple_cnn"], mode="finetune")
    assert list(made) == ["base", "frozen", "slow"]
    assert made["frozen"].settings.mode == "feature_extraction"
    assert made["slow"].settings.augment.rotate == 3


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"no_norm": {}}, "is the name of another variant"),
        ({"mine": {"lrr": 1}}, r"ablate\.own\.mine\.lrr is no parameter; did you mean 'lr'"),
        ({"mine": {"options.norms": False}}, r"ablate\.own\.mine\.options\.norms is no parameter"),
    ],
)
def test_own_variants_that_make_no_sense(own, message):
    with pytest.raises(BadParams, match=message):
        found("simple_cnn", AblateParams(own=own))
