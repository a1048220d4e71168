"""Which official counts a layout is held to, and a set without a row."""

from types import SimpleNamespace

import pytest

from fer_pipeline.datasets import affectnet, ckplus, ferplus, jaffe, rafdb
from fer_pipeline.errors import MissingData
from fer_pipeline.ingest.params import IngestParams
from fer_pipeline.ingest.summary import Summary
from fer_pipeline.ingest.table import compare, ingest
from fer_pipeline.protocol import Protocol

RELEASES = SimpleNamespace(
    PROTOCOL=Protocol("official", "a test", counts={"train": 9}),
    CLASS_COUNTS={},
    LAYOUT_COUNTS={"a/small": {"train": 2}, "a/large": {"train": 4, "test": 1}, "b": {"train": 1}},
    LAYOUT_CLASSES={"a/small": {"train": {"anger": 1, "fear": 1}}},
)


def summary(layout, *cells) -> Summary:
    """cells: (rows, split, emotion), or with a sequence's name as a fourth."""
    counted = Summary("x", layout)
    for count, split, emotion, *sequence in cells:
        row = {"split": split, "emotion": emotion, "status": "ok", "image": b"", "path": None}
        row["sequence"] = sequence[0] if sequence else None
        for _ in range(count):
            counted.add(row)
    return counted


@pytest.mark.parametrize(
    ("layout", "cells", "said"),
    [
        ("a", [(1, "train", "anger"), (1, "train", "fear")], "complete"),
        ("a", [(2, "train", "anger")], "deviates: train has 2 anger, officially 1"),
        ("a", [(4, "train", "fear"), (1, "test", "fear")], "complete"),
        ("a", [(6, "train", "fear")], "6 of 5 rows"),
        ("a", [(1, "train", "fear")], "1 of 2 rows"),
        ("b", [(1, "train", "fear")], "complete"),
        ("ab", [(9, "train", "fear")], "complete"),
    ],
)
def test_each_release_of_a_layout_may_be_complete(layout, cells, said):
    assert compare(summary(layout, *cells), RELEASES) == said


def classes(counts):
    return [(count, None, emotion) for emotion, count in counts.items()]


def test_known_sets():
    apex = ckplus.LAYOUT_CLASSES["ck48"]["all"]
    assert [apex[name] for name in ("anger", "contempt", "disgust", "fear", "happiness", "sadness",
                                    "surprise")] == [135, 54, 177, 75, 207, 84, 249]  # fmt: skip
    assert compare(summary("ck48", *classes(apex)), ckplus) == "complete"
    swapped = apex | {"anger": 54, "contempt": 135}
    assert "54 anger, officially 135" in compare(summary("ck48", *classes(swapped)), ckplus)
    assert compare(summary("ckextended", (920, None, "anger")), ckplus) == "no counts"
    assert compare(summary("tiff", (213, None, "anger")), jaffe) == "complete"
    assert compare(summary("tiff", (212, None, "anger")), jaffe) == "212 of 213 rows"
    whole = [
        (count, split, emotion)
        for split, cells in rafdb.CLASS_COUNTS.items()
        for emotion, count in cells.items()
    ]
    for layout in ("basic", "kaggle", "huggingface"):
        assert compare(summary(layout, *whole), rafdb) == "complete"
    rows = ferplus.LAYOUT_COUNTS[ferplus.FOLDERS]
    assert sum(rows.values()) == 35887 - 173
    cells = [(count, split, None) for split, count in rows.items()]
    assert compare(summary(ferplus.FOLDERS, *cells), ferplus) == "complete"


def test_sequences_are_counted_where_frames_are_not_known():
    labelled = ckplus.LAYOUT_CLASSES["original"]["all"]
    cells = [(count, None, emotion, "S000_000") for emotion, count in labelled.items()]
    cells += [(1, None, None, f"S{number}_001") for number in range(592)]
    assert compare(summary("original", *cells), ckplus) == "complete"
    assert compare(summary("original", *cells[:-1]), ckplus) == "592 of 593 sequences"
    fewer = [(count - 1, *rest) for count, *rest in cells[:1]] + cells[1:]
    assert compare(summary("original", *fewer), ckplus).startswith("deviates: all has 134 anger")


def test_the_numpy_release_of_seven_classes():
    counts = affectnet.LAYOUT_COUNTS["npy/7 classes"]
    assert counts == {"train": 283901, "test": 3500}
    assert affectnet.LAYOUT_COUNTS["yolo"] == {"train": 17101, "val": 5406, "test": 2755}
    assert not affectnet.PROTOCOL.counts


@pytest.mark.parametrize(
    ("dataset", "files"),
    [
        ("fer2013", {"fer2013.csv": "emotion,pixels,Usage\n"}),
        ("fer2013", {"train/happy/notes.txt": "x", "test/happy/notes.txt": "x"}),
        ("affectnet", {"Manually_Annotated_file_lists/training.csv": ""}),
        ("affectnet", {"train/3/notes.txt": "x"}),
        ("rafdb", {"EmoLabel/list_patition_label.txt": "\n"}),
        ("ckplus", {"ckextended.csv": "emotion,pixels,Usage\n"}),
        ("mmi", {"Sessions/1/session.xml": "<s/>"}),
        ("folder", {"train/.keep": ""}),
    ],
)
def test_a_set_without_a_row_stops(tmp_path, dataset, files):
    raw = tmp_path / "raw"
    for name, text in files.items():
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.raises(MissingData, match=f"{dataset}: the layout .* without a single row") as told:
        ingest(dataset, raw, tmp_path / "x.parquet", IngestParams())
    assert str(raw) in str(told.value)
    assert not (tmp_path / "x.parquet").exists()
