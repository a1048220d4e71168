"""Studies: their trials, what ends them early, what a kill leaves."""

import socket
from collections import Counter
from dataclasses import replace

import optuna
import psutil
import pytest
from optuna.trial import TrialState

from fer_pipeline.errors import MissingData
from fer_pipeline.train import repeats
from fer_pipeline.tune import storage, study, workers


@pytest.fixture
def place(tmp_path):
    """Opens the storage anew, as another process would."""
    return lambda: storage.connect(None, tmp_path / "studies")


def values_of(found):
    return [trial.params for trial in study.ended(found)]


@pytest.mark.parametrize("strategy", ["random", "tpe", "hyperopt"])
def test_a_killed_study_goes_on_as_an_undisturbed_one(
    trainer, job, section, place, tmp_path, strategy
):
    whole = study.run(job, section(strategy=strategy), storage.connect(None, tmp_path / "whole"))
    for stop in (3, 6):
        trainer.asked.clear()
        trainer.stop_at = stop
        with pytest.raises(KeyboardInterrupt):
            study.run(job, section(strategy=strategy), place())
    trainer.stop_at = None
    trainer.asked.clear()
    found = study.run(job, section(strategy=strategy), place())
    assert values_of(found) == values_of(whole)
    assert found.best_value == whole.best_value
    assert len(trainer.asked) < 8, "finished trials are not run again"


def test_a_process_that_died_leaves_its_trial_to_the_next(trainer, job, section, place):
    kept = place()
    made = optuna.create_study(
        study_name=study.name(job, section()), storage=kept, direction="maximize"
    )
    lost = made.ask({"lr": optuna.distributions.FloatDistribution(0.001, 0.1, log=True)})
    lost.set_user_attr(
        workers.WORKER, {"host": socket.gethostname(), "pid": 2**22 - 1, "started": 0}
    )
    found = study.run(job, section(), kept)
    assert found.trials[0].state == TrialState.FAIL
    assert found.trials[1].user_attrs[workers.AGAIN] == 0
    assert found.trials[1].params["lr"] == lost.params["lr"]
    assert len(study.ended(found)) == 8


def test_a_trial_that_another_machine_runs_is_waited_for(trainer, job, section, place, monkeypatch):
    kept = place()
    made = optuna.create_study(
        study_name=study.name(job, section()), storage=kept, direction="maximize"
    )
    other = made.ask()
    other.set_user_attr(workers.WORKER, {"host": "elsewhere", "pid": 1, "started": 0})
    naps = []

    def nap(seconds):
        naps.append(seconds)
        made.tell(other, 0.5)

    monkeypatch.setattr(study.time, "sleep", nap)
    found = study.run(job, section(), kept)
    assert naps == [study.POLL]
    assert len(study.ended(found)) == 8
    assert len(trainer.asked) == 7


def test_a_worker_tells_of_its_own_trial(trainer, job, section, place, capsys, monkeypatch):
    """Another worker has begun one since."""
    kept, others = place(), []
    made = optuna.create_study(
        study_name=study.name(job, section(trials=2)), storage=kept, direction="maximize"
    )
    real = trainer.__call__

    def busy(*asked):
        if not others:
            others.append(made.ask())
            others[0].set_user_attr(workers.WORKER, {"host": "elsewhere", "pid": 1, "started": 0})
        else:
            made.tell(others[0], 0.1)
        return real(*asked)

    monkeypatch.setattr(repeats, "train", busy)
    study.run(job, section(trials=3), kept)
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("trial 1/3: 0.")
    assert "lr " in first


def test_silence_is_taken_for_death(monkeypatch):
    made = optuna.create_study(direction="maximize")
    trial = made.ask()
    trial.set_user_attr(workers.WORKER, {"host": "elsewhere", "pid": 1, "started": 0})
    now = workers.time.time()
    trial.set_user_attr(workers.PULSE, now - workers.SILENT / 2)
    assert [one.number for one in workers.alive(made)] == [0]
    assert workers.recover(made) == []
    trial.set_user_attr(workers.PULSE, now - workers.SILENT - 1)
    assert workers.alive(made) == []
    assert workers.recover(made) == [0]
    assert workers.recover(made) == []


