"""Section `detect` of params.yaml."""

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from fer_pipeline import params, registry
from fer_pipeline.errors import BadParams, nearest


class DetectParams(params.Section):
    """How faces are found and cut out; which detector serves a set is in `datasets`."""

    size: int = Field(112, ge=16, le=1024, description="side of the aligned crop, pixels")
    workers: int = Field(0, ge=0, le=256, description="processes; 0: one per core")
    shard: int = Field(128, ge=1, le=65536, description="rows a worker finishes at a time")
    options: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="name of a detector -> its own options, `Options` of its file",
    )

    @field_validator("options")
    @classmethod
    def _known(cls, options: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        known = registry.names("detectors")
        for name in options:
            if name not in known:
                hint = nearest(name, known)
                raise ValueError(f"no detector '{name}'; {hint}known: {', '.join(known)}")
        return options


def detector_of(path: Path, dataset: str) -> str:
    """The detector named on the dataset's line under `datasets`.

    Raises: BadParams when the set or its detector is not there.
    """
    lines = params.read(path).get("datasets") or {}
    if dataset not in lines:
        hint = nearest(dataset, list(lines))
        raise BadParams(f"{path}: datasets has no '{dataset}'; {hint}known: {', '.join(lines)}")
    name = (lines[dataset] or {}).get("detector")
    if name is None:
        known = ", ".join(registry.names("detectors"))
        raise BadParams(f"{path}: datasets.{dataset} names no detector; known: {known}")
    return str(name)
