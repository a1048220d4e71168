"""What the comparison of models says, in plain words."""

from collections.abc import Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]

BETTER, WORSE, HINT, EVEN = "better", "worse", "hint", "even"


def outcome(entry: Entry, alpha: float) -> str:
    """better or worse: a differs from b by McNemar (Holm) and by the interval of the difference,
    both for the same model; hint: by one of the two, or each for the other model; else even.

    McNemar's test may be of one repeat where the interval is over all: they can contradict.
    """
    test = entry["mcnemar"][0]
    by_test = "p_holm" in test and test["p_holm"] < alpha
    by_interval = entry["low"] is not None and (entry["low"] > 0 or entry["high"] < 0)
    if by_test and by_interval and (test["only_a"] - test["only_b"]) * entry["difference"] > 0:
        return BETTER if entry["difference"] > 0 else WORSE
    return HINT if by_test or by_interval else EVEN


def sentences(target: str, entries: Sequence[Entry], alpha: float, power: float) -> str:
    """The verdicts on all pairs of models on one test set."""
    parts = []
    found = [(entry, outcome(entry, alpha)) for entry in entries]
    for entry, kind in found:
        if kind in (BETTER, WORSE):
            a, b = _ordered(entry)
            low, high = sorted((abs(entry["low"]), abs(entry["high"])))
            parts.append(
                f"{a} is better than {b} by {_gap(entry)} (interval {low * 100:.1f} to "
                f"{high * 100:.1f}; McNemar on {entry['mcnemar'][0]['on']}, "
                f"{_p(entry['mcnemar'][0], 'p_holm')} after Holm)"
            )
    hints = [entry for entry, kind in found if kind == HINT]
    if hints:
        pairs = ", ".join(
            f"{' over '.join(_ordered(entry))} by {_gap(entry)} "
            f"({_p(entry['mcnemar'][0], 'p_holm')} after Holm)"
            for entry in hints
        )
        parts.append(f"unclear, as interval and McNemar's test do not agree: {pairs}")
    even = [entry for entry, kind in found if kind == EVEN]
    if even:
        pairs = ", ".join(" and ".join(_ordered(entry)) for entry in even)
        parts.append(f"no difference is shown between {pairs}{_reach(even, power)}")
    return f"{target}: {'; '.join(parts)}."


def _reach(entries: Sequence[Entry], power: float) -> str:
    """What would have been found, for pairs that do not differ demonstrably."""
    known = [entry["mcnemar"][0].get("detectable") for entry in entries]
    points = sorted(value * 100 for value in known if value is not None)
    if not points:
        same = all("p" not in entry["mcnemar"][0] for entry in entries)
        return " (they are right on the same items)" if same else " (nor could any be on so few)"
    span = f"{points[0]:.1f}"
    if f"{points[-1]:.1f}" != span:
        span += f" to {points[-1]:.1f}"
    return f" (one of {span} points would have been found with {power * 100:.0f} % probability)"


def _ordered(entry: Entry) -> tuple[str, str]:
    a, b = entry["a"], entry["b"]
    return (b, a) if entry["difference"] < 0 else (a, b)


def _gap(entry: Entry) -> str:
    return f"{abs(entry['difference']) * 100:.1f} points"


def over_blocks(entry: Entry, alpha: float, together: Sequence[tuple[str, str]] = ()) -> str:
    """The verdict on several models over own test sets as blocks; none over too few of them, or
    where two hold the same pictures and so are no two blocks (together: such sets).
    """
    names = sorted(entry["models"], key=lambda name: -entry["means"][name])
    listed = ", ".join(f"{name} {entry['means'][name] * 100:.1f}" for name in names)
    head = f"Mean accuracy over {entry['blocks']} own test {_sets(entry['blocks'])}: {listed}."
    if not entry["enough"]:
        return f"{head} So few sets allow no verdict on all models at once."
    for a, b in together:
        if a in entry["names"] and b in entry["names"]:
            return f"{head} No verdict: {a} and {b} hold the same pictures, so they are one block."
    friedman = entry["friedman"]
    if "p" in friedman:
        differ = "differ" if friedman["p"] < alpha else "do not differ demonstrably"
        return f"{head} The models {differ} (Friedman {_p(friedman)})."
    tests = [test for test in entry["wilcoxon"] if "p_holm" in test]
    if tests:
        differ = "differ" if tests[0]["p_holm"] < alpha else "do not differ demonstrably"
        return f"{head} The two {differ} (Wilcoxon {_p(tests[0], 'p_holm')})."
    return head


def _sets(count: int) -> str:
    return "set" if count == 1 else "sets"


def _p(test: Entry, key: str = "p") -> str:
    if key not in test:
        return "not possible"
    return "p < 0.001" if test[key] < 0.001 else f"p = {test[key]:.3f}"
