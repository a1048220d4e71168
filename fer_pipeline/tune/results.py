"""What a study found: metrics, best values, a table of trials, and a few lines for people."""

import csv
from pathlib import Path
from typing import Any

from optuna.importance import get_param_importances
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from fer_pipeline.tune.study import ended

DIGITS = 6


def metrics(study: Study, score: str, repeats: int, epochs: int) -> dict[str, Any]:
    """What `dvc metrics` shows and `accept` takes: best score and values, counts, importance.

    repeats, epochs: of a trial, at most.
    """
    best = study.best_trial
    trials = ended(study)
    counts = {
        "trials": len(trials),
        "complete": sum(one.state == TrialState.COMPLETE for one in trials),
        "pruned": sum(one.state == TrialState.PRUNED for one in trials),
        "failed": sum(one.state == TrialState.FAIL for one in trials),
    }
    return {
        "score": f"val_{score}",
        "best": round(float(best.value or 0.0), DIGITS),
        "best_trial": best.number,
        "repeats": repeats,
        "epochs": epochs,
        "values": dict(sorted(best.params.items())),
        "importance": importance(study),
        **counts,
    }


def importance(study: Study) -> dict[str, float]:
    """Share of each key in what sets the best trials apart, largest first; {} where it has none.

    Source: Watanabe et al., "PED-ANOVA: efficiently quantifying hyperparameter importance in
    arbitrary subspaces", IJCAI 2023, as Optuna computes it.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < 2 or len({one.value for one in complete}) < 2:
        return {}
    return {key: round(share, 4) for key, share in get_param_importances(study).items()}


def write_trials(path: Path, study: Study) -> None:
    """trials.csv: a row per trial, with the best score so far, which is what a plot shows."""
    keys = sorted({key for trial in ended(study) for key in trial.params})
    best: float | None = None
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("trial", "state", "score", "best", "epochs", *keys))
        for trial in ended(study):
            # Optuna gives a pruned trial its last score as its value.
            if trial.state == TrialState.COMPLETE and trial.value is not None:
                best = trial.value if best is None else max(best, trial.value)
            writer.writerow(_row(trial, best, keys))


def _row(trial: FrozenTrial, best: float | None, keys: list[str]) -> list[object]:
    done = trial.state == TrialState.COMPLETE and trial.value is not None
    score = round(trial.value or 0.0, DIGITS) if done else ""
    values = [trial.params.get(key, "") for key in keys]
    shown = [f"{value:.6g}" if isinstance(value, float) else value for value in values]
    top = "" if best is None else round(best, DIGITS)
    return [trial.number, trial.state.name.lower(), score, top, trial.last_step or 0, *shown]


def table(model: str, source: str, found: dict[str, Any]) -> str:
    """Best score, best values and what matters, for people."""
    head = (
        f"{model} on {source}: {found['trials']} trials, {found['complete']} to the end, "
        f"{found['pruned']} ended early, {found['failed']} failed"
    )
    lines = [head, f"best {found['score']} {found['best']:.4f} in trial {found['best_trial']}:"]
    for key, value in found["values"].items():
        share = found["importance"].get(key)
        told = "" if share is None else f"{share:>6.0%} of the importance"
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        lines.append(f"  {key:<20}{shown:>14}  {told}".rstrip())
    lines.append(f"take them over with: python -m fer_pipeline.tune accept {model}")
    return "\n".join(lines)
