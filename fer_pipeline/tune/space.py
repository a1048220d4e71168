"""The search space: keys of `train` as Optuna's distributions, and trials' values put in place."""

import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from fer_pipeline import architectures, params
from fer_pipeline.errors import BadParams, nearest
from fer_pipeline.train.params import Augment, TrainParams
from fer_pipeline.tune.params import Range

FIXED = ("seed", "score", "classes", "device", "epochs")
"""Keys that decide what a score means, and so cannot be searched."""


def distributions(
    ranges: Mapping[str, Range], model: str, where: str
) -> dict[str, BaseDistribution]:
    """Key -> distribution.

    Raises: BadParams naming a key that `train` or the model does not have, or that is fixed.
    """
    known = keys(model)
    for key in ranges:
        if key not in known:
            hint = nearest(key, known)
            raise BadParams(f"{where}.{key} is no key of train; {hint}known: {', '.join(known)}")
    return {key: distribution(value) for key, value in ranges.items()}


def keys(model: str) -> list[str]:
    """All keys that a study of the model may search."""
    plain = [key for key in TrainParams.model_fields if key not in (*FIXED, "augment", "options")]
    varied = [f"augment.{key}" for key in Augment.model_fields]
    return [*plain, *varied, *(f"options.{key}" for key in architectures.options(model))]


def distribution(found: Range) -> BaseDistribution:
    """The range as Optuna knows it."""
    if found.choices is not None:
        return CategoricalDistribution(found.choices)
    low, high = found.ends
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=found.log, step=int(found.step or 1))
    return FloatDistribution(low, high, log=found.log, step=found.step)


def grid(ranges: Mapping[str, Range]) -> dict[str, list[Any]]:
    """Key -> the values that strategy grid tries."""
    return {key: _points(value) for key, value in ranges.items()}


def _points(found: Range) -> list[Any]:
    if found.choices is not None:
        return list(found.choices)
    low, high = found.ends
    if found.points == 1:
        return [low]
    values = [low + (high - low) * place / (found.points - 1) for place in range(found.points)]
    if found.log:
        ratio = math.log(high / low)
        values = [
            low * math.exp(ratio * place / (found.points - 1)) for place in range(found.points)
        ]
        # Logarithms end a rounding error beside the end.
        values[-1] = high
    if found.step:
        # The last step may not reach the end; a rounding error below it does.
        most = math.floor((high - low) / found.step + 1e-9)
        counts = [min(round((value - low) / found.step), most) for value in values]
        values = [min(low + found.step * count, high) for count in counts]
    if isinstance(low, int) and isinstance(high, int):
        values = [round(value) for value in values]
    return list(dict.fromkeys(values))


def applied(settings: TrainParams, values: Mapping[str, Any]) -> TrainParams:
    """The settings with the values in place of their own.

    Raises: BadParams where these contradict each other.
    """
    plain: dict[str, Any] = settings.model_dump()
    for key, value in values.items():
        first, _, rest = key.partition(".")
        if not rest:
            plain[first] = value
            continue
        if plain[first] is None:
            raise BadParams(f"tune.space.{key}: train.{first} is null; set it, or leave this out")
        plain[first] = {**plain[first], rest: value}
    return params.check(TrainParams, plain, "a trial's values")
