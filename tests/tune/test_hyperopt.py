"""Hyperopt behind Optuna's interface."""

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from fer_pipeline.tune import hyperopt

SPACE = {
    "lr": FloatDistribution(1e-4, 1.0, log=True),
    "width": IntDistribution(8, 64, step=8),
    "share": FloatDistribution(0.0, 0.75, step=0.25),
    "kind": CategoricalDistribution(["a", "b", "c"]),
}


def past(count=12):
    random = np.random.default_rng(0)
    found = []
    for _ in range(count):
        values = {
            "lr": float(10 ** random.uniform(-4, 0)),
            "width": int(8 * random.integers(1, 9)),
            "share": float(0.25 * random.integers(0, 4)),
            "kind": "abc"[random.integers(3)],
        }
        score = -abs(np.log10(values["lr"]) + 2) + (values["kind"] == "b")
        found.append(create_trial(params=values, distributions=SPACE, value=score))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_proposals_lie_in_the_space(seed):
    found = hyperopt.proposed(SPACE, past(), seed)
    assert set(found) == set(SPACE)
    assert all(one._contains(one.to_internal_repr(found[key])) for key, one in SPACE.items()), found
    assert isinstance(found["width"], int)


def test_proposals_follow_seed_and_trials():
    first = hyperopt.proposed(SPACE, past(), 1)
    assert first == hyperopt.proposed(SPACE, past(), 1)
    assert first != hyperopt.proposed(SPACE, past(), 2)
    assert first != hyperopt.proposed(SPACE, past(11), 1)


def test_pruned_trials_count_by_their_last_score():
    study = optuna.create_study(direction="maximize")
    study.add_trial(
        create_trial(
            state=optuna.trial.TrialState.PRUNED,
            params={"lr": 0.1},
            distributions={"lr": SPACE["lr"]},
            intermediate_values={1: 0.2, 3: 0.4},
        )
    )
    assert [hyperopt._score(one) for one in hyperopt._told(study)] == [0.4]
