"""What a study's files say of trials that were ended early."""

import optuna
import pandas as pd
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from fer_pipeline.tune import results


def test_a_trial_ended_early_has_no_score_and_is_never_the_best(tmp_path):
    study = optuna.create_study(direction="maximize")
    for value, pruned in ((0.5, False), (0.9, True), (0.6, False)):
        trial = study.ask({"lr": FloatDistribution(0.1, 0.2)})
        trial.report(value, 3)
        if pruned:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, value)
    results.write_trials(tmp_path / "trials.csv", study)
    table = pd.read_csv(tmp_path / "trials.csv")
    assert table["state"].tolist() == ["complete", "pruned", "complete"]
    assert table["score"].isna().tolist() == [False, True, False]
    assert table["best"].tolist() == [0.5, 0.5, 0.6]
    assert results.metrics(study, "accuracy", 1, 3)["best"] == 0.6