def test_a_restarted_container_takes_its_dead_worker_for_dead():
    """Host and process number are those of the dead one; only the start is another."""
    me = psutil.Process()
    worker = {"host": socket.gethostname(), "pid": me.pid, "started": me.create_time() - 60}
    made = optuna.create_study(direction="maximize")
    trial = made.ask()
    trial.set_user_attr(workers.PULSE, workers.time.time())
    trial.set_user_attr(workers.WORKER, worker)
    assert workers.alive(made) == []
    trial.set_user_attr(workers.WORKER, worker | {"started": me.create_time()})
    assert len(workers.alive(made)) == 1


def test_more_trials_go_on_with_the_same_study(trainer, job, section, place):
    study.run(job, section(trials=4), place())
    trainer.asked.clear()
    found = study.run(job, section(trials=6), place())
    assert len(trainer.asked) == 2
    assert len(study.ended(found)) == 6


def test_other_settings_are_another_study(job, section):
    other = job.settings.model_copy(update={"momentum": 0.1})
    assert study.name(job, section()) == study.name(job, section(trials=99))
    assert study.name(job, section()) != study.name(job, section(seed=1))
    assert study.name(job, section()) != study.name(replace(job, settings=other), section())


def test_a_grid_is_tried_whole_and_once(trainer, job, section, place):
    trainer.stop_at = 4
    with pytest.raises(KeyboardInterrupt):
        study.run(job, section(strategy="grid", trials=99), place())
    trainer.stop_at = None
    found = study.run(job, section(strategy="grid", trials=99), place())
    seen = Counter(tuple(sorted(values.items())) for values in values_of(found))
    assert len(seen) == 3 * 3 * 2
    assert set(seen.values()) == {1}


def test_trials_that_fall_behind_are_ended(trainer, job, section, place):
    found = study.run(job, section(strategy="random", trials=14, pruner="median"), place())
    pruned = [trial for trial in found.trials if trial.state == TrialState.PRUNED]
    assert pruned
    assert all(2 <= (trial.last_step or 0) < 4 for trial in pruned)
    assert all(trial.number >= 3 for trial in pruned), "not the first three"
    worst = max(trial.intermediate_values[2] for trial in pruned)
    assert worst < max(trial.value for trial in found.trials if trial.value) / 2


def test_hyperband_ends_trials_too(trainer, job, section, place):
    given = section(strategy="random", trials=20, pruner="hyperband", pruned_from=1)
    found = study.run(job, given, place())
    assert any(trial.state == TrialState.PRUNED for trial in found.trials)


@pytest.mark.parametrize("strategy", ["random", "tpe"])
def test_hyperband_tries_no_values_twice(trainer, job, section, place, strategy):
    # The first trials of TPE are at random, too.
    given = section(strategy=strategy, trials=20, startup=20, pruner="hyperband", pruned_from=1)
    found = study.run(job, given, place())
    assert len({trial.params["lr"] for trial in found.trials}) == 20


def test_the_score_is_the_mean_over_repeats(trainer, job, section, place):
    found = study.run(job, section(trials=2, repeats=3), place())
    once = study.run(job, section(trials=2, repeats=1), place())
    for three, one in zip(found.trials, once.trials, strict=True):
        assert three.value == pytest.approx(one.value - 0.01)


def test_values_that_cannot_be_trained_count_as_failed(trainer, job, section, place):
    trainer.diverges = True
    found = study.run(job, section(strategy="random", trials=10), place())
    failed = [trial for trial in found.trials if trial.state == TrialState.FAIL]
    assert failed
    assert len(found.trials) == 10
    assert all("not finite" in trial.user_attrs[workers.WHY] for trial in failed)


def test_no_score_at_all_is_an_error(trainer, job, section, place):
    trainer.diverges = True
    space = {"lr": section().space["lr"].model_copy(update={"low": 0.05})}
    with pytest.raises(MissingData, match="no trial of simple_cnn reached a score: the loss is"):
        study.run(job, section(space=space, trials=2), place())


@pytest.mark.parametrize("strategy", ["tpe", "hyperopt"])
def test_what_is_learnt_from_trials_shows(trainer, job, section, place, strategy):
    found = study.run(job, section(strategy=strategy, trials=40, startup=8), place())
    scores = [trial.value for trial in found.trials]
    assert sum(scores[-15:]) / 15 > sum(scores[:8]) / 8 + 0.05
