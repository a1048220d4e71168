"""Studies of parameters and of parts, for the page: what tune and ablate found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_pipeline import params
from fer_pipeline.errors import MissingData
from fer_pipeline.report.files import read_csv, read_json

COLUMNS = ("variant", "points", "low", "high", "p_holm")


@dataclass(frozen=True, slots=True)
class Tuned:
    """One search for parameters: its metrics, and its pictures by name."""

    model: str
    source: str
    found: Mapping[str, Any]
    pictures: Mapping[str, Path]

    @property
    def values(self) -> Sequence[tuple[str, str, str]]:
        """Key, best value, share of what makes scores differ; what matters most first."""
        shares = self.found["importance"]
        keys = sorted(self.found["values"], key=lambda key: (-shares.get(key, 0.0), key))
        return [(key, self._shown(key), f"{shares[key]:.0%}" if shares else "–") for key in keys]

    def _shown(self, key: str) -> str:
        value = self.found["values"][key]
        return f"{value:.3g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Ablated:
    """One ablation: its metrics, the rows of its differences as text, its picture."""

    model: str
    source: str
    found: Mapping[str, Any]
    differences: Sequence[Mapping[str, str]]
    picture: Path


def tuned(params_file: Path, metrics: Path, plots: Path) -> list[Tuned]:
    """The searches of the axis `studies`.

    Raises: MissingData, BadManifest, BadParams.
    """
    return [
        Tuned(
            model,
            source,
            read_json(metrics / "tune" / f"{model}-{source}.json", "tune"),
            {
                name: _there(plots / "tune" / f"{model}-{source}" / f"{name}.png", "tune")
                for name in ("history", "importance", "parallel")
            },
        )
        for model, source in _lines(params_file, "studies")
    ]


def ablated(params_file: Path, metrics: Path, plots: Path) -> list[Ablated]:
    """The ablations of the axis of that name.

    Raises: MissingData, BadManifest, BadParams.
    """
    found = []
    for model, source in _lines(params_file, "ablations"):
        folder = plots / "ablate" / f"{model}-{source}"
        told = read_json(metrics / "ablate" / f"{model}-{source}.json", "ablate")
        rows = read_csv(folder / "differences.csv", "ablate", COLUMNS)
        picture = _there(folder / "differences.png", "ablate")
        found.append(Ablated(model, source, told, rows, picture))
    return found


def _lines(params_file: Path, axis: str) -> list[tuple[str, str]]:
    return [(model, line["source"]) for model, line in params.axis(params_file, axis).items()]


def _there(path: Path, stage: str) -> Path:
    if not path.is_file():
        raise MissingData(f"{path} is not there; `dvc repro {stage}` makes it")
    return path
