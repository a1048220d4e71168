"""Best values of a study written into params.yaml, whose comments and order stay."""

import argparse
import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from fer_pipeline.errors import BadParams, MissingData
from fer_pipeline.outputs import atomic


def command(argv: list[str]) -> None:
    """`fer tune accept MODEL`: writes the best values of a model's study into params.yaml.

    Raises: MissingData, BadParams.
    """
    parser = argparse.ArgumentParser(prog="fer tune accept", description=__doc__)
    parser.add_argument("model", help="whose study")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="file to change")
    parser.add_argument("--metrics", type=Path, default=Path("metrics/tune"), help="of the stage")
    given = parser.parse_args(argv)
    values = accept(given.params, given.metrics, given.model)
    told = ", ".join(f"{key} {value}" for key, value in values.items())
    print(f"{given.params}: {given.model} now has {told}")


def accept(params: Path, metrics: Path, model: str) -> dict[str, Any]:
    """Puts the values of the model's study into its line; returns key -> value.

    metrics: folder of the stage's JSON, one per study, named MODEL-SOURCE.

    Raises: MissingData without a study; BadParams when there are several, or no line.
    """
    files = sorted(metrics.glob(f"{model}-*.json"))
    if not files:
        raise MissingData(f"no study of {model} below {metrics}; run dvc repro tune@{model} first")
    if len(files) > 1:
        names = ", ".join(file.stem for file in files)
        raise BadParams(f"several studies of {model} below {metrics} ({names}); delete the others")
    values: dict[str, Any] = json.loads(files[0].read_text(encoding="utf-8"))["values"]
    yaml = _yaml()
    everything = yaml.load(params.read_text(encoding="utf-8"))
    line = _line(everything, params, model)
    for key, value in values.items():
        _put(line, key, value)
    with atomic(params) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        yaml.dump(everything, file)
    return values


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    # Long comments and lines in braces stay as they were written.
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _line(everything: Any, params: Path, model: str) -> Any:
    for axis in ("models", "clip_models"):
        lines = everything.get(axis) or {}
        if model in lines:
            if lines[model] is None:
                lines[model] = CommentedMap()
            return lines[model]
    raise BadParams(f"{params} has no line for {model} under models; add '{model}: {{}}' there")


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
