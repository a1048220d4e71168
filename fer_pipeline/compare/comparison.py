"""All comparisons of the trained runs: pair by pair on each test set, and all at once."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from fer_pipeline.compare import diagram, many, pairs
from fer_pipeline.compare.answers import Answers, Runs, in_common
from fer_pipeline.compare.params import CompareParams
from fer_pipeline.compare.repeats import over_repeats
from fer_pipeline.seeds import derive


def compare(runs: Runs, settings: CompareParams) -> dict[str, Any]:
    """Plain JSON values.

    pairs    one entry for two models trained on one source, on one target
    many     one entry per set of models that answer the same items: over the repeats of each
             source and target, and over the sources' own test sets, a block being the mean over
             repeats on one. Other targets make no blocks: they are answered by the same trained
             models, or even hold the same pictures, and so are not independent of the own set
    """
    found = []
    for (source, target), models in runs.items():
        entries = [
            pair((source, target), (a, b), models, test_share(runs, source, (a, b)), settings)
            for a, b in combinations(models, 2)
            if in_common(models[a], models[b])
        ]
        found += _with_holm(entries)
    results = {
        "confidence": settings.confidence,
        "resamples": settings.resamples,
        "power": settings.power,
        "pairs": found,
        "many": [*_within(runs, settings.confidence), *_own_sets(runs, settings.confidence)],
        "notes": [
            "bootstrap intervals and McNemar's test tell the chance in the choice of test items, "
            "tests over repeats the chance in training (or of the fold); where repeats share their "
            "test items, McNemar's headline is that of the first repeat",
            "where one person has several items (frames of a clip, pictures of a subject), the "
            "bootstrap draws persons; McNemar's test still takes items as independent and so is "
            "too sure of itself there: it alone decides nothing",
        ],
    }
    tidied: dict[str, Any] = tidy(results)
    return tidied


def tidy(value: Any) -> Any:
    """The JSON values with floats to 6 significant digits, beyond which machines differ."""
    if isinstance(value, dict):
        return {key: tidy(part) for key, part in value.items()}
    if isinstance(value, list):
        return [tidy(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def test_share(runs: Runs, source: str, names: tuple[str, str]) -> float | None:
    """Rows of the source's own test set over rows trained on; None where it tests none.

    The same for every target, for no other set is ever resampled.
    """
    own = runs.get((source, source), {})
    parts = in_common(*(own.get(name, {}) for name in names))
    if not parts:
        return None
    tested = float(np.mean([len(mine.ids) for _, mine, _ in parts]))
    return tested / float(np.mean([one.trained for _, *both in parts for one in both]))


def pair(
    place: tuple[str, str],
    names: tuple[str, str],
    models: Mapping[str, Mapping[int, Answers]],
    share: float | None,
    settings: CompareParams,
) -> dict[str, Any]:
    """Everything about models a and b at a place (source, target); share: see `test_share`.

    `difference` is accuracy of a minus that of b; persons: how many, where one has several items.
    """
    (source, target), (a, b) = place, names
    parts = in_common(models[a], models[b])
    seed = derive(settings.seed, source, target, a, b)
    value, low, high = pairs.difference(parts, settings.confidence, settings.resamples, seed)
    gaps = [mine.accuracy - theirs.accuracy for _, mine, theirs in parts]
    items = len(np.unique(np.concatenate([mine.ids for _, mine, _ in parts])))
    persons = len(np.unique(np.concatenate([mine.person for _, mine, _ in parts])))
    return {
        "source": source,
        "target": target,
        "a": a,
        "b": b,
        "items": items,
        "persons": persons if persons < items else None,
        "accuracy_a": float(np.mean([mine.accuracy for _, mine, _ in parts])),
        "accuracy_b": float(np.mean([theirs.accuracy for _, _, theirs in parts])),
        "difference": value,
        "low": low,
        "high": high,
        "mcnemar": pairs.mcnemars(parts, settings.confidence, settings.power),
        "repeats": over_repeats(gaps, share, settings.confidence),
    }


def _with_holm(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Corrects the first McNemar test, corrected t and Wilcoxon of each entry for the number of
    pairs on this test set.
    """
    first = many.holm([entry["mcnemar"][0] for entry in entries])
    over = {
        name: many.holm([entry["repeats"][name] for entry in entries])
        for name in ("corrected_t", "wilcoxon")
    }
    return [
        entry
        | {"mcnemar": [first[place], *entry["mcnemar"][1:]]}
        | {"repeats": entry["repeats"] | {name: tests[place] for name, tests in over.items()}}
        for place, entry in enumerate(entries)
    ]


def _within(runs: Runs, confidence: float) -> list[dict[str, Any]]:
    found = []
    for (source, target), models in runs.items():
        for family in _families(models):
            repeats = sorted(set.intersection(*(set(models[name]) for name in family)))
            scores = [[models[name][repeat].accuracy for name in family] for repeat in repeats]
            if len(family) > 1:
                place = {"source": source, "target": target, "over": "repeats"}
                names = [f"repeat {repeat}" for repeat in repeats]
                table = np.array(scores).reshape(len(repeats), len(family))
                found.append(place | {"names": names} | many.many(family, table, confidence))
    return found


def _own_sets(runs: Runs, confidence: float) -> list[dict[str, Any]]:
    blocks: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for (source, target), models in runs.items():
        for family in _families(models) if source == target else []:
            means = [
                float(np.mean([part.accuracy for part in models[name].values()])) for name in family
            ]
            blocks.setdefault(tuple(family), {})[source] = means
    return [
        {
            "over": "own test sets",
            "names": list(scores),
            "enough": len(scores) >= many.FEW_BLOCKS,
            "diagram": diagram.possible(len(scores), len(family)),
        }
        | many.many(family, np.array(list(scores.values())), confidence)
        for family, scores in blocks.items()
        if len(family) > 1
    ]


def _families(models: Mapping[str, Mapping[int, Answers]]) -> list[list[str]]:
    """Groups of models that answer the same items: stills apart from clips."""
    families: list[list[str]] = []
    for name, repeats in models.items():
        for family in families:
            if _same_items(models[family[0]], repeats):
                family.append(name)
                break
        else:
            families.append([name])
    return families


def _same_items(first: Mapping[int, Answers], second: Mapping[int, Answers]) -> bool:
    shared = set(first) & set(second)
    return bool(shared) and all(
        np.array_equal(first[repeat].ids, second[repeat].ids) for repeat in shared
    )
