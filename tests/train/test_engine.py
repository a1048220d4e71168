"""The training loop."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fer_pipeline.errors import BadParams, Diverged, MissingData
from fer_pipeline.images import Input
from fer_pipeline.train import augment, losses
from fer_pipeline.train.engine import Training, best_model
from fer_pipeline.train.hardware import Hardware, Precision
from fer_pipeline.train.params import TrainParams
from fer_pipeline.train.part import Part

SIDE = 24
CONTRACT = Input(size=SIDE, channels=1, mean=(0.5,), std=(0.25,))
CPU = Hardware("cpu", "float32", channels_last=True)


class Silent:
    def __init__(self):
        self.steps, self.epochs = [], []

    def step(self, epoch, loss):
        self.steps.append((epoch, loss))

    def epoch(self, history):
        self.epochs.append(len(history))


def network(dropout=0.2):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(32, 3),
    )


def part(count, seed=0, name="t"):
    """Pictures whose upper left, upper right or lower left quarter is bright."""
    truth = np.arange(count) % 3
    pixels = np.random.default_rng(seed).integers(0, 100, (count, SIDE, SIDE, 1), dtype=np.uint8)
    half = SIDE // 2
    for number, corner in enumerate(truth):
        top, left = half * (corner // 2), half * (corner % 2)
        pixels[number, top : top + half, left : left + half] += 120
    ids = tuple(f"{name}/{number}" for number in range(count))
    targets, unrated = losses.one_hot(truth, 3), np.zeros((count, 0), np.float32)
    return Part(ids, pixels, np.arange(count), None, None, targets, truth, unrated)


def training(settings=None, train=None, seed=0, dropout=0.2, **changes):
    settings = settings or TrainParams(
        **({"epochs": 3, "batch": 16, "lr": 0.05, "augment": None} | changes)
    )
    model = network(dropout)
    return begun(model, train or part(60), part(30, 1, "v"), settings, seed=seed)


def begun(model, train, val, settings, hardware=CPU, seed=0):
    """A training of a network whose last layer is its head."""
    return Training(model, model[-1], CONTRACT, train, val, settings, hardware, seed)


def weights_of(found):
    return {name: value.clone() for name, value in found.model.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_dimensions_are_learnt_beside_the_classes(tmp_path):
    """Valence is where the bright quarter lies; one row in four is unrated."""
    parts = []
    for plain in (part(60), part(30, 1, "v")):
        ratings = np.array([-0.8, 0.1, 0.7], np.float32)[plain.truth][:, None]
        ratings[::4] = np.nan
        parts.append(replace(plain, ratings=ratings))
    settings = TrainParams(epochs=12, batch=16, lr=0.05, augment=None, dimensions=("valence",))
    model = network(0.0)
    model[-1] = nn.Linear(32, 4)
    found = begun(model, *parts, settings)
    history = found.run(tmp_path / "last.safetensors", Silent()).history
    assert history[0]["val_ccc_valence"] < history[-1]["val_ccc_valence"]
    assert history[-1]["val_ccc_valence"] > 0.9
    assert history[-1]["val_rmse_valence"] < 0.3
    assert history[-1]["val_accuracy"] > 0.9
    other = network(0.0)
    other[-1] = nn.Linear(32, 4)
    heavier = settings.model_copy(update={"dimension_weight": 3.0, "epochs": 1})
    found = begun(other, *parts, heavier).run(tmp_path / "other.safetensors", Silent())
    assert found.history[0]["train_loss"] > history[0]["train_loss"]


def test_it_learns(tmp_path):
    watch = Silent()
    found = training(epochs=12).run(tmp_path / "last", watch)
    assert found.history[-1]["val_accuracy"] == 1.0
    assert found.history[-1]["train_loss"] < 0.5 * found.history[0]["train_loss"]
    assert len(watch.steps) == 12 * 4
    assert watch.epochs == list(range(1, 13))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ema": 0.9, "augment": {"flip": 0.0}},
        {"optimiser": "adamw", "lr": 0.003, "clip": 1.0},
        {"optimiser": "adam", "schedule": "plateau", "plateau_patience": 0, "lr": 0.003},
        {"schedule": "cosine", "label_smoothing": 0.1, "class_weights": "inverse"},
        {"small_share": 0.5, "small_size": 16, "schedule": "constant"},
        {"optimiser": "muon", "lr": 0.01, "mixup": 0.3, "cutmix": 0.5, "sampling": "balanced"},
        {"optimiser": "lamb", "lr": 0.01, "sam": 0.05, "loss": "focal", "micro_batch": 6},
        {"mode": "two_phase", "pretrained": "given", "layer_decay": 0.3, "warmup_epochs": 1.5},
    ],
)
def test_an_interrupted_training_ends_as_an_undisturbed_one(tmp_path, changes):
    whole = training(epochs=4, **changes)
    expected = whole.run(tmp_path / "whole", Silent())

    class Killed(Silent):
        def step(self, epoch, loss):
            super().step(epoch, loss)
            if len(self.steps) in (6, 11):
                raise KeyboardInterrupt

    for _ in range(2):
        stopped = Killed()
        with pytest.raises(KeyboardInterrupt):
            training(epochs=4, **changes).run(tmp_path / "killed", stopped)
    resumed = training(epochs=4, **changes)
    watch, begun_at = Silent(), time.perf_counter()
    found = resumed.run(tmp_path / "killed", watch)
    assert found.seconds > time.perf_counter() - begun_at, "the killed runs' epochs count, too"
    assert watch.epochs[0] in (2, 3), "it went on where the second run stopped"
    assert found.history == expected.history
    assert found.best == expected.best
    assert same(found.weights, expected.weights)
    assert same(weights_of(resumed), weights_of(whole))


CHANGES = {
    "epochs": ({}, {"epochs": 5}),
    "batch": ({}, {"batch": 12}),
    "micro_batch": ({}, {"micro_batch": 5}),
    "sampling": ({}, {"sampling": "balanced"}),
    "mode": ({"pretrained": "given", "mode": "finetune"}, {"mode": "feature_extraction"}),
    "top": ({"pretrained": "given", "mode": "finetune"}, {"top": 0.5}),
    "layer_decay": ({}, {"layer_decay": 0.5}),
    "head_share": ({"pretrained": "given", "mode": "two_phase"}, {"head_share": 0.7}),
    "later_lr": ({"pretrained": "given", "mode": "two_phase"}, {"later_lr": 0.5}),
    "loss": ({}, {"loss": "focal"}),
    "focal_gamma": ({"loss": "focal"}, {"focal_gamma": 1.0}),
    "mixup": ({}, {"mixup": 0.5}),
    "cutmix": ({}, {"cutmix": 0.5}),
    "sam": ({}, {"sam": 0.05}),
    "warmup_epochs": ({"schedule": "cosine"}, {"warmup_epochs": 2}),
    "optimiser": ({"lr": 0.01}, {"optimiser": "adam"}),
    "lr": ({}, {"lr": 0.04}),
    "momentum": ({}, {"momentum": 0.5}),
    "weight_decay": ({}, {"weight_decay": 0.1}),
    "schedule": ({}, {"schedule": "cosine"}),
    "warmup": ({"schedule": "one_cycle"}, {"warmup": 0.6}),
    "plateau_factor": (
        {"schedule": "plateau", "plateau_patience": 0, "lr": 1e-6},
        {"plateau_factor": 0.1},
    ),
    "plateau_patience": ({"schedule": "plateau", "lr": 1e-6}, {"plateau_patience": 0}),
    "patience": ({"lr": 1e-9, "epochs": 8}, {"patience": 1}),
    "small_share": ({}, {"small_share": 0.5, "small_size": 16}),
    "small_size": ({"small_share": 0.5, "small_size": 16}, {"small_size": 20}),
    "class_weights": ({}, {"class_weights": "inverse"}),
    "effective_beta": ({"class_weights": "effective"}, {"effective_beta": 0.9}),
    "label_smoothing": ({}, {"label_smoothing": 0.2}),
    "ema": ({}, {"ema": 0.9}),
    "clip": ({}, {"clip": 0.01}),
    "augment": ({}, {"augment": {}}),
}
"""Each key: where it starts from, and a change that has to show in the weights."""

ELSEWHERE = {
    "dimensions": "test_dimensions_are_learnt_beside_the_classes",
    "dimension_weight": "test_dimensions_are_learnt_beside_the_classes",
    "classes": "test_rows",
    "labels": "test_repeats",
    "seed": "test_repeats",
    "pretrained": "test_repeats and the models' contract",
    "size": "test_repeats",
    "options": "test_repeats",
    "augment_on": "test_hardware and test_warps",
    "compile": "test_a_translated_model_learns_the_same",
    "device": "test_hardware",
    "precision": "test_hardware",
    "channels_last": "test_hardware",
    "score": "test_the_best_epoch_is_kept",
}


def test_no_key_is_forgotten():
    assert set(CHANGES) | set(ELSEWHERE) == set(TrainParams.model_fields)
    assert not set(CHANGES) & set(ELSEWHERE)


@pytest.mark.parametrize("key", CHANGES)
def test_every_key_changes_the_training(tmp_path, key):
    base, change = CHANGES[key]
    # Classes of unequal number, so that their weights matter.
    train = part(75)
    chosen = np.flatnonzero((train.truth > 0) | (np.arange(75) % 2 == 0))
    uneven = replace(
        train,
        ids=tuple(train.ids[place] for place in chosen),
        places=chosen,
        targets=train.targets[chosen],
        truth=train.truth[chosen],
        ratings=train.ratings[chosen],
    )
    found = [
        training(train=uneven, **{**base, **extra}).run(tmp_path / str(number), Silent())
        for number, extra in enumerate(({}, {}, change))
    ]
    first, again, other = ([run.history, run.best] for run in found)
    assert first == again
    assert first != other


def test_same_seed_same_weights_other_seed_others(tmp_path):
    runs = [training(augment={}, seed=seed) for seed in (0, 0, 1)]
    for number, run in enumerate(runs):
        run.run(tmp_path / str(number), Silent())
    first, second, other = map(weights_of, runs)
    assert same(first, second)
    assert not same(first, other)


def test_validation_pictures_are_never_varied(tmp_path, monkeypatch):
    seen = []
    real = augment.apply

    def spy(pictures, rows, recipe):
        seen.append(pictures.copy())
        return real(pictures, rows, recipe)

    monkeypatch.setattr(augment, "apply", spy)
    run = training(augment={"erase": 1.0, "brightness": 0.5}, epochs=1)
    inputs = []
    run.model.register_forward_hook(
        lambda module, args, output: None if module.training else inputs.append(args[0])
    )
    run.run(tmp_path / "last", Silent())
    varied = np.concatenate(seen)
    assert len(varied) == 60, "each training picture once an epoch"
    val = part(30, 1).pixels
    assert not any((picture == val).all(axis=(1, 2, 3)).any() for picture in varied)
    shown = torch.cat(inputs).numpy()
    expected = (np.moveaxis(val, -1, 1) / 255 - 0.5) / 0.25
    np.testing.assert_allclose(shown, expected, atol=1e-5)


@pytest.mark.parametrize("there", [False, True])
def test_balanced_draws_of_one_row_are_other_pictures(monkeypatch, there):
    """One row of a rare class is most of an epoch; each time it looks different."""
    train = part(12)
    train.targets[:] = losses.one_hot(np.array([0] * 11 + [1]), 3)
    hardware = replace(CPU, augments=there)
    settings = TrainParams(epochs=1, batch=4, augment={}, sampling="balanced")
    found = begun(network(), train, part(9, 1, "v"), settings, hardware)
    seen, drawn = [], []
    real = found._feed.values

    def spy(part, rows, *rest):
        values = real(part, rows, *rest)
        seen.extend(value.numpy().tobytes() for value in values)
        drawn.extend(rows.tolist())
        return values

    monkeypatch.setattr(found._feed, "values", spy)
    list(found.steps_of(1))
    assert drawn.count(11) > 2
    assert len(set(seen)) == 12


def test_the_best_epoch_is_kept(tmp_path):
    run = training(epochs=6, lr=0.3, schedule="constant", score="macro_f1")
    found = run.run(tmp_path / "last", Silent())
    scores = [row["val_macro_f1"] for row in found.history]
    assert found.best == int(np.argmax(scores)) + 1
    model = best_model(run.model, found).eval()
    val = part(30, 1)
    pictures = torch.from_numpy(val.pixels).movedim(-1, 1).float() / 255
    with torch.inference_mode():
        predicted = model((pictures - 0.5) / 0.25).argmax(dim=1).numpy()
    accuracy = found.history[found.best - 1]["val_accuracy"]
    assert (predicted == val.truth).mean() == pytest.approx(accuracy)


def test_patience_ends_it(tmp_path):
    found = training(epochs=50, lr=1e-9, schedule="constant", patience=3, weight_decay=0.0)
    history = found.run(tmp_path / "last", Silent()).history
    assert len(history) < 50
    scores = [row["val_accuracy"] for row in history]
    assert max(scores[-3:]) <= max(scores[:-3])


def test_a_frozen_blocks_dropout_is_off_while_the_head_learns():
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 8, 3), nn.Dropout(0.5), nn.Conv2d(8, 8, 3)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )
    settings = TrainParams(mode="feature_extraction", pretrained="given", batch=16, augment=None)
    next(begun(model, part(60), part(30, 1, "v"), settings).steps_of(1))
    assert not model[0][1].training
    assert model[-1].training


def test_patience_begins_anew_with_the_second_phase(tmp_path):
    given = {"mode": "two_phase", "pretrained": "given", "head_share": 0.5, "epochs": 10}
    flat = {"lr": 1e-9, "schedule": "constant", "patience": 2, "weight_decay": 0.0}
    found = training(**given, **flat).run(tmp_path / "last", Silent())
    assert len(found.history) == 8, "five of the head, and three until two brought nothing"


def test_a_plateau_of_the_head_does_not_slow_the_second_phase(tmp_path):
    given = {"mode": "two_phase", "pretrained": "given", "head_share": 0.5, "epochs": 6}
    flat = {"lr": 1e-9, "schedule": "plateau", "plateau_patience": 0, "weight_decay": 0.0}
    found = training(**given, **flat, later_lr=1.0).run(tmp_path / "last", Silent())
    rates = [row["learning_rate"] / 1e-9 for row in found.history]
    assert rates == pytest.approx([1, 1, 0.5, 1, 1, 0.5])


def test_fp16_learns_what_float32_learns(tmp_path):
    settings = TrainParams(epochs=6, batch=16, lr=0.02, clip=1.0, augment=None)

    def curve(precision: Precision) -> list[float]:
        place = Hardware("cpu", precision, channels_last=True)
        run = begun(network(), part(60), part(30, 1, "v"), settings, place)
        return [row["train_loss"] for row in run.run(tmp_path / precision, Silent()).history]

    exact, half = curve("float32"), curve("fp16")
    assert half != exact
    assert half == pytest.approx(exact, rel=0.02)
    assert half[-1] < 0.9 * half[0]


def test_fp16s_scale_is_resumed(tmp_path):
    class Scaled(Hardware):
        def scaler(self):
            # Soon so high that steps overflow and are left out.
            return torch.amp.GradScaler("cpu", init_scale=2.0**120, growth_interval=2)

    place = Scaled("cpu", "float32", channels_last=True)
    settings = TrainParams(epochs=4, batch=16, lr=0.05, augment=None)

    def begin():
        return begun(network(), part(60), part(30, 1, "v"), settings, place)

    whole = begin()
    expected = whole.run(tmp_path / "whole", Silent())

    class Killed(Silent):
        def step(self, epoch, loss):
            super().step(epoch, loss)
            if epoch == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin().run(tmp_path / "killed", Killed())
    resumed = begin()
    found = resumed.run(tmp_path / "killed", Silent())
    assert resumed._stepper.scaler.state_dict() == whole._stepper.scaler.state_dict()
    assert found.history == expected.history
    assert same(found.weights, expected.weights)


def test_a_side_that_the_network_cannot_take_is_said_at_once():
    settings = TrainParams(epochs=4, small_share=0.5, small_size=16, augment=None)
    model = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 3))
    with pytest.raises(BadParams, match=r"train\.small_size = 16: the network takes 24 px"):
        begun(model, part(60), part(30, 1, "v"), settings)
    begun(model, part(60), part(30), settings.model_copy(update={"small_share": 0.0}))


def test_averaged_weights_are_those_validated(tmp_path):
    run = training(epochs=1, ema=0.99)
    found = run.run(tmp_path / "last", Silent())
    assert not same(found.weights, weights_of(run))


def test_a_loss_that_is_not_finite_names_its_rows(tmp_path):
    class Exploding(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

        def forward(self, pictures):
            bad = pictures.amax(dim=(1, 2, 3), keepdim=False) > 1.9
            return self.scale * torch.where(bad, torch.nan, 1.0)[:, None]

    train = part(60)
    train.pixels[:] = 10
    train.pixels[[4, 9]] = 255
    settings = TrainParams(epochs=1, batch=60, augment=None)
    run = Training(Exploding(), nn.Identity(), CONTRACT, train, part(3, 1), settings, CPU, 0)
    with pytest.raises(Diverged) as error:
        run.run(tmp_path / "last", Silent())
    assert "t/4" in str(error.value)
    assert "t/9" in str(error.value)
    assert "t/5" not in str(error.value)


def test_a_validation_loss_that_is_not_finite_stops_it(tmp_path):
    val = part(30, 1, "v")

    class Fragile(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

        def forward(self, pictures):
            values = self.scale * pictures.mean(dim=(1, 2, 3))[:, None]
            return values if self.training else values / 0.0

    settings = TrainParams(epochs=1, batch=30, augment=None)
    run = Training(Fragile(), nn.Identity(), CONTRACT, part(60), val, settings, CPU, 0)
    with pytest.raises(Diverged, match="validation loss is not finite after epoch 1"):
        run.run(tmp_path / "last", Silent())
    assert not (tmp_path / "last").exists(), "nothing to resume from a broken epoch"


def test_batches_never_hold_a_single_picture(tmp_path):
    watch = Silent()
    training(train=part(49), epochs=1, batch=16).run(tmp_path / "last", watch)
    assert len(watch.steps) == 4
    few = Silent()
    training(train=part(5), epochs=1, batch=2).run(tmp_path / "few", few)
    assert len(few.steps) == 2, "two and three pictures, not two, two and one"
    with pytest.raises(MissingData, match="at least two"):
        training(train=part(1))


def test_bf16_and_layout_give_nearly_the_same(tmp_path):
    settings = TrainParams(epochs=2, batch=16, lr=0.01, augment=None)
    losses_of = []
    for number, (precision, layout) in enumerate(
        [("float32", False), ("float32", True), ("bf16", True)]
    ):
        hardware = Hardware("cpu", precision, layout)
        run = begun(network(), part(60), part(30, 1), settings, hardware)
        losses_of.append(run.run(tmp_path / str(number), Silent()).history[-1]["val_loss"])
    assert losses_of[1] == pytest.approx(losses_of[0], rel=1e-4)
    assert losses_of[2] == pytest.approx(losses_of[0], rel=0.05)


@pytest.mark.slow
def test_a_translated_model_learns_the_same(tmp_path):
    plain, translated = (
        training(compile=way, ema=0.5, epochs=2, dropout=0.0).run(tmp_path / str(way), Silent())
        for way in (False, True)
    )
    assert list(translated.weights) == list(plain.weights)
    losses_of = [row["val_loss"] for row in translated.history]
    assert losses_of == pytest.approx([row["val_loss"] for row in plain.history], rel=1e-3)


def on_gpu(**changes):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    settings = TrainParams(**{"epochs": 12, "batch": 16, "lr": 0.05, "ema": 0.5, **changes})
    gpu = Hardware("cuda", "bf16", channels_last=True)
    return begun(network(), part(60), part(30, 1), settings, gpu)


@pytest.mark.gpu
def test_on_a_gpu(tmp_path):
    assert on_gpu().run(tmp_path / "last", Silent()).history[-1]["val_accuracy"] > 0.9


@pytest.mark.gpu
@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_resumed_on_a_gpu(tmp_path, optimiser):
    changes = {"optimiser": optimiser, "lr": 0.01, "epochs": 4}
    whole = on_gpu(**changes).run(tmp_path / "whole", Silent())

    class Killed(Silent):
        def step(self, epoch, loss):
            if epoch == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        on_gpu(**changes).run(tmp_path / "killed", Killed())
    found = on_gpu(**changes).run(tmp_path / "killed", Silent())
    assert found.history[-1]["val_loss"] == pytest.approx(whole.history[-1]["val_loss"], rel=0.05)
