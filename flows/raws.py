"""Raw datasets that params.yaml asks for and nobody has put in place yet."""

from pathlib import Path

from fer_pipeline import params, registry

MADE = "sample"
"""The origin whose folders a stage makes; every other one is a user's."""


def missing(root: Path) -> list[str]:
    """Of each such dataset a line: where it belongs, what to obtain and under which licence.

    DVC stops before a stage whose dependency is not there, and says no more than that.

    Raises: BadParams, UnknownName.
    """
    found = []
    for name, line in params.axis(root / "params.yaml", "datasets").items():
        origin = line.get("origin", MADE)
        if origin != MADE and not (root / "data" / origin / name).exists():
            obtain = registry.load("datasets", name).OBTAIN
            found.append(f"data/{origin}/{name} is not there; put into it {obtain}")
    return found
