"""Hyperopt's tree of Parzen estimators as a sampler of Optuna's studies.

Trials stay in Optuna's storage alone; before each proposal Hyperopt is told all of them. So a study
may be killed, shared and pruned under this strategy as under any other.

Source: Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011.
"""

import math
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState


class HyperoptSampler(BaseSampler):
    """Proposes what `hyperopt.tpe.suggest` does; the first `startup` trials are at random."""

    def __init__(self, seed: int, startup: int) -> None:
        self._seed, self._startup = seed, startup
        self._random = RandomSampler(seed=seed)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The distributions of the last trial that has any: all trials of a study have the same."""
        for past in reversed(_told(study)):
            if past.distributions:
                return dict(past.distributions)
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Values for all keys of the space; none while there is nothing to learn from."""
        past = [one for one in _told(study) if set(search_space) <= set(one.params)]
        if len(past) < max(self._startup, 1) or not search_space:
            return {}
        return proposed(search_space, past, self._seed)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A value at random."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)


def proposed(
    space: dict[str, BaseDistribution], past: list[FrozenTrial], seed: int
) -> dict[str, Any]:
    """What Hyperopt would try next, after trials whose last scores (higher is better) are known."""
    from hyperopt import Trials, tpe
    from hyperopt.base import Domain

    domain = Domain(lambda values: 0.0, {key: _node(key, found) for key, found in space.items()})
    trials = Trials()
    trials.insert_trial_docs([_document(place, one, space) for place, one in enumerate(past)])
    trials.refresh()
    found = tpe.suggest([len(past)], domain, trials, seed, n_startup_jobs=0)
    values = found[0]["misc"]["vals"]
    return {key: _value(values[key][0], distribution) for key, distribution in space.items()}


def _told(study: Study) -> list[FrozenTrial]:
    """Trials with a score, their last one where they were pruned."""
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    found = study.get_trials(deepcopy=False, states=states)
    return [one for one in found if _score(one) is not None]


def _score(trial: FrozenTrial) -> float | None:
    if trial.value is not None:
        return trial.value
    reported = trial.intermediate_values
    return reported[max(reported)] if reported else None


def _node(key: str, found: BaseDistribution) -> Any:
    from hyperopt import hp

    if isinstance(found, CategoricalDistribution):
        return hp.choice(key, range(len(found.choices)))
    assert isinstance(found, IntDistribution | FloatDistribution)
    if found.log:
        return hp.loguniform(key, math.log(found.low), math.log(found.high))
    return hp.uniform(key, found.low, found.high)


def _document(place: int, trial: FrozenTrial, space: dict[str, BaseDistribution]) -> dict[str, Any]:
    """The trial as Hyperopt keeps one."""
    from hyperopt import JOB_STATE_DONE, STATUS_OK

    values = {}
    for key, found in space.items():
        value = trial.params[key]
        known = isinstance(found, CategoricalDistribution)
        values[key] = [found.choices.index(value) if known else value]  # type: ignore[attr-defined]
    score = _score(trial)
    assert score is not None, "_told has looked"
    misc = {
        "tid": place,
        "cmd": ("domain_attachment", "FMinIter_Domain"),
        "workdir": None,
        "idxs": {key: [place] for key in space},
        "vals": values,
    }
    return {
        "state": JOB_STATE_DONE,
        "tid": place,
        "spec": None,
        "result": {"status": STATUS_OK, "loss": -score},
        "misc": misc,
        "exp_key": None,
        "owner": None,
        "version": 0,
        "book_time": None,
        "refresh_time": None,
    }


def _value(found: Any, distribution: BaseDistribution) -> Any:
    """Hyperopt's number as a value of the distribution: within its ends, on its steps."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(found)]
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    value = float(np.clip(found, distribution.low, distribution.high))
    if distribution.step:
        count = round((value - distribution.low) / distribution.step)
        most = math.floor((distribution.high - distribution.low) / distribution.step + 1e-9)
        value = distribution.low + min(count, most) * distribution.step
    return round(value) if isinstance(distribution, IntDistribution) else value
