"""The training loop: epochs of steps, a validation after each, the best epoch kept."""

import copy
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fer_pipeline import dimensions
from fer_pipeline.errors import BadParams, Diverged, MissingData
from fer_pipeline.images import Input
from fer_pipeline.seeds import derive
from fer_pipeline.train import (
    augment,
    losses,
    mixing,
    optimisers,
    parallel,
    phases,
    sampling,
    schedules,
    sizes,
    state,
    validation,
)
from fer_pipeline.train.averaging import Average
from fer_pipeline.train.feed import Feed
from fer_pipeline.train.hardware import Hardware, fitting
from fer_pipeline.train.params import TrainParams
from fer_pipeline.train.part import Part
from fer_pipeline.train.progress import Done, Progress
from fer_pipeline.train.step import Stepper


class Training:
    """One model on one training part; `run` takes it to its end, from wherever it stopped."""

    def __init__(
        self,
        model: nn.Module,
        head: nn.Module,
        contract: Input,
        train: Part,
        val: Part,
        settings: TrainParams,
        hardware: Hardware,
        seed: int,
        ranks: parallel.Ranks = parallel.ALONE,
    ) -> None:
        if len(train.ids) < 2:
            raise MissingData(f"{len(train.ids)} training example(s); at least two are needed")
        if settings.batch < 2 * ranks.world:
            raise BadParams(
                f"train.batch = {settings.batch} is too small for {ranks.world} processes"
            )
        if contract.frames > 1 and (settings.mixup or settings.cutmix):
            raise BadParams("train.mixup and train.cutmix mix stills, not clips; set them to 0")
        self.model = parallel.synced(hardware.place(model), ranks)
        sizes.check(self.model, contract, settings, hardware)
        if settings.compile:
            self.model.compile()
        self._contract, self._train, self._val = contract, train, val
        self._settings, self._hardware, self._seed = settings, hardware, seed
        self._ranks = ranks
        self._layers = phases.layers(self.model, head)
        self._optimiser = optimisers.build(settings, self._layers)
        micro, scaler = settings.micro_batch or settings.batch, hardware.scaler()
        self._stepper = Stepper(self.model, self._optimiser, settings, scaler, micro, ranks)
        self._average = Average(self.model, settings.ema) if settings.ema else None
        weights = losses.class_weights(
            train.targets, settings.class_weights, settings.effective_beta
        )
        self._weights = torch.from_numpy(weights).to(hardware.device)
        # Both parts are rows of one array.
        self._feed = Feed(contract, hardware, train.pixels)
        self._val_feed = self._feed
        if val.pixels is not train.pixels:
            self._val_feed = Feed(contract, hardware, val.pixels)
        # Never a step on a single picture, which normalisation cannot bear.
        most = max(len(train.ids) // (2 * ranks.world), 1)
        self.steps = min(math.ceil(len(train.ids) / settings.batch), most)
        self.state = state.State()

    def run(self, last: Path, progress: Progress) -> state.State:
        """Trains to the last epoch or until patience ends; `last` is where a kill resumes from.

        Raises: Diverged.
        """
        if self._ranks.agreed(last.is_file()):
            self._resume(last)
            progress.epoch(self.state.history)
        start = time.perf_counter() - self.state.seconds
        while len(self.state.history) < self._settings.epochs and not self._exhausted():
            self._epoch(progress)
            self.state.seconds = time.perf_counter() - start
            if self._ranks.first:
                self._save(last)
            progress.epoch(self.state.history)
        return self.state

    def _scores(self) -> list[float]:
        return [row[f"val_{self._settings.score}"] for row in self.state.history]

    def _scores_for(self, epoch: int) -> list[float]:
        """Scores of the epochs before `epoch` in which the same layers learnt."""
        return self._scores()[phases.since(self._settings, epoch) - 1 :]

    def _exhausted(self) -> bool:
        settings, epoch = self._settings, len(self.state.history) + 1
        if not phases.may_end(settings, epoch):
            return False
        return schedules.exhausted(self._scores_for(epoch), settings.patience)

    def steps_of(self, epoch: int) -> Iterator[Done]:
        """Trains one epoch (from 1), step by step.

        Order, dropout and augmentation follow from seed and epoch: a resumed epoch repeats them.
        """
        order = np.random.default_rng(derive("order", self._seed, epoch))
        # Processes may not drop the same units of their different rows.
        mine = (self._ranks.rank,) if self._ranks.rank else ()
        torch.manual_seed(derive("epoch", self._seed, epoch, *mine))
        recipe, scores = self._recipe(epoch), self._scores_for(epoch)
        self.model.train()
        for layer in phases.freeze(self._settings, self._layers, epoch):
            # Not eval(), which would reach into layers below it that learn.
            layer.training = False
        phases.settle(self.model)
        rows = sampling.order(self._train.targets, self._settings.sampling, order)
        draws = sampling.draws(rows, self._settings.sampling)
        batches = np.array_split(np.stack([rows, draws]), self.steps, axis=1)
        for number, (batch, varied) in enumerate(batches):
            step = (epoch - 1) * self.steps + number
            lr = schedules.rate(self._settings, step, self.steps, scores)
            random = np.random.default_rng(derive("mix", self._seed, step))
            lr *= phases.factor(self._settings, epoch)
            yield self._step(batch, varied, recipe, lr, random)

    def _epoch(self, progress: Progress) -> None:
        epoch = len(self.state.history) + 1
        done = []
        for step in self.steps_of(epoch):
            done.append(step)
            progress.step(epoch, step.loss)
        count, labelled = len(self._train.ids), int((self._train.truth >= 0).sum())
        self.state.history.append(
            {
                "epoch": epoch,
                "train_loss": sum(step.loss * step.rows for step in done) / count,
                "train_accuracy": sum(step.right for step in done) / max(labelled, 1),
                **self._validate(),
                "learning_rate": done[-1].lr,
            }
        )
        self._keep_best()

    def _recipe(self, epoch: int) -> augment.Recipe | None:
        settings, size, count = self._settings, self._contract.size, len(self._train.ids)
        target = sizes.side(settings, size, epoch)
        if settings.augment is None and target == size:
            return None
        wanted = augment.grown(settings.augment or augment.NOTHING, epoch, settings.epochs)
        return augment.draw(wanted, size, target, count, self._seed, epoch)

    def _step(
        self,
        rows: np.ndarray,
        draws: np.ndarray,
        recipe: augment.Recipe | None,
        lr: float,
        random: np.random.Generator,
    ) -> Done:
        for group in self._optimiser.param_groups:
            group["lr"] = lr * group["scale"]
        count, rows, draws = len(rows), self._ranks.share(rows), self._ranks.share(draws)
        with fitting(len(rows)):
            values = self._feed.values(self._train, rows, recipe, draws)
            targets = torch.from_numpy(self._train.targets[rows]).to(self._hardware.device)
            values, targets = mixing.mixed(values, targets, self._settings, random)
            ratings = torch.from_numpy(self._train.ratings[rows]).to(self._hardware.device)

        def passes(part: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
            span = slice(int(part[0]), int(part[-1]) + 1)
            logits = self._forward(self.model, values[span], self._train, rows[part])
            each = self._losses(logits, targets[span], ratings[span])
            if not torch.isfinite(each).all():
                raise Diverged(self._diverged(each, rows[part], lr))
            return logits, each

        logits, each = self._stepper.step(len(rows), count, passes)
        if self._average is not None:
            self._average.update()
        predicted = self._classes(logits).argmax(dim=1).cpu().numpy()
        right = float((predicted == self._train.truth[rows]).sum())
        told = torch.stack([each.sum(), each.new_tensor(right)])
        loss, right = self._ranks.add(told).tolist()
        return Done(loss / count, int(right), count, lr)

    def _classes(self, outputs: torch.Tensor) -> torch.Tensor:
        return dimensions.split(outputs, self._settings.dimensions)[0]

    def _losses(
        self, outputs: torch.Tensor, targets: torch.Tensor, ratings: torch.Tensor
    ) -> torch.Tensor:
        """Of each row; the discordance, which only rows together have, is added to each alike."""
        settings, smoothing = self._settings, self._settings.label_smoothing
        logits, values = dimensions.split(outputs, settings.dimensions)
        if settings.labels == "multi_target":
            each = losses.multi_target_losses(logits, targets, self._weights, smoothing)
        else:
            kind, gamma = settings.loss, settings.focal_gamma
            each = losses.losses(logits, targets, self._weights, smoothing, kind, gamma)
        if values is None:
            return each
        return each + settings.dimension_weight * losses.discordance(values, ratings)

    def _forward(
        self, model: nn.Module, values: torch.Tensor, part: Part, rows: np.ndarray
    ) -> torch.Tensor:
        with self._hardware.autocast():
            if part.lengths is None or part.peaks is None:
                return model(values)  # type: ignore[no-any-return]
            lengths = torch.from_numpy(part.lengths[rows]).to(values.device)
            peaks = torch.from_numpy(part.peaks[rows]).to(values.device)
            return model(values, lengths, peaks)  # type: ignore[no-any-return]

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        model = self.model if self._average is None else self._average.model
        model.eval()

        def forward(rows: np.ndarray) -> torch.Tensor:
            return self._forward(model, self._val_feed.values(self._val, rows), self._val, rows)

        logits = validation.outputs(forward, len(self._val.ids), self._ranks)
        names, ratings = self._settings.dimensions, self._val.ratings
        epoch = len(self.state.history) + 1
        return validation.scores(logits, self._val.truth, epoch, names, ratings)

    def _keep_best(self) -> None:
        scores = self._scores()
        if len(scores) == 1 or scores[-1] > max(scores[:-1]):
            model = self.model if self._average is None else self._average.model
            self.state.best = len(scores)
            self.state.weights = {
                name: value.detach().cpu().clone() for name, value in model.state_dict().items()
            }

    def _modules(self) -> dict[str, nn.Module]:
        average = {} if self._average is None else {"average": self._average.model}
        return {"model": self.model, **average}

    def _save(self, last: Path) -> None:
        steps = 0 if self._average is None else self._average.steps
        scaler = self._stepper.scaler
        numbers = {
            "averaged": steps,
            "micro": self._stepper.micro,
            "scaler": None if scaler is None else scaler.state_dict(),
        }
        state.save(last, self.state, self._modules(), self._optimiser, numbers)

    def _resume(self, last: Path) -> None:
        self.state, header = state.load(last, self._modules(), self._optimiser)
        self._stepper.micro = header["micro"]
        if self._stepper.scaler is not None:
            self._stepper.scaler.load_state_dict(header["scaler"])
        if self._average is not None:
            self._average.steps = header["averaged"]

    def _diverged(self, each: torch.Tensor, rows: np.ndarray, lr: float) -> str:
        bad = (~torch.isfinite(each.detach())).nonzero().flatten().tolist()
        ids = [self._train.ids[int(rows[place])] for place in bad]
        shown = ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
        epoch = len(self.state.history) + 1
        return f"the loss of {shown} is not finite in epoch {epoch} at lr {lr:.3g}; lower train.lr"


def best_model(model: nn.Module, best: state.State) -> nn.Module:
    """A copy of `model` with the best epoch's weights, on the CPU."""
    chosen = copy.deepcopy(model).to("cpu")
    chosen.load_state_dict(best.weights)
    return chosen
