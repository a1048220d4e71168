"""Catalogues in which a name is a file: `datasets/`, `detectors/`, `models/`."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from fer_pipeline.errors import UnknownName, nearest

CATALOGUES = ("datasets", "detectors", "models")


def names(catalogue: str) -> list[str]:
    """The names in a catalogue, sorted: one per file of its folder."""
    if catalogue not in CATALOGUES:
        raise ValueError(f"no catalogue {catalogue!r}, only {CATALOGUES}")
    folder = Path(__file__).parent / catalogue
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def load(catalogue: str, name: str) -> ModuleType:
    """The module that defines `name`; optional heavy packages load only here.

    Raises: UnknownName, listing the catalogue.
    """
    known = names(catalogue)
    if name not in known:
        hint = nearest(name, known)
        raise UnknownName(
            f"no '{name}' among the {catalogue}; {hint}known: {', '.join(known)} "
            f"(add fer_pipeline/{catalogue}/{name}.py to make one)"
        )
    return import_module(f"fer_pipeline.{catalogue}.{name}")
