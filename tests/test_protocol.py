"""How rows become parts: disjoint subjects, stratified carving, and the same answer every time."""

from collections import Counter

import numpy as np
import pytest

from fer_pipeline.errors import BadManifest
from fer_pipeline.protocol import CARVED, Protocol, fold_of, partition

OFFICIAL = Protocol(kind="official", source="a test")


def folds(number):
    return Protocol(kind="folds", source="a test", folds=number)


def parts(protocol, splits=None, subjects=None, emotions=None, repeat=0, ids=None):
    count = len(splits or subjects)
    return partition(
        protocol,
        ids or [f"x/{number}" for number in range(count)],
        splits or [None] * count,
        subjects or [None] * count,
        emotions or ["anger"] * count,
        repeat,
    )


def test_official_splits_stand():
    splits = ["train", "test", "val", "train", "test"]
    for repeat in range(3):
        assert parts(OFFICIAL, splits, repeat=repeat).tolist() == splits


def test_official_rows_need_a_split():
    with pytest.raises(BadManifest, match="x/2 has no split"):
        parts(OFFICIAL, ["train", "val", None, "test"])


def test_a_split_of_another_name_is_refused():
    """ "training" must not become "train" by being cut to five letters."""
    with pytest.raises(BadManifest, match="x/1 has split 'training'"):
        parts(OFFICIAL, ["train", "training", "val", "test"])


def test_carving_is_stratified_by_emotion():
    splits = ["train"] * 1000 + ["test"] * 50
    emotions = ["anger"] * 700 + ["fear"] * 200 + ["disgust"] * 100 + ["fear"] * 50
    found = parts(OFFICIAL, splits, emotions=emotions)
    carved = Counter(np.array(emotions)[found == "val"])
    assert carved == {"anger": 70, "fear": 20, "disgust": 10}
    assert (found[1000:] == "test").all()
    assert CARVED == 0.1


def test_carving_does_not_depend_on_repeat_or_order_of_rows():
    splits, emotions = ["train"] * 200 + ["test"] * 10, ["anger", "fear"] * 105
    ids = [f"x/{number}" for number in range(210)]
    first = parts(OFFICIAL, splits, emotions=emotions, ids=ids)
    assert parts(OFFICIAL, splits, emotions=emotions, ids=ids, repeat=4).tolist() == first.tolist()
    order = np.random.default_rng(0).permutation(210)
    mixed = parts(
        OFFICIAL,
        [splits[i] for i in order],
        emotions=[emotions[i] for i in order],
        ids=[ids[i] for i in order],
    )
    assert mixed.tolist() == first[order].tolist()


def test_carving_keeps_most_rows_where_it_was_when_rows_are_added():
    ids = [f"x/{number}" for number in range(1000)]
    few = parts(OFFICIAL, ["train"] * 900, ids=ids[:900])
    all_of_them = parts(OFFICIAL, ["train"] * 1000, ids=ids)
    assert (few == all_of_them[:900]).mean() > 0.97


def test_carving_goes_by_subject_where_all_are_known():
    subjects = [f"s{number // 10}" for number in range(400)]
    splits = ["train"] * 300 + ["test"] * 100
    found = parts(OFFICIAL, splits, subjects=subjects, emotions=["anger", "fear"] * 200)
    by_part = {
        part: {subject for subject, here in zip(subjects, found, strict=True) if here == part}
        for part in ("train", "val", "test")
    }
    assert len(by_part["val"]) == 3
    assert len(by_part["train"]) == 27
    assert not by_part["val"] & by_part["train"]
    one_unknown = [None, *subjects[1:]]
    found = parts(OFFICIAL, splits, subjects=one_unknown, emotions=["anger", "fear"] * 200)
    assert (found == "val").sum() == 30
    mixed = {s for s, part in zip(one_unknown, found, strict=True) if part == "val"}
    assert len(mixed) > 3


def test_an_existing_validation_set_is_not_touched():
    splits = ["train"] * 100 + ["val"] + ["test"] * 10
    assert (parts(OFFICIAL, splits) == "val").sum() == 1


@pytest.mark.parametrize("number", [5, 10])
def test_folds_test_every_row_once_and_never_split_a_subject(number):
    random = np.random.default_rng(1)
    subjects = [f"s{one}" for one in random.integers(0, 30, 400)]
    tested, validated = np.zeros(400, int), np.zeros(400, int)
    for repeat in range(number):
        found = parts(folds(number), subjects=subjects, repeat=repeat)
        assert set(found) == {"train", "val", "test"}
        for subject in set(subjects):
            here = {part for part, one in zip(found, subjects, strict=True) if one == subject}
            assert len(here) == 1
        tested += found == "test"
        validated += found == "val"
    assert (tested == 1).all()
    assert (validated == 1).all()


def test_validation_is_the_next_fold():
    subjects = [f"s{number}" for number in range(5) for _ in range(2)]
    place = fold_of(subjects, 5)
    for repeat in range(7):
        found = parts(folds(5), subjects=subjects, repeat=repeat)
        for subject, part in zip(subjects, found, strict=True):
            wanted = {repeat % 5: "test", (repeat + 1) % 5: "val"}
            assert part == wanted.get(place[subject], "train")


def test_leave_one_subject_out():
    subjects = ["c", "a", "b", "a", "c"]
    assert fold_of(subjects, 0) == {"a": 0, "b": 1, "c": 2}
    found = parts(folds(0), subjects=subjects, repeat=2)
    assert found.tolist() == ["test", "val", "train", "val", "test"]


def test_folds_are_filled_evenly():
    # Six, five, four, three, two and one rows into three folds: seven each.
    subjects = [f"s{size}" for size in range(1, 7) for _ in range(size)]
    place = fold_of(subjects, 3)
    assert Counter(place[subject] for subject in subjects) == {0: 7, 1: 7, 2: 7}
    assert place["s6"] == place["s1"]
    assert place["s5"] == place["s2"]
    assert place["s4"] == place["s3"]


def test_folds_do_not_depend_on_the_order_of_rows():
    subjects = [f"s{number % 17}" for number in range(100)]
    assert fold_of(subjects, 4) == fold_of(subjects[::-1], 4)


@pytest.mark.parametrize("repeat", range(4))
def test_rows_without_a_subject_are_never_trained_on(repeat):
    subjects = ["a", None, "b", "c", None]
    found = parts(folds(3), subjects=subjects, repeat=repeat)
    assert (found[1], found[4]) == ("test", "test")
    named = parts(folds(3), subjects=["a", "b", "c"], repeat=repeat)
    assert found[[0, 2, 3]].tolist() == named.tolist()


@pytest.mark.parametrize("number", [0, 10])
def test_a_set_without_any_subject_is_only_tested(number):
    assert parts(folds(number), subjects=[None] * 3).tolist() == ["test"] * 3


@pytest.mark.parametrize("number", [0, 2, 10])
def test_two_subjects_are_too_few(number):
    with pytest.raises(BadManifest, match="2 folds"):
        parts(folds(number), subjects=["a", "b", "a", "b"])


def test_no_rows_are_too_few_for_folds():
    with pytest.raises(BadManifest, match="0 folds"):
        partition(folds(0), [], [], [], [], 0)
