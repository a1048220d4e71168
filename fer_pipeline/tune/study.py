"""A study: trials one after another until there are enough, whoever else works on it."""

import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from fer_pipeline.errors import Diverged, MissingData, OutOfMemory
from fer_pipeline.outputs import digest
from fer_pipeline.train import repeats
from fer_pipeline.tune import samplers, space, workers
from fer_pipeline.tune.params import TuneParams

POLL = 2.0
"""Seconds between two looks at what other workers still run."""


def run(job: repeats.Job, section: TuneParams, storage: BaseStorage) -> Study:
    """The study, with all its trials ended; those that it has already are kept.

    Raises: BadParams, MissingData (also when no trial reached a score), BadManifest.
    """
    # Left-out epochs are train's own, so that a change of train makes another study.
    if section.epochs is not None:
        settings = job.settings.model_copy(update={"epochs": section.epochs})
        job = replace(job, settings=settings)
    found = space.distributions(section.space, job.model, "tune.space")
    study = optuna.create_study(
        study_name=name(job, section),
        storage=storage,
        sampler=samplers.build(section),
        pruner=samplers.pruner(section, job.settings.epochs),
        direction="maximize",
        load_if_exists=True,
    )
    _work(study, job, section, found)
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        reasons = {str(trial.user_attrs.get(workers.WHY, "ended early")) for trial in ended(study)}
        raise MissingData(f"no trial of {job.model} reached a score: {'; '.join(sorted(reasons))}")
    return study


def name(job: repeats.Job, section: TuneParams) -> str:
    """Names the study by all that decides what a trial with given values scores, and what is tried.

    How many trials it has does not count: more of them go on with the same study.
    """
    asked = section.model_dump(exclude={"trials"})
    settings = job.settings.model_dump(exclude={"device"})
    key = digest(asked, settings, repeats.code(job.model), job.faces, job.leaks)
    return f"{job.model}-{job.source}-{key}"


def ended(study: Study) -> list[FrozenTrial]:
    """Trials that count: with a score, ended early, or impossible to train; not lost ones."""
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    found = study.get_trials(deepcopy=False, states=states)
    return [trial for trial in found if not workers.was_lost(trial)]


def _work(
    study: Study, job: repeats.Job, section: TuneParams, found: Mapping[str, BaseDistribution]
) -> None:
    most = samplers.most(section)

    def told(study: Study, trial: FrozenTrial) -> None:
        _tell(study, trial, most)

    def objective(trial: Trial) -> float:
        with workers.Pulse(trial):
            values = _values(trial, found)
            try:
                return _score(trial, values, job, section)
            except KeyboardInterrupt:
                workers.queue(study, trial)
                raise

    while True:
        for number in workers.recover(study):
            _say(f"trial {number} was left by a worker that died; it is run again")
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        under_way = len(ended(study)) + len(workers.alive(study))
        if waiting or under_way < most:
            caught = (Diverged, OutOfMemory)
            study.optimize(objective, n_trials=1, catch=caught, callbacks=[told])
        elif workers.alive(study):
            time.sleep(POLL)
        else:
            return


def _values(trial: Trial, found: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    return {key: _value(trial, key, one) for key, one in found.items()}


def _value(trial: Trial, key: str, found: BaseDistribution) -> Any:
    if isinstance(found, CategoricalDistribution):
        return trial.suggest_categorical(key, found.choices)
    if isinstance(found, IntDistribution):
        return trial.suggest_int(key, found.low, found.high, step=found.step, log=found.log)
    assert isinstance(found, FloatDistribution)
    return trial.suggest_float(key, found.low, found.high, step=found.step, log=found.log)


def _score(trial: Trial, values: dict[str, Any], job: repeats.Job, section: TuneParams) -> float:
    """Mean best score on the validation rows over the repeats."""
    settings = space.applied(job.settings, values)
    key, reported = f"val_{settings.score}", set[int]()

    def watch(history: list[dict[str, float]]) -> None:
        for row in history:
            epoch = int(row["epoch"])
            if epoch not in reported:
                reported.add(epoch)
                trial.report(row[key], epoch)
        if len(history) < settings.epochs and trial.should_prune():
            raise repeats.Ended

    scores = []
    try:
        for repeat in range(section.repeats):
            asked = replace(job, settings=settings)
            # Epochs of one repeat are compared with those of the same repeat in other trials.
            finished = repeats.train(asked, repeat, watch if repeat == 0 else None)
            scores.append(max(row[key] for row in finished.history))
    except repeats.Ended:
        raise optuna.TrialPruned from None
    except (Diverged, OutOfMemory) as error:
        trial.set_user_attr(workers.WHY, str(error))
        raise
    return sum(scores) / len(scores)


def _tell(study: Study, trial: FrozenTrial, most: int) -> None:
    """Says how `trial`, which has just ended, went."""
    values = "  ".join(f"{key} {_short(value)}" for key, value in trial.params.items())
    score = {
        TrialState.COMPLETE: lambda: f"{trial.value:.4f}",
        TrialState.PRUNED: lambda: f"ended after epoch {trial.last_step}",
    }.get(trial.state, lambda: "failed")()
    best = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    top = max(best, key=lambda one: one.value or 0.0) if best else None
    tail = f"best {top.value:.4f} (trial {top.number})" if top else "no score yet"
    _say(f"trial {len(ended(study))}/{most}: {score}; {tail};  {values}")


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
