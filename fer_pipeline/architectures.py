"""Networks of the catalogue `models/` made to order: input size, options, starting weights."""

import ast
import inspect
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import create_model

from fer_pipeline import params, registry
from fer_pipeline.images import Input

CATALOGUE: Final = "fer_pipeline.models"


def contract(name: str, size: int | None = None) -> Input:
    """What the model takes; `size` in place of its own side, pixels.

    Raises: UnknownName.
    """
    own: Input = registry.load("models", name).INPUT
    return own if size is None else replace(own, size=size)


def options(name: str) -> dict[str, inspect.Parameter]:
    """The options of a model's `build`, by name.

    Raises: UnknownName.
    """
    found = inspect.signature(registry.load("models", name).build).parameters.values()
    return {one.name: one for one in found if one.kind is inspect.Parameter.KEYWORD_ONLY}


def checked(name: str, given: Mapping[str, Any], where: str = "options") -> dict[str, Any]:
    """The given options, in the types that the model's `build` states; the rest is left to it.

    Raises: UnknownName; BadParams naming an option that the model does not have, or a bad value.
    """
    fields: dict[str, Any] = {
        key: (one.annotation, one.default) for key, one in options(name).items()
    }
    section = create_model(f"{name}_options", __base__=params.Section, **fields)
    return params.check(section, given, where).model_dump(include=set(given))


def build(
    name: str,
    num_classes: int,
    size: int,
    given: Mapping[str, Any],
    pretrained: bool | str = False,
) -> Any:
    """The torch module; `given` are its options, `pretrained` as in the catalogue's contract.

    Raises: UnknownName, BadParams, MissingData.
    """
    module = registry.load("models", name)
    return module.build(num_classes, pretrained, size, **checked(name, given))


def sources(name: str) -> list[Path]:
    """Files of the catalogue that decide what the network is: its own, and those that it imports.

    Raises: UnknownName.
    """
    folder = Path(str(registry.load("models", name).__file__)).parent
    found: set[Path] = set()
    waiting = {folder / f"{name}.py"}
    while waiting:
        found |= waiting
        waiting = {folder / f"{other}.py" for file in waiting for other in _imported(file)} - found
    return sorted(found)


def _imported(file: Path) -> set[str]:
    """Names of the files of the catalogue that `file` imports, or imports something from."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        if node.module == CATALOGUE:
            names |= {alias.name for alias in node.names}
        elif node.module.startswith(f"{CATALOGUE}."):
            names.add(node.module.removeprefix(f"{CATALOGUE}."))
    return names
