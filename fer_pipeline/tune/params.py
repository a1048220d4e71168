"""The `tune` section of params.yaml: where to look, how, and for how long."""

from typing import Any, Literal

from pydantic import Field, model_validator

from fer_pipeline.params import Section


class Range(Section):
    """Values that one key may take: `choices`, or all from `low` to `high`.

    Whole numbers where both ends are whole, else any.
    """

    low: int | float | None = Field(default=None, description="smallest value")
    high: int | float | None = Field(default=None, description="largest value")
    log: bool = Field(default=False, description="whether ratios count rather than differences")
    step: int | float | None = Field(default=None, gt=0, description="distance of values from low")
    points: int = Field(default=3, ge=1, description="how many of them strategy grid tries")
    choices: list[Any] | None = Field(default=None, description="in place of low and high")

    @model_validator(mode="after")
    def _fit_together(self) -> "Range":
        ends = (self.low, self.high)
        if self.choices is not None:
            if not self.choices or ends != (None, None):
                raise ValueError("choices must hold a value, and leave out low and high")
            return self
        if self.low is None or self.high is None or self.low >= self.high:
            raise ValueError("name choices, or low and a higher high")
        if self.log and (self.low <= 0 or self.step):
            raise ValueError("log needs low above 0, and no step")
        if self.step is not None and self.step > self.high - self.low:
            raise ValueError(f"step {self.step} is more than from low to high")
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        if whole and self.step is not None and self.step != int(self.step):
            raise ValueError(
                f"step {self.step} between whole ends must be whole; write {self.low}.0"
            )
        return self

    @property
    def ends(self) -> tuple[int | float, int | float]:
        """Low and high, of a range without choices."""
        if self.low is None or self.high is None:
            raise ValueError(f"a range with choices {self.choices} has no ends")
        return self.low, self.high


def space() -> dict[str, Range]:
    """Where a study looks unless it is told otherwise."""
    return {
        "lr": Range(low=3e-4, high=0.1, log=True),
        "batch": Range(choices=[32, 64, 128]),
        "optimiser": Range(choices=["sgd", "adamw"]),
        "weight_decay": Range(low=1e-5, high=0.1, log=True),
        "loss": Range(choices=["cross_entropy", "focal"]),
        "options.dropout": Range(low=0.0, high=0.6),
        "augment.strength": Range(low=0.0, high=1.5),
    }


class TuneParams(Section):
    """How values are searched for; a model's line under `studies` or `clip_studies` changes it
    for that model."""

    strategy: Literal["grid", "random", "tpe", "hyperopt"] = Field(
        default="tpe", description="every combination; at random; Optuna's TPE; Hyperopt's TPE"
    )
    trials: int = Field(default=30, ge=1, description="of a study, over all its workers")
    space: dict[str, Range] = Field(
        default_factory=space, description="key of train (options.dropout, ...) -> its range"
    )
    startup: int = Field(
        default=10,
        ge=0,
        description="first trials at random, and of pruner median those that it leaves alone",
    )
    pruner: Literal["none", "median", "hyperband"] = Field(
        default="median", description="what ends trials that fall behind the others"
    )
    pruned_from: int = Field(default=2, ge=1, description="first epoch after which it may")
    epochs: int | None = Field(default=None, ge=1, description="of a trial; null: as in train")
    repeats: int = Field(default=1, ge=1, description="trainings whose mean score is the trial's")
    seed: int = Field(default=0, ge=0, description="of the search")
