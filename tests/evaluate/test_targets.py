"""Which items are tested: stills, clips, and what falls away."""

import numpy as np
import pytest

from fer_pipeline.emotions import COMMON7
from fer_pipeline.errors import BadManifest
from fer_pipeline.evaluate import crops, targets
from fer_pipeline.manifest import NO_FACE


@pytest.fixture
def clips(build, tmp_path):
    """Three CK+ clips of five frames and a still: labelled neutral first, emotion in the last two.

    Clip b lost its last two frames, clip c all of its faces.
    """
    rows, number = [], 0
    for name, emotion in (("a", "fear"), ("b", "anger"), ("c", "happiness")):
        for frame in (3, 1, 4, 0, 2):
            label = {0: "neutral", 3: emotion, 4: emotion}.get(frame)
            lost = name == "c" or (name == "b" and frame >= 3)
            extra = {"status": NO_FACE} if lost else {}
            rows.append(
                build.face("ckplus", number, emotion=label, subject=f"S{name}", frame=frame,
                           sequence=f"ckplus/{name}", **extra)
            )  # fmt: skip
            number += 1
    rows.append(build.face("ckplus", number, emotion="sadness", subject="Sd"))
    build.write(tmp_path, "ckplus", rows, [build.leak(row) for row in rows])
    return targets.load(
        "ckplus", tmp_path / "faces/ckplus.parquet", tmp_path / "leaks/ckplus.parquet"
    )


def test_clips_have_the_label_that_they_show(clips):
    items = targets.items(clips, False, [0], COMMON7, frames=3)
    assert items.ids == ["ckplus/a", "ckplus/b"]
    assert items.emotions == ["fear", "neutral"]
    assert items.coverage == {"asked": 3, "evaluated": 2, "no_face": 1}


def test_clips_are_frames_in_time_sampled_evenly(clips):
    items = targets.items(clips, False, [0], COMMON7, frames=3)
    frames = clips.column("frame")
    assert [frames[members].tolist() for members in items.members] == [[0, 2, 4], [0, 1, 2]]
    assert clips.column("emotion")[items.rows].tolist() == ["fear", "neutral"]


def test_stills_of_a_clip_set_are_its_labelled_frames(clips):
    items = targets.items(clips, False, [0, 1], COMMON7, frames=1)
    assert len(items.ids) == 3 + 1 + 1
    assert items.tested.shape == (2, 5)
    assert items.coverage == {"asked": 32, "evaluated": 10, "no_face": 10, "unlabelled": 12}


def test_other_classes_are_left_out_and_counted(clips):
    items = targets.items(clips, False, [0], ("anger", "neutral"), frames=1)
    assert set(items.emotions) == {"neutral"}
    assert items.coverage["other_classes"] == 3


def test_own_folds_are_tested_in_their_repeat_only(clips):
    items = targets.items(clips, True, [0, 1, 2, 3], COMMON7, frames=1)
    assert (items.tested.sum(axis=0) == 1).all()
    for number, row in enumerate(items.rows):
        repeat = int(np.flatnonzero(items.tested[:, number])[0])
        assert clips.parts(repeat)[row] == "test"


def test_crops_come_item_by_item_whatever_the_row_groups(clips, build):
    members = [np.array(rows) for rows in ([9, 0, 15], [3], [6, 8])]
    found = dict(crops.stream(clips.path, members))
    for item, rows in enumerate(members):
        assert found[item] == [build.face("x", int(row))["crop"] for row in rows]
    assert list(found) == [1, 2, 0]


def test_shared_classes_keep_the_order_and_drop_contempt():
    assert targets.shared_classes("affectnet", COMMON7) == COMMON7
    assert "neutral" not in targets.shared_classes("affectnet", COMMON7[:6])


def test_tables_that_do_not_belong_together_are_refused(clips, build, tmp_path):
    rows = [build.face("ckplus", number, emotion="fear", subject="S") for number in range(3)]
    build.write(tmp_path / "other", "ckplus", rows, [build.leak(row) for row in rows])
    with pytest.raises(BadManifest, match="run validate again"):
        targets.load("ckplus", clips.path, tmp_path / "other/leaks/ckplus.parquet")
