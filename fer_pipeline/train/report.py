"""What a training reports: metrics over its repeats, curves, and a table for the terminal."""

from collections.abc import Sequence
from typing import Final, Protocol

COLUMNS: Final = (
    "epoch",
    "train_loss",
    "val_loss",
    "train_accuracy",
    "val_accuracy",
    "val_macro_f1",
    "val_mean_class_accuracy",
    "learning_rate",
)

SCORES: Final = ("val_accuracy", "val_macro_f1", "val_mean_class_accuracy", "val_loss")


class Finished(Protocol):
    """A finished repeat, as `repeats.Finished` is one."""

    @property
    def history(self) -> list[dict[str, float]]:
        """One mapping per epoch."""
        ...

    @property
    def counts(self) -> dict[str, int]:
        """Rows and parameters."""
        ...

    @property
    def best(self) -> int:
        """Best epoch, from 1."""
        ...


def metrics(finished: Sequence[Finished]) -> dict[str, float]:
    """Means over the repeats of the best epoch's scores and of the counts."""
    best = [kept.history[kept.best - 1] for kept in finished]
    rated = [name for name in best[0] if name.startswith("val_") and name not in SCORES]
    values: dict[str, float] = {
        name: _mean([row[name] for row in best]) for name in (*SCORES, *rated)
    }
    values["best_epoch"] = _mean([kept.best for kept in finished])
    values["epochs"] = _mean([len(kept.history) for kept in finished])
    for name in finished[0].counts:
        values[name] = _mean([kept.counts[name] for kept in finished])
    values["repeats"] = len(finished)
    return {
        name: int(value) if float(value).is_integer() and "val_" not in name else round(value, 6)
        for name, value in values.items()
    }


def curves(finished: Sequence[Finished]) -> str:
    """CSV with one row per repeat and epoch; scores of dimensions, where there are, come last."""
    names = [*COLUMNS, *(name for name in finished[0].history[0] if name not in COLUMNS)]
    lines = [",".join(("repeat", *names))]
    for repeat, kept in enumerate(finished):
        for row in kept.history:
            lines.append(",".join([str(repeat), *(f"{row[name]:.6g}" for name in names)]))
    return "\n".join(lines) + "\n"


def table(model: str, source: str, finished: Sequence[Finished]) -> str:
    """A line per repeat, for people."""
    counts = finished[0].counts
    head = (
        f"{model} on {source}: {counts['parameters']:,} parameters, {counts['train_rows']:,} rows "
        f"trained, {counts['val_rows']:,} validated, {counts['dropped_rows']:,} not used"
    )
    lines = [head, f"{'repeat':>6} {'epochs':>6} {'best':>5} {'accuracy':>9} {'macro F1':>9}"]
    for repeat, kept in enumerate(finished):
        row = kept.history[kept.best - 1]
        lines.append(
            f"{repeat:>6} {len(kept.history):>6} {kept.best:>5} "
            f"{row['val_accuracy']:>9.4f} {row['val_macro_f1']:>9.4f}"
        )
    return "\n".join(lines)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
