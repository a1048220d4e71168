import pytest

from fer_pipeline.protocol import Protocol
from fer_pipeline.report.overview import (
    classes,
    in_words,
    looks,
    protocols,
    shared,
    statuses,
    uses,
    verdict,
)
from fer_pipeline.report.study import Dataset, Study


def dataset(name="fer2013", splits=("train", "val", "test")):
    split = {each: {"rows": 3, "anger": 2, "none": 1} for each in splits}
    return Dataset(name, "raw", "haar", {"split": split}, {}, {})


def study(*datasets, across=None, uses=None):
    return Study([], datasets, across or {}, {}, 0.95, None, None, uses or {}, [])


def test_class_table_counts_each_split():
    found = classes(study(dataset()))
    assert found.names == ["anger", "none"]
    assert [(row.split, list(row.counts), row.total) for row in found.rows] == [
        ("train", [2, 1], 3),
        ("val", [2, 1], 3),
        ("test", [2, 1], 3),
    ]
    assert [row.first for row in found.rows] == [True, False, False]


@pytest.mark.parametrize(
    ("protocol", "splits", "words"),
    [
        (Protocol("official", "paper"), ("train", "val", "test"), "official training, validation"),
        (Protocol("official", "paper"), ("train", "test"), "a tenth of training is carved"),
        (Protocol("folds", "paper", 10), ("all",), "10 folds by subject"),
        (Protocol("folds", "paper", 0), ("all",), "leave one subject out"),
    ],
)
def test_protocols_in_words(protocol, splits, words):
    assert words in in_words(protocol, dataset(splits=splits))


def test_protocol_and_its_source_come_from_the_datasets_file():
    (name, rule, origin) = protocols(study(dataset()))[0]
    assert (name, "official" in rule) == ("fer2013", True)
    assert "1307.0414" in origin


def test_what_datasets_share_is_told_per_pair():
    across = {
        "pairs_of_sets": 3,
        "pictures_in_fer2013_and_ferplus": 1200,
        "near_in_fer2013_and_ferplus": 7,
        "near_in_mmi_and_jaffe": 1,
        "failed_soft": 2,
    }
    assert shared(study(across=across)) == [
        "fer2013 and ferplus: 1,200 pictures, 7 nearly equal",
        "mmi and jaffe: 1 nearly equal",
    ]


def test_uses_are_summed_over_all_models_and_sources():
    counted = {("a", "s", "fer2013"): 2, ("b", "r", "fer2013"): 3, ("a", "s", "mmi"): 7}
    assert uses(study(dataset(), dataset("jaffe"), uses=counted)) == {"fer2013": 5, "jaffe": 0}


def test_statuses_and_verdicts_in_words():
    assert statuses({"ok": 9}) == "none"
    assert statuses({"ok": 9, "no_face": 1200, "unreadable": 2}) == "1,200 no face, 2 unreadable"
    facts = {"expectations": 30, "failed_hard": 0, "failed_soft": 2}
    assert verdict(facts) == "28 of 30 met, 2 warned"
    assert verdict(facts | {"failed_soft": 0}) == "30 of 30 met"
    assert verdict(facts | {"failed_hard": 1}) == "1 of 30 failed hard"


def test_no_runs_no_looks():
    assert looks(study(dataset()), ("eyes",)) == []
