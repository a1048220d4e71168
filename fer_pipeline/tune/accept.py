"""Best values of a study written into params.yaml, whose comments and order stay."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from fer_pipeline.errors import BadParams, MissingData
from fer_pipeline.outputs import atomic
from fer_pipeline.train.params import resolve

SOURCES: Final = {"models": "sources", "clip_models": "clip_sources"}
"""Axis of models -> axis of the sources whose lines win over theirs."""


def command(argv: list[str]) -> None:
    """`fer tune accept MODEL`: writes the best values of a model's study into params.yaml.

    Raises: MissingData, BadParams.
    """
    parser = argparse.ArgumentParser(prog="fer tune accept", description=__doc__)
    parser.add_argument("model", help="whose study")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="file to change")
    parser.add_argument("--metrics", type=Path, default=Path("metrics/tune"), help="of the stage")
    given = parser.parse_args(argv)
    study = accept(given.params, given.metrics, given.model)
    told = ", ".join(f"{key} {value}" for key, value in study["values"].items())
    print(f"{given.params}: {given.model} now has {told}")
    epochs = resolve(given.params, given.model, study["source"]).epochs
    # Files of earlier studies do not say it.
    if study.get("epochs", epochs) != epochs:
        print(f"epochs of its trials: {study['epochs']}; of a training: {epochs}")


def accept(params: Path, metrics: Path, model: str) -> dict[str, Any]:
    """Puts the values of the model's study into its line; returns the study's JSON and `source`.

    metrics: folder of the stage's JSON, one per study, named MODEL-SOURCE.

    Raises: MissingData without a study; BadParams when there are several, no line, or the source's
    line sets one of the values, too.
    """
    files = sorted(metrics.glob(f"{model}-*.json"))
    if not files:
        raise MissingData(f"no study of {model} below {metrics}; run dvc repro tune@{model} first")
    if len(files) > 1:
        names = ", ".join(file.stem for file in files)
        raise BadParams(f"several studies of {model} below {metrics} ({names}); delete the others")
    study: dict[str, Any] = json.loads(files[0].read_text(encoding="utf-8"))
    source = files[0].stem.removeprefix(f"{model}-")
    yaml = _yaml()
    everything = yaml.load(params.read_text(encoding="utf-8"))
    axis = _axis(everything, params, model)
    _refuse_overruled(everything, params, study["values"], SOURCES[axis], source)
    if everything[axis][model] is None:
        everything[axis][model] = CommentedMap()
    for key, value in study["values"].items():
        _put(everything[axis][model], key, value)
    with atomic(params) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        yaml.dump(everything, file)
    return study | {"source": source}


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    # Long comments and lines in braces stay as they were written.
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _axis(everything: Any, params: Path, model: str) -> str:
    """The axis that has the model's line."""
    for axis in SOURCES:
        if model in (everything.get(axis) or {}):
            return axis
    raise BadParams(f"{params} has no line for {model} under models; add '{model}: {{}}' there")


def _refuse_overruled(
    everything: Any, params: Path, values: Mapping[str, Any], axis: str, source: str
) -> None:
    line = (everything.get(axis) or {}).get(source) or {}
    over = [key for key in values if _sets(line, key)]
    if over:
        raise BadParams(
            f"{params}: {axis}.{source} sets {', '.join(over)}, and wins over the model's line; "
            "take it out there, then accept again"
        )


def _sets(line: Mapping[str, Any], key: str) -> bool:
    first, _, rest = key.partition(".")
    if first not in line:
        return False
    # A section that is switched off is set as a whole.
    return not rest or line[first] is None or rest in line[first]


def _put(line: Any, key: str, value: Any) -> None:
    first, _, rest = key.partition(".")
    if not rest:
        line[first] = value
        return
    if not isinstance(line.get(first), CommentedMap):
        inner = CommentedMap()
        inner.fa.set_flow_style()
        line[first] = inner
    line[first][rest] = value
