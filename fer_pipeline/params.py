"""Sections of params.yaml as frozen pydantic models that refuse what they do not know."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from fer_pipeline.errors import BadParams, nearest

AXES = (
    "samples",
    "datasets",
    "models",
    "sources",
    "clip_models",
    "clip_sources",
    "repeats",
)
"""Top-level keys that say what to run over; every other key is a stage's section."""


class Section(BaseModel):
    """Parent of each stage's parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


S = TypeVar("S", bound=Section)


def read(path: Path) -> dict[str, Any]:
    """The whole file as a mapping.

    Raises: BadParams when it is missing, no YAML, or no mapping.
    """
    try:
        value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadParams(f"{path} is missing; copy params/sample.yaml there") from None
    except yaml.YAMLError as error:
        raise BadParams(f"{path} is not YAML: {error}") from None
    if not isinstance(value, dict):
        raise BadParams(f"{path} holds no mapping of sections; see params/sample.yaml")
    return value


def section(model: type[S], path: Path, name: str, *overrides: Mapping[str, Any] | None) -> S:
    """Section `name` of the file, later mappings over earlier ones, checked by `model`.

    Raises: BadParams naming the file, the key, what is allowed, and the nearest good key.
    """
    everything = read(path)
    if name not in everything:
        raise BadParams(f"{path} has no section '{name}'; see params/sample.yaml")
    merged: dict[str, Any] = dict(everything[name] or {})
    for override in overrides:
        merged.update(override or {})
    return check(model, merged, f"{path}: {name}")


def check(model: type[S], values: Mapping[str, Any], where: str) -> S:
    """The values as `model`.

    Raises: BadParams for the first fault, with `where` in front.
    """
    try:
        return model(**values)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            hint = nearest(key, list(model.model_fields))
            known = ", ".join(model.model_fields)
            raise BadParams(f"{where}.{key} is no parameter; {hint}known: {known}") from None
        raise BadParams(f"{where}.{key} = {fault['input']!r}: {fault['msg']}") from None


def axis(path: Path, name: str) -> dict[str, dict[str, Any]]:
    """What an axis runs over, name -> its line (what differs for it), in the file's order.

    Raises: BadParams when the axis is missing or no mapping.
    """
    value = read(path).get(name)
    if not isinstance(value, dict):
        raise BadParams(f"{path}: '{name}' must map names to what differs; see params/sample.yaml")
    return {str(key): dict(line or {}) for key, line in value.items()}


def runs(path: Path) -> list[tuple[str, str]]:
    """All (model, source) pairs that the axes ask for: stills, then clips."""
    stills = [(m, s) for m in axis(path, "models") for s in axis(path, "sources")]
    clips = [(m, s) for m in axis(path, "clip_models") for s in axis(path, "clip_sources")]
    return stills + clips
