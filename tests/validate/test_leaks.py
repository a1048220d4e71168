"""Which rows training must not use, on sets small enough to see."""

from typing import Any

import numpy as np
import pandas as pd

from fer_pipeline.protocol import Protocol
from fer_pipeline.validate import leaks
from fer_pipeline.validate.perceptual import phash

OFFICIAL = Protocol(kind="official", source="a test")
FOLDS = Protocol(kind="folds", source="a test", folds=0)


def judge(
    make, rows: list[dict[str, Any]], pictures: dict[int, np.ndarray], protocol: Protocol
) -> tuple[list[str | None], leaks.Near]:
    """Drop reasons of rows; `pictures` replaces row i's picture."""
    for number, pixels in pictures.items():
        kept = {
            key: rows[number][key] for key in ("split", "subject", "sequence", "emotion", "status")
        }
        rows[number] = make.row(rows[number]["dataset"], number, pixels, **kept)
    frame = pd.DataFrame(rows)
    frame["usable"] = frame["status"].eq("ok") & frame["emotion"].notna()
    drawn = [pictures.get(number, make.picture(number)) for number in range(len(rows))]
    frame["constant"] = [pixels.min() == pixels.max() for pixels in drawn]
    frame["hashed"] = ~frame["constant"]
    home = leaks.homes(frame, protocol)
    found = leaks.near(frame, phash(drawn, 16), home, 40)
    return leaks.drops(frame, found, protocol).tolist(), found


def planted(reasons: list[str | None]) -> dict[int, str]:
    return {number: why for number, why in enumerate(reasons) if why is not None}


def test_faultless_sets_lose_nothing(make) -> None:
    for rows, protocol in ((make.official(), OFFICIAL), (make.grouped(), FOLDS)):
        reasons, found = judge(make, rows, {}, protocol)
        assert planted(reasons) == {}
        assert len(found.pairs) == 0


def test_official_splits(make) -> None:
    # Rows 0-20 train, 21-41 val, 42-62 test; copies keep their emotion (equal modulo 7).
    pictures = {
        0: make.picture(42),
        1: make.picture(22),
        23: make.picture(44),
        3: make.brighter(make.picture(45)),
        4: make.brighter(make.picture(25)),
        26: make.brighter(make.picture(47)),
        6: np.full((48, 48), 7, np.uint8),
        7: make.picture(14),
    }
    reasons, found = judge(make, make.official(), pictures, OFFICIAL)
    assert planted(reasons) == {
        0: "same picture in test",
        1: "same picture in val",
        23: "same picture in test",
        3: "near duplicate in test",
        4: "near duplicate in val",
        26: "near duplicate in test",
        6: "constant picture",
    }
    assert found.across().sum() == 3
    assert found.rows(found.across()).nonzero()[0].tolist() == [3, 4, 25, 26, 45, 47]


def test_test_rows_are_never_dropped_and_unusable_ones_drop_nothing(make) -> None:
    rows = make.official()
    rows[42]["status"] = rows[43]["status"] = "uncertain"
    pictures = {
        0: make.picture(42),
        1: make.brighter(make.picture(43)),
        50: make.picture(44),
        45: np.zeros((48, 48), np.uint8),
    }
    reasons, _ = judge(make, rows, pictures, OFFICIAL)
    assert planted(reasons) == {}


def test_conflicting_labels_leave_training_only(make) -> None:
    pictures = {1: make.picture(0), 22: make.picture(21)}
    reasons, _ = judge(make, make.official(), pictures, OFFICIAL)
    assert planted(reasons) == {0: "conflicting labels", 1: "conflicting labels"}


def test_the_strongest_reason_is_given(make) -> None:
    rows = make.official()
    # Row 0 equals a test row, and nearly a val row, and carries another label than its copy.
    rows[0]["emotion"] = "contempt"
    pictures = {0: make.picture(42), 21: make.brighter(make.picture(42))}
    reasons, _ = judge(make, rows, pictures, OFFICIAL)
    assert planted(reasons) == {0: "same picture in test", 21: "near duplicate in test"}


def test_a_carved_validation_set_is_kept_apart_too(make) -> None:
    rows = [
        make.row(
            "rafdb", number, make.picture(number // 2), split="test" if number >= 80 else "train"
        )
        for number in range(100)
    ]
    for entry in rows:
        entry["emotion"] = "anger"
    frame = pd.DataFrame(rows).assign(usable=True, constant=False, hashed=True)
    home = leaks.homes(frame, OFFICIAL)
    assert set(home) == {"train", "val", "test"}
    drawn = [make.picture(number // 2) for number in range(100)]
    found = leaks.near(frame, phash(drawn, 16), home, 40)
    reasons = leaks.drops(frame, found, OFFICIAL)
    for number in range(0, 80, 2):
        pair = home[number], home[number + 1]
        if set(pair) == {"train", "val"}:
            there = number + pair.index("train")
            assert reasons[there] == "same picture in val"
            assert reasons[number + pair.index("val")] is None
        else:
            assert reasons[number] is None
            assert reasons[number + 1] is None
    assert sum(why is not None for why in reasons) > 0


def test_folds_drop_every_copy_under_another_subject(make) -> None:
    # Four subjects with seven rows each.
    pictures = {
        7: make.picture(0),
        14: make.brighter(make.picture(1)),
        2: make.picture(3),
        5: make.brighter(make.picture(4)),
    }
    rows = make.grouped()
    rows[2]["emotion"] = rows[3]["emotion"]
    reasons, found = judge(make, rows, pictures, FOLDS)
    assert planted(reasons) == {
        0: "same picture under another subject",
        7: "same picture under another subject",
        1: "near duplicate under another subject",
        14: "near duplicate under another subject",
    }
    assert sorted(found.across().tolist()) == [False, True]


def test_frames_of_one_clip_are_no_near_duplicates(make) -> None:
    rows = make.grouped()
    rows[0]["sequence"] = rows[1]["sequence"] = "clip"
    rows[2]["sequence"] = "other clip"
    same = make.picture(0)
    pictures = {0: same, 1: make.brighter(same), 2: make.brighter(make.brighter(same))}
    _, found = judge(make, rows, pictures, FOLDS)
    assert found.pairs.tolist() == [[0, 2], [1, 2]]
