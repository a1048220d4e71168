"""Sections of params.yaml as frozen pydantic models that refuse what they do not know."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from fer_pipeline.errors import BadParams, nearest

AXES = (
    "samples",
    "datasets",
    "models",
    "sources",
    "clip_models",
    "clip_sources",
    "transfers",
    "studies",
    "ablations",
    "clip_studies",
    "clip_ablations",
    "repeats",
)
"""Top-level keys that say what to run over; every other key is a stage's section."""


class Section(BaseModel):
    """Parent of each stage's parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


S = TypeVar("S", bound=Section)

_BOUNDS: Final = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "min_length": "length >="}
_KEY, _LINE = 31, 100


def read(path: Path) -> dict[str, Any]:
    """The whole file as a mapping.

    Raises: BadParams when it is missing, no YAML, no mapping, or has a key that is neither an axis
    nor a section.
    """
    try:
        value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadParams(f"{path} is missing; copy params/sample.yaml there") from None
    except yaml.YAMLError as error:
        raise BadParams(f"{path} is not YAML: {error}") from None
    if not isinstance(value, dict):
        raise BadParams(f"{path} holds no mapping of sections; see params/sample.yaml")
    known = [*AXES, *sections()]
    for key in value:
        if key not in known:
            hint = nearest(str(key), known)
            raise BadParams(
                f"{path}: '{key}' is neither an axis nor a section; {hint}known: "
                + ", ".join(known)
            )
    return value


def sections() -> list[str]:
    """Names of the sections: the rooms that have parameters."""
    return sorted(file.parent.name for file in Path(__file__).parent.glob("*/params.py"))


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
        if not key:
            raise BadParams(f"{where}: {fault['msg'].removeprefix('Value error, ')}") from None
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


def searched(path: Path, name: str, model: str) -> dict[str, Any]:
    """What differs for a model's study or ablation: its line of the axis `name`, or of the one for
    clips, without the source; nothing where it has no line.

    Raises: BadParams.
    """
    line = axis(path, name).get(model) or axis(path, f"clip_{name}").get(model) or {}
    return {key: value for key, value in line.items() if key != "source"}


def transfers(path: Path) -> dict[str, dict[str, Any]]:
    """The axis of that name: name of the run -> its network (model), the dataset that it is trained
    on (source), the run that it starts from (pretrained, as MODEL-SOURCE), and what else differs.

    Raises: BadParams.
    """
    found = axis(path, "transfers")
    for name, line in found.items():
        for key in ("model", "source", "pretrained"):
            if not isinstance(line.get(key), str):
                raise BadParams(f"{path}: transfers.{name} lacks '{key}'; see params/full.yaml")
        if "-" in name or name in axis(path, "models") or name in axis(path, "clip_models"):
            raise BadParams(f"{path}: transfers.{name} needs a name of its own, without '-'")
    return found


def runs(path: Path) -> list[tuple[str, str]]:
    """All (model, source) pairs that the axes ask for: stills, then clips, then transfers."""
    stills = [(m, s) for m in axis(path, "models") for s in axis(path, "sources")]
    clips = [(m, s) for m in axis(path, "clip_models") for s in axis(path, "clip_sources")]
    return stills + clips + [(name, one["source"]) for name, one in transfers(path).items()]


def keys(model: type[Section]) -> str:
    """All keys of a section for --help, a line each: default, meaning, bounds or choices."""
    lines = ["keys of its section in params.yaml, and their defaults:"]
    for key, default, meaning in _keys(model, ""):
        head = f"  {key}: {default}".ljust(_KEY - 2)
        indent = " " * _KEY
        lines.append(textwrap.fill(f"{head}  {meaning}", _LINE, subsequent_indent=indent))
    return "\n".join(lines)


def _keys(model: type[Section], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        if inner := _inner(field):
            yield f"{prefix}{name}", "", _meaning(field)
            yield from _keys(inner, f"{prefix}{name}.")
        else:
            default = json.dumps(field.get_default(call_default_factory=True), ensure_ascii=False)
            yield f"{prefix}{name}", default.strip('"'), _meaning(field)


def _inner(field: FieldInfo) -> type[Section] | None:
    """The section that a key holds, if it holds one."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
    return None


def _meaning(field: FieldInfo) -> str:
    limits = [
        f"{sign} {getattr(limit, name)}"
        for limit in field.metadata
        for name, sign in _BOUNDS.items()
        if hasattr(limit, name)
    ]
    if get_origin(field.annotation) is Literal:
        limits.append("one of " + ", ".join(str(choice) for choice in get_args(field.annotation)))
    parts = [field.description or "", ", ".join(limits)]
    return "; ".join(part for part in parts if part)
