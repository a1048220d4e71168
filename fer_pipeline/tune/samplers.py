"""What proposes the values of a trial, by the name of its strategy."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from fer_pipeline.seeds import derive
from fer_pipeline.tune import space, workers
from fer_pipeline.tune.hyperopt import HyperoptSampler
from fer_pipeline.tune.params import TuneParams


def build(section: TuneParams) -> BaseSampler:
    """The sampler of the section's strategy: a trial's values follow from seed and past trials."""
    if section.strategy == "grid":
        return Grid(space.grid(section.space), seed=section.seed)
    makers: dict[str, Callable[[int], BaseSampler]] = {
        "random": lambda seed: RandomSampler(seed=seed),
        "tpe": lambda seed: TPESampler(n_startup_trials=section.startup, seed=seed),
        "hyperopt": lambda seed: HyperoptSampler(seed, section.startup),
    }
    return Seeded(makers[section.strategy], section.seed)


def most(section: TuneParams) -> int:
    """How many trials a study has: of a grid no more than there are combinations."""
    if section.strategy != "grid":
        return section.trials
    combinations = itertools.product(*space.grid(section.space).values())
    return min(section.trials, sum(1 for _ in combinations))


class Grid(GridSampler):
    """Optuna's, which would stop the study by itself, and stumbles then over a trial run again."""

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Nothing: the study counts its trials."""


class Seeded(BaseSampler):
    """A sampler seeded anew for each trial, by its place among those that were not lost.

    So a study that was killed proposes what it would have proposed undisturbed, and two workers
    never the same for having the same seed.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._make, self._seed = make, seed
        self._of: tuple[int, BaseSampler] | None = None

    def _inner(self, study: Study, trial: FrozenTrial) -> BaseSampler:
        if self._of is None or self._of[0] != trial.number:
            # Hyperband shows a sampler the trials of one bracket alone; places are over all.
            known = study._storage.get_all_trials(study._study_id, deepcopy=False)
            before = [one for one in known if one.number < trial.number]
            place = sum(1 for one in before if not workers.was_lost(one))
            self._of = (trial.number, self._make(derive("trial", self._seed, place)))
        return self._of[1]

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """As the sampler of this trial does."""
        return self._inner(study, trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As the sampler of this trial does."""
        return self._inner(study, trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """As the sampler of this trial does."""
        return self._inner(study, trial).sample_independent(
            study, trial, param_name, param_distribution
        )


def pruner(section: TuneParams, epochs: int) -> optuna.pruners.BasePruner:
    """What ends trials that fall behind, by the section."""
    if section.pruner == "median":
        return optuna.pruners.MedianPruner(
            n_startup_trials=section.startup, n_warmup_steps=section.pruned_from
        )
    if section.pruner == "hyperband":
        least = min(section.pruned_from, epochs)
        return optuna.pruners.HyperbandPruner(min_resource=least, max_resource=epochs)
    return optuna.pruners.NopPruner()
