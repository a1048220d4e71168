"""What evaluate says: folds in words, intervals that are not there, uses of test sets."""

from fer_pipeline.evaluate import console


def entry(accuracy: float, **given) -> dict:
    score = {"value": accuracy, "sd": None, "low": None, "high": None}
    return {
        "rows": 5,
        "persons": None,
        "folds": None,
        "absent": [],
        "coverage": {"asked": 5, "evaluated": 5},
        "scores": dict.fromkeys(console.TOLD, score),
        "accuracies": {"leak_free": {"accuracy": accuracy}},
    } | given


def test_repeats_beyond_the_folds_are_said_in_words():
    assert console.in_words({"tested": 2, "all": 10, "again": 0}) == "2 of 10 folds tested"
    told = console.in_words({"tested": 10, "all": 10, "again": 2})
    assert told == "10 of 10 folds tested, 2 more repeats test one of them again, with another seed"


def test_a_missing_interval_is_a_dash():
    given = {"jaffe": entry(0.8, folds={"tested": 1, "all": 10, "again": 0}, persons=1)}
    lines = console.table("jaffe", given, 0.95)
    assert lines[1].split()[:5] == ["jaffe", "*", "5", "80.0", "-"]
    assert lines[2:] == [
        "jaffe: 1 of 10 folds tested",
        "jaffe: 1 persons, whom the intervals are over",
    ]


def test_the_headline_has_the_same_keys_for_every_run():
    own, both = {"a": entry(0.5)}, {"a": entry(0.5), "b": entry(0.2), "c": entry(0.4)}
    keys = ("rows", "accuracy", "mean_class_accuracy", "macro_f1")
    assert console.headline("a", own) == {
        "own": dict(zip(keys, (5, 0.5, 0.5, 0.5), strict=True)),
        "others": {"sets": 0},
    }
    assert console.headline("a", both)["others"] == {"sets": 2, "accuracy": 0.3}


def test_uses_are_those_of_this_run_alone():
    times = {("m", "s", "t"): 3, ("m", "s", "u"): 1, ("m", "r", "t"): 9, ("n", "s", "t"): 9}
    assert console.uses("m", "s", 2, times).endswith("different weights: t 3, u 1")
