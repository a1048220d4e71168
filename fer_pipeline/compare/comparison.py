"""All comparisons of the trained runs: pair by pair on each test set, and all at once."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from fer_pipeline.compare import many, pairs
from fer_pipeline.compare.answers import Answers, Runs, in_common
from fer_pipeline.compare.params import CompareParams
from fer_pipeline.compare.repeats import over_repeats
from fer_pipeline.seeds import derive


def compare(runs: Runs, settings: CompareParams) -> dict[str, Any]:
    """Plain JSON values.

    pairs    one entry for two models trained on one source, on one target
    many     one entry per set of models that answer the same items: over the repeats of each
             source and target, and `across` them with the mean over repeats as a block's score,
             for repeats of one run are no independent blocks
    """
    found = []
    for (source, target), models in runs.items():
        entries = [
            pair(source, target, a, b, models[a], models[b], settings)
            for a, b in combinations(models, 2)
            if in_common(models[a], models[b])
        ]
        found += _with_holm(entries)
    results = {
        "confidence": settings.confidence,
        "resamples": settings.resamples,
        "power": settings.power,
        "pairs": found,
        "many": [*_within(runs, settings.confidence), *_across(runs, settings.confidence)],
        "notes": [
            "bootstrap intervals and McNemar's test tell the chance in the choice of test items, "
            "tests over repeats the chance in training (or of the fold); where repeats share their "
            "test items, McNemar's headline is that of the first repeat",
            "McNemar and bootstrap take test items as independent; frames of one clip and pictures "
            "of one person are not quite, so their intervals are somewhat too narrow",
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


def pair(
    source: str,
    target: str,
    a: str,
    b: str,
    first: Mapping[int, Answers],
    second: Mapping[int, Answers],
    settings: CompareParams,
) -> dict[str, Any]:
    """Everything about two models on one target; `difference` is accuracy of a minus that of b."""
    parts = in_common(first, second)
    seed = derive(settings.seed, source, target, a, b)
    value, low, high = pairs.difference(parts, settings.confidence, settings.resamples, seed)
    tested = float(np.mean([len(mine.ids) for _, mine, _ in parts]))
    trained = float(np.mean([one.trained for _, *both in parts for one in both]))
    gaps = [mine.accuracy - theirs.accuracy for _, mine, theirs in parts]
    return {
        "source": source,
        "target": target,
        "a": a,
        "b": b,
        "items": len(np.unique(np.concatenate([mine.ids for _, mine, _ in parts]))),
        "accuracy_a": float(np.mean([mine.accuracy for _, mine, _ in parts])),
        "accuracy_b": float(np.mean([theirs.accuracy for _, _, theirs in parts])),
        "difference": value,
        "low": low,
        "high": high,
        "mcnemar": pairs.mcnemars(parts, settings.confidence, settings.power),
        "repeats": over_repeats(gaps, tested / trained, settings.confidence),
    }


def _with_holm(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Corrects the first McNemar test of each entry for the number of pairs on this test set."""
    first = many.holm([entry["mcnemar"][0] for entry in entries])
    return [
        entry | {"mcnemar": [test, *entry["mcnemar"][1:]]}
        for entry, test in zip(entries, first, strict=True)
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


def _across(runs: Runs, confidence: float) -> list[dict[str, Any]]:
    blocks: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for (source, target), models in runs.items():
        for family in _families(models):
            means = [
                float(np.mean([part.accuracy for part in models[name].values()])) for name in family
            ]
            blocks.setdefault(tuple(family), {})[f"{source} on {target}"] = means
    return [
        {"over": "source and target", "names": list(scores)}
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
