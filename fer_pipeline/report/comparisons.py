"""The page's section on tests: verdicts in words, and the tables behind them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from fer_pipeline.report import verdicts
from fer_pipeline.report.verdicts import BETTER, EVEN, HINT, WORSE, Entry, outcome

BLOCKS = {"repeats": "repeats", "own test sets": "own test sets"}


REPEATED = (
    ("t", "p"),
    ("corrected_t", "p"),
    ("corrected_t", "p_holm"),
    ("wilcoxon", "p"),
    ("wilcoxon", "p_holm"),
    ("shapiro", "p"),
)
"""Test over repeats, and which p, column by column."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of ready texts; the first `texts` columns are words, the others numbers."""

    title: str
    note: str
    header: Sequence[str]
    texts: int
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Told:
    """What the page says about the comparison."""

    sentences: Sequence[str]
    tables: Sequence[Table]


def told(comparison: Entry, across: Mapping[str, Any]) -> Told:
    """Verdicts on own test sets pair by pair, counts elsewhere, tests of all models at once.

    across: what validate says about pictures that several datasets share.
    """
    alpha = 1 - comparison["confidence"]
    own = [entry for entry in comparison["pairs"] if entry["source"] == entry["target"]]
    foreign = [entry for entry in comparison["pairs"] if entry["source"] != entry["target"]]
    groups = [
        entry for entry in comparison["many"]
        if entry["over"] != "repeats" or entry["source"] == entry["target"]
    ]  # fmt: skip
    if not comparison["pairs"]:
        return Told(["There is only one model per dataset: nothing to compare."], [])
    said = [
        verdicts.sentences(
            target,
            [entry for entry in own if entry["target"] == target],
            alpha,
            comparison["power"],
        )
        for target in dict.fromkeys(entry["target"] for entry in own)
    ]
    for entry in groups:
        if entry["over"] != "repeats":
            said.append(verdicts.over_blocks(entry, alpha, together(entry["names"], across)))
            if not entry["diagram"]["drawn"]:
                why = entry["diagram"]["why"]
                said.append(f"{why[:1].upper()}{why[1:]}.")
    tables = [_pairs(own, alpha, comparison), _repeats(own, alpha)]
    if foreign:
        tables.append(_counts(foreign, alpha))
    tables.append(_many(groups, comparison))
    return Told(
        [*said, *(f"{note[:1].upper()}{note[1:]}." for note in comparison["notes"])],
        [table for table in tables if table.rows],
    )


