"""A whole set through all suites: the planted faults come out, counted and named."""

import pytest

from fer_pipeline import manifest, registry
from fer_pipeline.emotions import COMMON7
from fer_pipeline.protocol import Protocol
from fer_pipeline.validate import suites
from fer_pipeline.validate.dataset import validate
from fer_pipeline.validate.params import ValidateParams

PLAIN = ValidateParams()


def failed(report) -> dict[str, tuple[str, ...]]:
    return {one.name: one.rows for one in report.outcomes if not one.passed}


def test_a_faultless_set_meets_everything(make, write) -> None:
    report = validate("fer2013", *write("fer2013", make.official()), PLAIN)
    assert failed(report) == {}
    assert report.facts["failed_hard"] == report.facts["failed_soft"] == 0
    assert report.facts["rows"] == report.facts["faces"] == report.facts["distinct_images"] == 63
    assert report.facts["detection_rate"] == 1.0
    assert report.leaks["drop"].isna().all()
    assert report.leaks["perceptual_hash"].map(len).eq(32).all()
    asked = [one.name for one in report.outcomes]
    assert len(asked) == len(set(asked)) == report.facts["expectations"]


def test_a_faultless_set_of_folds_meets_everything(make, write) -> None:
    report = validate("jaffe", *write("jaffe", make.grouped()), PLAIN)
    assert failed(report) == {}
    assert report.facts["subjects"] == 4


def test_planted_faults_are_counted(make, write) -> None:
    rows = make.official()
    rows[1] = make.row("fer2013", 1, make.picture(0), split="train")
    rows[43] = make.row("fer2013", 43, make.picture(2), split="test", emotion=rows[2]["emotion"])
    rows[44] = make.row("fer2013", 44, make.brighter(make.picture(3)), split="test")
    rows[5] = make.row("fer2013", 5, None, split="train")
    rows[6] |= {"status": manifest.UNKNOWN_LABEL, "emotion": None, "label": "9"}
    rows[7] = make.row("fer2013", 7, make.picture(7, side=20), split="train")
    rows[8] |= {"box": [-30.0, 0.0, 18.0, 48.0]}
    found = validate("fer2013", *write("fer2013", rows), PLAIN)
    assert failed(found) == {
        "pictures_readable": ("fer2013/5",),
        "labels_known": ("fer2013/6",),
        "pictures_large_enough": ("fer2013/7",),
        "pictures_not_repeated": ("fer2013/1", "fer2013/43"),
        "pictures_in_one_split": ("fer2013/2", "fer2013/43"),
        "pictures_of_one_emotion": ("fer2013/0", "fer2013/1"),
        "faces_large_enough": ("fer2013/7",),
        "boxes_inside": ("fer2013/8",),
        "near_repeats_across": ("fer2013/3", "fer2013/44"),
    }
    facts = found.facts
    assert facts["repeated_rows"] == 2
    assert facts["images_in_several_splits"] == facts["images_in_train_and_test"] == 1
    assert facts["images_in_train_and_val"] == facts["images_in_val_and_test"] == 0
    assert facts["conflicting_labels"] == facts["unreadable_rows"] == 1
    assert facts["unknown_label_rows"] == facts["near_pairs_across"] == 1
    assert facts["dropped_rows"] == 4
    drop = found.leaks.set_index("id")["drop"].dropna()
    assert drop.to_dict() == {
        "fer2013/0": "conflicting labels",
        "fer2013/1": "conflicting labels",
        "fer2013/2": "same picture in test",
        "fer2013/3": "near duplicate in test",
    }


def test_policies(make, write) -> None:
    rows = make.official()
    rows[43] = make.row("fer2013", 43, make.picture(2), split="test", emotion=rows[2]["emotion"])
    paths = write("fer2013", rows)
    kept = validate("fer2013", *paths, ValidateParams(leaks="keep"))
    assert kept.leaks["drop"].isna().all()
    assert kept.facts["failed_hard"] == 0
    assert kept.facts["failed_soft"] == 2
    strict = validate("fer2013", *paths, ValidateParams(leaks="fail"))
    assert [one.name for one in strict.failed("hard")] == ["pictures_in_one_split"]


@pytest.mark.parametrize(
    ("change", "name", "rows"),
    [
        ({"id": "fer2013/0"}, "ids_unique", ("fer2013/0", "fer2013/0")),
        ({"id": "rafdb/9"}, "ids_named", ("rafdb/9",)),
        ({"dataset": "rafdb"}, "dataset_named", ("fer2013/9",)),
        ({"status": "fine"}, "statuses_known", ("fer2013/9",)),
        ({"emotion": "joy"}, "emotions_known", ("fer2013/9",)),
        ({"emotion": None}, "usable_rows_labelled", ("fer2013/9",)),
        ({"split": None}, "protocol_applies", ("fer2013/9",)),
    ],
)
def test_hard_faults_are_named(make, write, change, name, rows) -> None:
    table = make.official()
    table[9] |= change
    report = validate("fer2013", *write("fer2013", table), PLAIN)
    hard = {one.name: one.rows for one in report.failed("hard")}
    assert hard == {name: rows}


