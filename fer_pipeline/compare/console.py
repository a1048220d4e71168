"""What the compare stage says on stdout and keeps as metrics."""

from collections.abc import Mapping, Sequence
from typing import Any


def headline(pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """source -> target -> "a - b" -> difference, its interval, and the p-values there are."""
    found: dict[str, Any] = {}
    for pair in pairs:
        numbers = {name: round(pair[name], 4) for name in ("difference", "low", "high")}
        tests = {
            "mcnemar_p_holm": pair["mcnemar"][0].get("p_holm"),
            "corrected_t_p": pair["repeats"]["corrected_t"].get("p"),
        }
        numbers |= {name: _rounded(p) for name, p in tests.items() if p is not None}
        targets = found.setdefault(pair["source"], {})
        targets.setdefault(pair["target"], {})[f"{pair['a']} - {pair['b']}"] = numbers
    return found


def table(results: Mapping[str, Any]) -> list[str]:
    """Lines for people: each pair on its source's own test set, then all models at once."""
    own = [pair for pair in results["pairs"] if pair["source"] == pair["target"]]
    lines = ["Differences of accuracy on the own test set, percentage points"]
    width = max([len(_name(pair)) for pair in own], default=4)
    if own:
        lines.append(
            f"{'source':<12}{'pair':<{width}}{'items':>7}{'diff':>7}{'interval':>16}"
            f"{'McNemar p':>12}{'Holm':>11}{'could find':>12}   over repeats, corrected t"
        )
    for pair in own:
        lines.append(_line(pair, width))
    others = [pair for pair in results["pairs"] if pair["source"] != pair["target"]]
    clear = sum(pair["low"] > 0 or pair["high"] < 0 for pair in others)
    if others:
        lines.append(f"on other test sets: {clear} of {len(others)} intervals leave out 0")
    if not results["pairs"]:
        lines.append("not possible: no two models were trained on the same source")
    for entry in results["many"]:
        if entry["over"] != "repeats":
            lines += _all_at_once(entry)
    return lines


def _line(pair: Mapping[str, Any], width: int) -> str:
    test, corrected = pair["mcnemar"][0], pair["repeats"]["corrected_t"]
    interval = f"{100 * pair['low']:+.1f} to {100 * pair['high']:+.1f}"
    if "p" in test:
        found = f"{test['p']:>12.3g}{test['p_holm']:>11.3g}{100 * test['detectable']:>12.1f}"
    else:
        found = f"{'-':>12}{'-':>11}{'-':>12}"
    last = f"p = {corrected['p']:.3g}" if "p" in corrected else corrected["why"]
    return (
        f"{pair['source']:<12}{_name(pair):<{width}}{pair['items']:>7}"
        f"{100 * pair['difference']:>+7.1f}{interval:>16}{found}   {last}"
    )


def _all_at_once(entry: Mapping[str, Any]) -> list[str]:
    order = sorted(entry["means"], key=lambda name: -entry["means"][name])
    ranks = entry["ranks"]
    means = ", ".join(
        f"{name} {100 * entry['means'][name]:.1f}"
        + (f" (rank {ranks[name]:.2f})" if name in ranks else "")
        for name in order
    )
    lines = [f"All on {entry['blocks']} pairs of source and target: {means}"]
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
    return lines + [f"  note: {note}" for note in entry["notes"]]


def _name(pair: Mapping[str, Any]) -> str:
    return f"{pair['a']} - {pair['b']}"


def _rounded(p: float) -> float:
    return float(f"{p:.3g}")