def together(names: Sequence[str], across: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of the named datasets that hold the same pictures."""
    return [(a, b) for a, b in permutations(names, 2) if across.get(f"pictures_in_{a}_and_{b}")]


def _pairs(entries: Sequence[Entry], alpha: float, comparison: Entry) -> Table:
    rows = [
        [
            entry["target"],
            f"{entry['a']} vs {entry['b']}",
            {BETTER: f"{entry['a']} better", WORSE: f"{entry['b']} better", HINT: "unclear",
             EVEN: "no difference shown"}[outcome(entry, alpha)],
            f"{entry['accuracy_a'] * 100:.1f}",
            f"{entry['accuracy_b'] * 100:.1f}",
            _points(entry["difference"]),
            _interval(entry),
            _number(entry["mcnemar"][0], "p"),
            _number(entry["mcnemar"][0], "p_holm"),
            _share(entry["mcnemar"][0], "smallest_significant"),
            _share(entry["mcnemar"][0], "detectable"),
            entry["mcnemar"][0]["on"].partition(" ")[2],
            f"{entry['items']:,}" + (f" ({entry['persons']:,})" if entry["persons"] else ""),
        ]
        for entry in entries
    ]  # fmt: skip
    header = ("test set", "a vs b", "verdict", "a", "b", "a − b", "interval", "McNemar p", "Holm p",
              "smallest significant", "detectable", "on repeat", "items")  # fmt: skip
    note = (
        "Accuracies in percent, differences in points. Interval: paired bootstrap over all "
        "repeats, of persons where one has several items (number in brackets), else of items; "
        "–: no resample differs. McNemar: on all items where folds share none, else on the first "
        "repeat; exact under 25 discordant items. A model is called better only where interval and "
        "test say so of the same one. Smallest significant: the difference at which that test just "
        f"turns significant; detectable: the one it finds with {comparison['power'] * 100:.0f} % "
        "probability; –: none at all, with so few discordant items."
    )
    return Table("Pair by pair, on the own test set", note, header, 3, rows)


def _repeats(entries: Sequence[Entry], alpha: float) -> Table:
    rows = [
        [
            entry["target"],
            f"{entry['a']} vs {entry['b']}",
            str(entry["repeats"]["n"]),
            _points(entry["difference"]),
            *(_number(entry["repeats"][name], key) for name, key in REPEATED),
            _share(entry["repeats"]["corrected_t"], "smallest_significant"),
        ]
        for entry in entries
        if entry["repeats"]["n"] > 1
    ]  # fmt: skip
    notes = {note for entry in entries for note in entry["repeats"]["notes"]}
    note = (
        "p values of tests on one difference per repeat (or fold). The paired t-test is too sure "
        "of itself, as repeats share training rows; the corrected one (Nadeau and Bengio) is not. "
        "Holm: corrected for the number of pairs on that test set. "
        "Shapiro: a small value says that the differences are not normal. –: too few repeats. "
    )
    header = ("test set", "a vs b", "repeats", "a − b", "paired t", "corrected t", "Holm",
              "Wilcoxon", "Holm", "Shapiro", "smallest significant (corrected t)")  # fmt: skip
    return Table(
        "Over repeats", note + " ".join(f"{each}." for each in sorted(notes)), header, 2, rows
    )


def _counts(entries: Sequence[Entry], alpha: float) -> Table:
    pairs = dict.fromkeys((entry["a"], entry["b"]) for entry in entries)
    rows = []
    for a, b in pairs:
        mine = [entry for entry in entries if (entry["a"], entry["b"]) == (a, b)]
        found = Counter(outcome(entry, alpha) for entry in mine)
        mean = sum(entry["difference"] for entry in mine) / len(mine)
        counts = [str(found[name]) for name in (BETTER, WORSE, HINT, EVEN)]
        rows.append([f"{a} vs {b}", *counts, str(len(mine)), _points(mean)])
    header = (
        "a vs b",
        "a better",
        "b better",
        "unclear",
        "no difference shown",
        "of",
        "mean a − b",
    )
    note = "The same verdicts on test sets of other datasets, counted."
    return Table("Across datasets", note, header, 1, rows)


def _many(entries: Sequence[Entry], comparison: Entry) -> Table:
    rows = []
    for entry in entries:
        place = entry.get("target", "all")
        ranks = ", ".join(f"{name} {rank:.2f}" for name, rank in entry["ranks"].items())
        rows.append(
            [
                place,
                f"{entry['blocks']} {BLOCKS[entry['over']]}",
                ranks or "–",
                *(_number(entry[name], "p") for name in ("anova",)),
                _number(entry["rm_anova"], "p_corrected"),
                _number(entry["sphericity"], "p"),
                _number(entry["friedman"], "p"),
                _rank(entry["nemenyi"]),
            ]
        )
    notes = sorted({note for entry in entries for note in entry["notes"]})
    header = ("test set", "blocks", "mean ranks (1 is best)", "ANOVA p", "repeated measures p",
              "sphericity p", "Friedman p", "critical difference")  # fmt: skip
    note = (
        "Over repeats: the chance in training alone, on one and the same test set. "
        "Repeated measures with the Greenhouse-Geisser correction. Critical difference: of mean "
        "ranks, Nemenyi. –: not possible with so few models or blocks. "
    )
    return Table(
        "All models at once",
        note + " ".join(f"{n[:1].upper()}{n[1:]}." for n in notes),
        header,
        3,
        rows,
    )


def _interval(entry: Entry) -> str:
    if entry["low"] is None:
        return "–"
    return f"{_points(entry['low'])} to {_points(entry['high'])}"


def _points(share: float) -> str:
    return f"{share * 100:+.1f}".replace("-", "−")


def _number(test: Entry, key: str) -> str:
    if key not in test:
        return "–"
    return "<0.001" if test[key] < 0.001 else f"{test[key]:.3f}"


def _share(test: Entry, key: str) -> str:
    if key not in test:
        return "–"
    return f"{test[key] * 100:.1f}" if test[key] < 1 else "over 100"


def _rank(test: Entry) -> str:
    return f"{test['critical_difference']:.2f}" if "critical_difference" in test else "–"
