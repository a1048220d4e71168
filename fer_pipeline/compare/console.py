"""What the compare stage says on stdout and keeps as metrics."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

REPEATED: Final = (
    ("t", "t", "p"),
    ("corrected_t", "corrected t", "p"),
    ("corrected_t", "Holm", "p_holm"),
    ("wilcoxon", "Wilcoxon", "p"),
    ("wilcoxon", "Holm", "p_holm"),
    ("shapiro", "Shapiro", "p"),
)
"""Test over repeats, its heading, and which p."""


def headline(pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """source -> "a - b" -> difference on the own test set, and McNemar's corrected p where there
    is one; all else is in the full results.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        if pair["source"] == pair["target"]:
            numbers = {"difference": round(pair["difference"], 4)}
            if "p_holm" in pair["mcnemar"][0]:
                numbers["mcnemar_p_holm"] = float(f"{pair['mcnemar'][0]['p_holm']:.3g}")
            found.setdefault(pair["source"], {})[_name(pair)] = numbers
    return found


def table(results: Mapping[str, Any]) -> list[str]:
    """Lines for people: each pair on its source's own test set, then all models at once."""
    if not results["pairs"]:
        return ["not possible: no two models were trained on the same source"]
    own = [pair for pair in results["pairs"] if pair["source"] == pair["target"]]
    lines = [*_pairs(own), *_over_repeats(own)] if own else []
    others = [pair for pair in results["pairs"] if pair["source"] != pair["target"]]
    known = [pair for pair in others if pair["low"] is not None]
    clear = sum(pair["low"] > 0 or pair["high"] < 0 for pair in known)
    if others:
        lines.append(f"on other test sets: {clear} of {len(others)} intervals leave out 0")
    for entry in results["many"]:
        if entry["over"] != "repeats":
            lines += _all_at_once(entry)
    return lines


def _pairs(own: Sequence[Mapping[str, Any]]) -> list[str]:
    width = max(len(_name(pair)) for pair in own)
    lines = [
        "Differences of accuracy on the own test set, percentage points",
        f"{'source':<12}{'pair':<{width}}{'items':>7}{'persons':>9}{'diff':>7}{'interval':>16}"
        f"{'McNemar p':>12}{'Holm':>11}{'could find':>12}   McNemar on",
    ]
    for pair in own:
        test = pair["mcnemar"][0]
        interval = "-"
        if pair["low"] is not None:
            interval = f"{100 * pair['low']:+.1f} to {100 * pair['high']:+.1f}"
        found = f"{100 * test['detectable']:.1f}" if "detectable" in test else "-"
        lines.append(
            f"{pair['source']:<12}{_name(pair):<{width}}{pair['items']:>7}"
            f"{pair['persons'] or '-':>9}{100 * pair['difference']:>+7.1f}{interval:>16}"
            f"{_p(test, 'p'):>12}{_p(test, 'p_holm'):>11}{found:>12}   {test['on']}"
        )
    return lines + _reasons(pair["mcnemar"][0] for pair in own)


def _over_repeats(own: Sequence[Mapping[str, Any]]) -> list[str]:
    width = max(len(_name(pair)) for pair in own)
    heads = "".join(f"{head:>13}" for _, head, _ in REPEATED)
    lines = [
        "The same over repeats, p values",
        f"{'source':<12}{'pair':<{width}}{'repeats':>9}{heads}",
    ]
    for pair in own:
        tests = pair["repeats"]
        cells = "".join(f"{_p(tests[name], key):>13}" for name, _, key in REPEATED)
        lines.append(f"{pair['source']:<12}{_name(pair):<{width}}{tests['n']:>9}{cells}")
    notes = dict.fromkeys(note for pair in own for note in pair["repeats"]["notes"])
    told = [pair["repeats"][name] for pair in own for name, _, _ in REPEATED]
    return [*lines, *_reasons(told), *(f"  note: {note}" for note in notes)]


def _reasons(tests: Iterable[Mapping[str, Any]]) -> list[str]:
    found = [test[key] for test in tests for key in ("why", "why_none") if key in test]
    return [f"  -: {why}" for why in dict.fromkeys(found)]


def _p(test: Mapping[str, Any], key: str) -> str:
    return f"{test[key]:.3g}" if key in test else "-"


def _all_at_once(entry: Mapping[str, Any]) -> list[str]:
    order = sorted(entry["means"], key=lambda name: -entry["means"][name])
    ranks = entry["ranks"]
    means = ", ".join(
        f"{name} {100 * entry['means'][name]:.1f}"
        + (f" (rank {ranks[name]:.2f})" if name in ranks else "")
        for name in order
    )
    lines = [f"All on {entry['blocks']} own test sets: {means}"]
    for key, name in (
        ("anova", "one-way ANOVA"),
        ("rm_anova", "repeated-measures ANOVA"),
        ("sphericity", "Mauchly's sphericity"),
        ("friedman", "Friedman"),
    ):
        test = entry[key]
        told = f"p = {test['p']:.3g}" if "p" in test else test["why"]
        if "p_corrected" in test:
            told += f", Greenhouse-Geisser corrected {test['p_corrected']:.3g}"
        lines.append(f"  {name:<24}{told}")
    for test in entry["wilcoxon"]:
        told = f"p = {test['p']:.3g}, Holm {test['p_holm']:.3g}" if "p" in test else test["why"]
        lines.append(f"  Wilcoxon {_name(test)}: {told}")
    lines += [f"  note: {note}" for note in entry["notes"]]
    return lines + ([] if entry["diagram"]["drawn"] else [f"  note: {entry['diagram']['why']}"])


def _name(pair: Mapping[str, Any]) -> str:
    return f"{pair['a']} - {pair['b']}"
