"""Which results fell: the summary of one commit against another's.

`python -m flows.gate --against main` exits 1 when a result fell below what its interval allows.
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_pipeline import errors
from fer_pipeline.errors import BadParams, MissingData, UnknownName, nearest
from fer_pipeline.report.show import Summary, read
from flows import process

SUMMARY: Final = "metrics/summary.json"


@dataclass(frozen=True)
class Drop:
    """A result that fell: `name` is model-source/target, the others are accuracies in [0, 1].

    `low` is the lower end of the earlier result's interval, None where it has none.
    """

    name: str
    before: float
    low: float | None
    after: float

    def __str__(self) -> str:
        low = "" if self.low is None else f", its interval begins at {self.low:.1%}"
        return f"{self.name}: accuracy {self.after:.1%}, before {self.before:.1%}{low}"


def main(argv: Sequence[str] | None = None) -> None:
    """Compares the working tree with a commit; says what fell."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.gate",
        description=__doc__,
        epilog="A result without an interval falls when it is lower at all.",
    )
    parser.add_argument("names", nargs="*", help="MODEL-SOURCE/TARGET; none: every result")
    parser.add_argument("--against", default="main", metavar="COMMIT", help="default: main")
    asked = parser.parse_args(argv)
    with errors.one_line():
        before, after = accepted(Path.cwd(), asked.against), read(Path.cwd() / SUMMARY)
        wanted = chosen(before, asked.names)
        fallen, lost = below_interval(wanted, after), gone(wanted, after)
        if asked.names and lost:
            raise MissingData(f"no accuracy any more of {', '.join(lost)}; run dvc repro report")
    for drop in fallen:
        print(drop)
    for name in lost:
        print(f"{name}: there no more")
    if not fallen:
        print(f"no result fell below its interval at {asked.against}")
    sys.exit(1 if fallen else 0)


def accepted(root: Path, commit: str) -> Summary:
    """The summary as committed; empty where the commit has none.

    Raises: BadParams for an unknown commit.
    """
    known = process.call(root, "git", "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    if known.returncode:
        raise BadParams(f"git knows no commit '{commit}'; fetch it or name another")
    shown = process.call(root, "git", "show", f"{known.stdout.strip()}:{SUMMARY}")
    found: Summary = json.loads(shown.stdout) if shown.returncode == 0 else {}
    return found


def chosen(summary: Summary, names: Sequence[str]) -> Summary:
    """Only the named results; without names all.

    Raises: UnknownName.
    """
    known = [f"{run}/{target}" for run, targets in summary.items() for target in targets]
    for name in names:
        if name not in known:
            raise UnknownName(
                f"no result '{name}'; {nearest(name, known)}known: {', '.join(known)}"
            )
    return {
        run: {
            target: entry
            for target, entry in targets.items()
            if not names or f"{run}/{target}" in names
        }
        for run, targets in summary.items()
    }


def below_interval(before: Summary, after: Summary) -> list[Drop]:
    """Results that are now below the interval they had; without one, below what they were."""
    return [drop for drop in _lower(before, after) if drop.low is None or drop.after < drop.low]


def gone(before: Summary, after: Summary) -> list[str]:
    """Results that had an accuracy and have none any more, or none that is a number."""
    found = []
    for run, targets in before.items():
        for target, entry in targets.items():
            now = after.get(run, {}).get(target, {}).get("accuracy")
            if entry.get("accuracy") is not None and (now is None or not math.isfinite(now)):
                found.append(f"{run}/{target}")
    return found


def by_more_than(before: Summary, after: Summary, points: float) -> list[Drop]:
    """Results whose accuracy fell by more than `points` (0.02: two points)."""
    return [drop for drop in _lower(before, after) if drop.before - drop.after > points]


def _lower(before: Summary, after: Summary) -> list[Drop]:
    found = []
    for run, targets in before.items():
        for target, entry in targets.items():
            now: Mapping[str, float | None] = after.get(run, {}).get(target, {})
            old, new = entry.get("accuracy"), now.get("accuracy")
            if old is not None and new is not None and new < old:
                found.append(Drop(f"{run}/{target}", old, entry.get("low"), new))
    return found


if __name__ == "__main__":
    main()
