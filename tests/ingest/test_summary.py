"""Counts, and their comparison with official ones."""

import pytest

from fer_pipeline.ingest.summary import Summary

COUNTS = {"train": 3, "test": 1}
PER_CLASS = {"train": {"anger": 2, "fear": 1}, "test": {"anger": 0, "fear": 1}}


def summary(*cells: tuple[str | None, str | None], **more) -> Summary:
    counted = Summary("x", "some-layout")
    for split, emotion in cells:
        row = {"split": split, "emotion": emotion, "status": "ok", "image": b"", "path": None}
        row["sequence"] = None
        counted.add(row | more)
    return counted


WHOLE = (("train", "anger"), ("train", "anger"), ("train", "fear"), ("test", "fear"))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (WHOLE, "complete"),
        (WHOLE[1:], "3 of 4 rows"),
        ((*WHOLE, ("test", "fear")), "5 of 4 rows"),
        ((*WHOLE[1:], ("test", "fear")), "deviates: train has 2 rows, officially 3"),
        (
            (("train", "fear"), *WHOLE[1:]),
            "deviates: train has 1 anger, officially 2",
        ),
        ((*WHOLE[:3], ("test", None)), "complete"),  # a test split published without labels
    ],
)
def test_official(cells, expected):
    assert summary(*cells).official(COUNTS, PER_CLASS) == expected


def test_official_without_class_counts_or_any():
    counted = summary(("train", "fear"), *WHOLE[1:])
    assert counted.official(COUNTS, {}) == "complete"
    assert counted.official({}, {}) == "no counts"


def test_metrics():
    counted = summary(*WHOLE, (None, None))
    row = {"split": "val", "emotion": "fear", "status": "no_face", "image": None, "path": "a"}
    counted.add(row | {"sequence": None})
    assert counted.metrics("odd") == {
        "layout": "some-layout",
        "official": "odd",
        "rows": 6,
        "read": {"picture_files": 1, "pictures_embedded": 5},
        "status": {"ok": 5, "no_face": 1},
        "split": {
            "train": {"rows": 3, "anger": 2, "fear": 1},
            "val": {"rows": 1, "fear": 1},
            "test": {"rows": 1, "fear": 1},
            "all": {"rows": 1, "none": 1},
        },
    }


def test_text():
    counted = summary(*WHOLE)
    row = {"split": None, "emotion": None, "status": "unreadable", "image": None, "path": "v.AVI"}
    counted.add(row | {"sequence": None})
    assert counted.text("complete").splitlines() == [
        "x: layout some-layout, 5 rows (4 pictures embedded, 1 video frames)",
        "official counts: complete",
        "status: ok 4, unreadable 1",
        "split  anger  fear  none  rows",
        "train      2     1     0     3",
        "test       0     1     0     1",
        "all        0     0     1     1",
    ]


def test_nothing_found():
    assert "status: no rows" in summary().text("no counts")