def test_an_unknown_split_is_named_and_stops_before_the_faces(make, write) -> None:
    table = make.official()
    table[9]["split"] = "training"
    report = validate("fer2013", *write("fer2013", table), PLAIN)
    hard = {one.name: one.rows for one in report.failed("hard")}
    assert hard == dict.fromkeys(["splits_known", "protocol_applies"], ("fer2013/9",))
    assert report.leaks is None


def test_subjects_and_clips_stay_in_one_part(make, write) -> None:
    table = make.official()
    table[3]["subject"] = table[50]["subject"] = "ann"
    table[4]["sequence"] = table[30]["sequence"] = "clip"
    report = validate("fer2013", *write("fer2013", table), PLAIN)
    assert {one.name: one.rows for one in report.failed("hard")} == {
        "subjects_disjoint": ("fer2013/3", "fer2013/50"),
        "sequences_disjoint": ("fer2013/4", "fer2013/30"),
    }


def test_clips_stay_in_one_fold_in_every_repeat(make, write) -> None:
    table = make.grouped(subjects=5)
    table[14]["sequence"] = table[21]["sequence"] = "clip"  # s2 and s3 train together at first
    report = validate("jaffe", *write("jaffe", table), PLAIN)
    hard = {one.name: one.rows for one in report.failed("hard")}
    assert hard == {"sequences_disjoint": ("jaffe/14", "jaffe/21")}


def test_lost_rows_and_lost_faces_are_hard(make, write) -> None:
    rows = make.official()
    report = validate("fer2013", *write("fer2013", rows, rows[:-1]), PLAIN)
    assert [one.name for one in report.failed("hard")] == ["rows_kept", "rows_not_added"]
    faces = [dict(one) for one in rows]
    faces[0] |= {"crop": None, "alignment": None, "box": None}
    report = validate("fer2013", *write("fer2013", rows, faces), PLAIN)
    assert [one.name for one in report.failed("hard")] == ["usable_rows_cropped"]


def test_detection_rate(make, write) -> None:
    rows = make.official()
    for one in rows[:20]:
        one |= {"crop": None, "alignment": None, "box": None, "status": manifest.NO_FACE}
    report = validate("fer2013", *write("fer2013", rows), PLAIN)
    assert report.facts["detection_rate"] == round(43 / 63, 4)
    (warning,) = [one for one in report.failed("soft") if one.name == "faces_found"]
    assert warning.unexpected == 20


def test_missing_classes_and_splits(make, write) -> None:
    rows = [one for one in make.official() if one["emotion"] != "fear" or one["split"] == "train"]
    rows = [one for one in rows if one["split"] != "val"]
    report = validate("fer2013", *write("fer2013", rows), PLAIN)
    found = failed(report)
    assert set(found) == {"classes_in_every_split", "split_sizes"}
    assert "test/fear" in found["classes_in_every_split"]
    assert found["split_sizes"] == ("val",)


@pytest.mark.parametrize(
    ("counts", "found", "wanted"),
    [
        ({}, ["train", "test"], ["train", "test"]),
        ({}, ["test", "val"], ["train", "val", "test"]),
        ({"train": 1, "val": 1, "test": 1}, ["train"], ["train", "val", "test"]),
    ],
)
def test_splits_that_a_set_should_have(counts, found, wanted) -> None:
    protocol = Protocol(kind="official", source="a test", counts=counts)
    assert suites.splits_of(protocol, found) == wanted
    assert suites.splits_of(Protocol(kind="folds", source="a test"), found) == []


def test_counts_of_other_layouts_are_known() -> None:
    assert suites.others_of("ferplus") == [{"train": 28561, "val": 3579, "test": 3574}]
    assert suites.others_of("jaffe") == suites.others_of("rafdb") == []
    params = ValidateParams()
    protocol = registry.load("datasets", "ferplus").PROTOCOL
    made = suites.samples("ferplus", protocol, COMMON7, manifest.SPLITS, params)
    (asked,) = (one for one in made if one.meta["name"] == "official_counts")
    assert asked.counts == {"train": 28709, "val": 3589, "test": 3589}
    assert asked.others == suites.others_of("ferplus")


def test_a_set_without_rows_stops_early(write) -> None:
    report = validate("fer2013", *write("fer2013", []), PLAIN)
    assert [one.name for one in report.failed("hard")] == ["rows_present"]
    assert report.leaks is None
