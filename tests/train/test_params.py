"""How the section and its overrides become one set of parameters."""

import pytest

from fer_pipeline.errors import BadParams
from fer_pipeline.train import params

TEXT = """
repeats: 3
models: {simple_cnn: {lr: 0.2, augment: {flip: 0.1}}, resnet18: {}}
clip_models: {cnn_gru: {epochs: 7}}
sources: {fer2013: {epochs: 5}, rafdb: }
transfers: {later: {model: resnet18, source: rafdb, pretrained: resnet18-fer2013, mode: finetune}}
train: {lr: 1e-3, epochs: 4, augment: {flip: 0.3, rotate: 5.0}}
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_later_lines_override_earlier_ones(path):
    found = params.resolve(path, "simple_cnn", "fer2013")
    assert (found.lr, found.epochs) == (0.2, 5)
    assert found.augment is not None
    assert (found.augment.flip, found.augment.rotate) == (0.1, 5.0)


def test_the_line_of_stills_says_nothing_to_clips(path):
    text = TEXT.replace(
        "sources: {", "clip_sources: {ckplus: {batch: 8}}\nsources: {ckplus: {lr: 9}, "
    )
    path.write_text(text, encoding="utf-8")
    clips = params.resolve(path, "cnn_gru", "ckplus")
    assert (clips.lr, clips.batch) == (0.001, 8)
    stills = params.resolve(path, "resnet18", "ckplus")
    assert (stills.lr, stills.batch) == (9, 64)


def test_a_transfer_has_a_line_of_its_own(path):
    found = params.resolve(path, "resnet18", "rafdb", "later")
    assert (found.mode, found.pretrained) == ("finetune", "resnet18-fer2013")
    assert (found.lr, found.epochs) == (0.001, 4)
    with pytest.raises(BadParams, match="transfers names no 'sooner'"):
        params.resolve(path, "resnet18", "rafdb", "sooner")


def test_a_model_is_for_stills_or_for_clips(path):
    path.write_text(TEXT.replace("resnet18", "cnn_gru"), encoding="utf-8")
    with pytest.raises(BadParams, match="'cnn_gru' stands under models and clip_models"):
        params.resolve(path, "cnn_gru", "ckplus")


def test_text_that_yaml_takes_for_a_number_is_one(path):
    found = params.resolve(path, "resnet18", "rafdb")
    assert (found.lr, found.epochs) == (0.001, 4)
    assert params.resolve(path, "cnn_gru", "ckplus").epochs == 7


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("lr: 1e-3", "learning_rate: 1"), ["learning_rate", "no parameter"]),
        (("epochs: 5", "epoch: 5"), ["epoch ", "did you mean 'epochs'"]),
        (("rotate: 5.0", "rotate: 500"), ["augment.rotate", "180"]),
        (("epochs: 4", "epochs: 0"), ["epochs", "0"]),
    ],
)
def test_faults_are_named(path, change, words):
    path.write_text(TEXT.replace(*change), encoding="utf-8")
    source = "rafdb" if "epochs: 4" in change else "fer2013"
    with pytest.raises(BadParams) as error:
        params.resolve(path, "resnet18", source)
    for word in words:
        assert word in str(error.value)


def test_random_weights_are_never_frozen(path):
    path.write_text(TEXT.replace("epochs: 4", "top: 0.5"), encoding="utf-8")
    with pytest.raises(BadParams, match=r"would freeze random weights; leave out top: 0\.5"):
        params.resolve(path, "resnet18", "fer2013")


def test_section_must_be_there(path):
    path.write_text("repeats: 1\n", encoding="utf-8")
    with pytest.raises(BadParams, match="no section 'train'"):
        params.resolve(path, "simple_cnn", "fer2013")


def test_repeats(path):
    assert params.repeats(path) == 3
    for wrong in ("0", "two", "true", "1.5", ""):
        path.write_text(TEXT.replace("repeats: 3", f"repeats: {wrong}"), encoding="utf-8")
        with pytest.raises(BadParams, match="repeats"):
            params.repeats(path)
