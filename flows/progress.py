"""How far a stage is, read from what it prints."""

import re
from dataclasses import dataclass
from typing import Final

_EPOCH: Final = re.compile(r"^epoch +(\d+)/(\d+)\b")
_BAR: Final = re.compile(r"^(?:(?P<what>[^|]*?):? +)?\d+%\|.*\| *(?P<done>\S+)/(?P<all>\S+) \[")
_COUNT: Final = re.compile(r"^(?P<what>[^|]*?): (?P<done>[\d.]+[kMG]?)(?: ?\w+)? \[")
_ADVICE: Final = (
    "To track the changes with git, run:",
    "git add ",
    "To enable auto staging, run:",
    "dvc config core.autostage true",
    "Use `dvc push` to send your updates",
)
_SCALES: Final = {"k": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True)
class Progress:
    """A share in [0, 1] and what it is a share of."""

    share: float
    what: str


def of(line: str) -> Progress | None:
    """The progress that a line tells: an epoch's line, or one state of a tqdm bar."""
    if found := _EPOCH.match(line):
        epoch, last = int(found[1]), int(found[2])
        return Progress(min(epoch / last, 1.0) if last else 0.0, f"epoch {epoch} of {last}")
    if found := _BAR.match(line):
        done, whole = _number(found["done"]), _number(found["all"])
        return Progress(min(done / whole, 1.0) if whole else 0.0, found["what"] or "")
    return None


def is_bar(line: str) -> bool:
    """True for states of a bar: many a second, worth showing and not worth keeping."""
    return bool(_BAR.match(line) or _COUNT.match(line))


def is_advice(line: str) -> bool:
    """True for what DVC advises after each stage; among many it would bury what a stage says."""
    return line.lstrip().startswith(_ADVICE)


def _number(text: str) -> float:
    scale = _SCALES.get(text[-1], 1.0)
    digits = text.rstrip("kMG")
    return float(digits) * scale if re.fullmatch(r"\d+(\.\d+)?", digits) else 0.0
