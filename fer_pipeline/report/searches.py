"""Where tune and ablate put what they find, for the page to point at.

It does not hold it: the page depends on no folder that a study without searches lacks, and a search
that takes a day does not keep the page waiting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_pipeline import params

FILES: Final = {
    "tune": ("history.png", "importance.png", "parallel.png", "trials.csv"),
    "ablate": ("differences.png", "differences.csv"),
}
"""Stage -> files of its plots."""

STAGES: Final = {
    "studies": "tune", "clip_studies": "tune", "ablations": "ablate", "clip_ablations": "ablate",
}  # fmt: skip
"""Axis -> its stage."""


@dataclass(frozen=True, slots=True)
class Search:
    """A line of one of these axes: its stage, and files relative to the folder plots."""

    stage: str
    model: str
    source: str
    files: Sequence[str]


def searches(params_file: Path) -> list[Search]:
    """The lines of all these axes, studies first.

    Raises: BadParams.
    """
    found = []
    for axis, stage in STAGES.items():
        for model, line in params.axis(params_file, axis).items():
            folder = f"{stage}/{model}-{line['source']}"
            places = [f"{folder}/{name}" for name in FILES[stage]]
            found.append(Search(stage, model, line["source"], places))
    return found
