"""Keys of train as distributions, and values put in place."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from fer_pipeline.errors import BadParams
from fer_pipeline.train.params import TrainParams
from fer_pipeline.tune import space
from fer_pipeline.tune.params import Range, TuneParams


def test_distributions():
    found = space.distributions(
        {
            "lr": Range(low=0.001, high=0.1, log=True),
            "batch": Range(low=16, high=64, step=16),
            "options.dropout": Range(choices=[0.1, 0.5]),
        },
        "simple_cnn",
        "tune.space",
    )
    assert found == {
        "lr": FloatDistribution(0.001, 0.1, log=True),
        "batch": IntDistribution(16, 64, step=16),
        "options.dropout": CategoricalDistribution([0.1, 0.5]),
    }


@pytest.mark.parametrize(
    "key", ["lrr", "augment.rotat", "options.heads", "seed", "epochs", "score"]
)
def test_unknown_and_fixed_keys_are_refused(key):
    with pytest.raises(BadParams, match=rf"tune\.space\.{key} is no key of train"):
        space.distributions({key: Range(low=0.0, high=1.0)}, "simple_cnn", "tune.space")


def test_the_usual_space_fits_every_model_with_dropout():
    for model in ("simple_cnn", "resnet18", "vit_small", "cnn_gru"):
        space.distributions(TuneParams().space, model, "tune.space")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"choices": ["a", "b"]}, ["a", "b"]),
        ({"low": 0.0, "high": 1.0, "points": 3}, [0.0, 0.5, 1.0]),
        ({"low": 1e-3, "high": 1e-1, "log": True, "points": 3}, [1e-3, 1e-2, 1e-1]),
        ({"low": 1, "high": 4, "points": 9}, [1, 2, 3, 4]),
        ({"low": 16, "high": 64, "step": 16, "points": 4}, [16, 32, 48, 64]),
        ({"low": 5, "high": 9, "points": 1}, [5]),
        ({"low": 0.0, "high": 0.5, "step": 0.3, "points": 3}, [0.0, 0.3]),
        ({"low": 1, "high": 9, "step": 3, "points": 9}, [1, 4, 7]),
        ({"low": 0.0, "high": 0.3, "step": 0.1, "points": 4}, [0.0, 0.1, 0.2, 0.3]),
    ],
)
def test_points_of_a_grid(given, expected):
    found = space.grid({"key": Range(**given)})["key"]
    assert found == (pytest.approx(expected) if isinstance(expected[0], float) else expected)


def test_values_are_put_in_place():
    values = {"lr": 0.2, "augment.rotate": 3.0, "options.dropout": 0.1}
    found = space.applied(TrainParams(momentum=0.5), values)
    assert (found.lr, found.momentum) == (0.2, 0.5)
    assert found.augment is not None
    assert (found.augment.rotate, found.augment.flip) == (3.0, 0.5)
    assert found.options == {"dropout": 0.1}


def test_a_part_of_what_is_off_cannot_be_searched():
    with pytest.raises(BadParams, match=r"train\.augment is null"):
        space.applied(TrainParams(augment=None), {"augment.rotate": 3.0})
