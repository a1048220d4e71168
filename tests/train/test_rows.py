"""Which rows a training sees."""

import numpy as np
import pytest

from fer_pipeline import manifest
from fer_pipeline.emotions import BASIC6, COMMON7, EMOTIONS
from fer_pipeline.errors import BadManifest, MissingData
from fer_pipeline.protocol import Protocol, partition
from fer_pipeline.train import rows

OFFICIAL = Protocol(kind="official", source="test")
FOLDS = Protocol(kind="folds", source="test", folds=0)


def test_test_rows_are_not_among_the_examples(stills, write):
    found = rows.read(*write(stills), OFFICIAL, 0, COMMON7)
    assert found.part.tolist() == ["train"] * 70 + ["val"] * 21
    assert found.ids == tuple(row["id"] for row in stills[:91])
    assert found.truth.tolist() == [n % 7 for n in range(91)]
    assert found.frames == tuple((n,) for n in range(91))
    assert found.dropped == 0


def test_rows_that_cannot_be_used_are_counted(stills, write):
    stills[0] |= {"status": manifest.NO_FACE, "alignment": None, "crop": None}
    stills[1] |= {"status": manifest.UNCERTAIN, "emotion": None}
    stills[2] |= {"emotion": "contempt"}
    stills[80] |= {"status": manifest.UNREADABLE, "alignment": None, "crop": None}
    stills[100] |= {"status": manifest.NO_FACE, "alignment": None, "crop": None}
    tables = write(stills, {stills[3]["id"]: "copy of fer2013/00099", stills[110]["id"]: "copy"})
    found = rows.read(*tables, OFFICIAL, 0, COMMON7)
    gone = {stills[n]["id"] for n in (0, 1, 2, 3, 80)}
    assert found.dropped == 5
    assert set(found.ids) == {row["id"] for row in stills[:91]} - gone


def test_missing_validation_is_carved_as_everyone_carves_it(stills, write):
    for row in stills[70:91]:
        row["split"] = "train"
    found = rows.read(*write(stills), OFFICIAL, 0, COMMON7)
    columns = ([row[name] for row in stills] for name in ("id", "split", "subject", "emotion"))
    expected = partition(OFFICIAL, *columns, 0)
    assert (expected == "val").sum() == 7
    assert found.part.tolist() == expected[:91].tolist()


def test_folds_keep_the_test_subject_away(face, write):
    made = [face(n, COMMON7[n % 7], None, subject=f"s{n % 4}") for n in range(40)]
    tables = write(made)
    for repeat in range(4):
        found = rows.read(*tables, FOLDS, repeat, COMMON7)
        subjects = {part: set() for part in ("train", "val")}
        for name, part in zip(found.ids, found.part, strict=True):
            subjects[str(part)].add(int(name[-5:]) % 4)
        assert subjects == {
            "train": set(range(4)) - {repeat, (repeat + 1) % 4},
            "val": {(repeat + 1) % 4},
        }


def test_soft_labels_take_uncertain_training_rows_with_votes(stills, write):
    votes = [3.0, 0, 3.0, 0, 2.0, 0, 0, 0]
    for n in (0, 80):
        stills[n] |= {"status": manifest.UNCERTAIN, "emotion": None, "votes": votes}
        stills[n]["attributes"] = {"votes_unknown": "2", "votes_NF": "0"}
    tables = write(stills)
    hard = rows.read(*tables, OFFICIAL, 0, COMMON7)
    soft = rows.read(*tables, OFFICIAL, 0, COMMON7, soft=True)
    assert len(hard.ids) == 89
    assert len(soft.ids) == 90, "validation stays with single labels"
    assert soft.truth[0] == -1
    assert soft.votes[0].tolist() == [*votes, 2.0, 0.0]
    assert np.isnan(soft.votes[1]).all()


def test_clips_are_sequences_in_order(face, write):
    made = []
    for clip in range(6):
        split = "train" if clip < 4 else "val"
        for frame in reversed(range(3 + clip)):
            emotion = "neutral" if frame == 0 else None
            emotion = "fear" if frame == 2 + clip else emotion
            made.append(
                face(len(made), "anger", split, sequence=f"c{clip}", frame=frame)
                | {"emotion": emotion, "phase": None}
            )
    made.append(face(len(made), "anger", "train"))
    found = rows.read(*write(made), OFFICIAL, 0, COMMON7, clips=True)
    assert found.ids == tuple(f"c{clip}" for clip in range(6))
    assert found.truth.tolist() == [COMMON7.index("fear")] * 6
    assert found.frames[0] == (2, 1, 0)
    assert [len(frames) for frames in found.frames] == [3, 4, 5, 6, 7, 8]
    assert found.dropped == 1, "the still belongs to no clip"


def frame_of(emotion, phase=None, status=manifest.OK):
    return {"emotion": emotion, "phase": phase, "status": status}


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([frame_of("neutral"), frame_of("fear", "apex"), frame_of("neutral")], "fear"),
        ([frame_of("fear", "onset"), frame_of("anger", "apex"), frame_of("fear")], "anger"),
        ([frame_of("neutral"), frame_of(None), frame_of("surprise")], "surprise"),
        ([frame_of("neutral"), frame_of("neutral")], "neutral"),
        ([frame_of(None), frame_of("fear", status=manifest.UNCERTAIN)], None),
        ([], None),
    ],
)
def test_a_clip_shows_its_apex(frames, expected):
    assert rows.clip_emotion(frames) == expected


def test_classes_follow_the_dataset():
    every = {str(n): emotion for n, emotion in enumerate(EMOTIONS)}
    assert rows.classes_of(every, "common7") == COMMON7
    assert rows.classes_of(every, "all8") == EMOTIONS
    six = {emotion: emotion for emotion in BASIC6} | {"bored": None}
    assert rows.classes_of(six, "common7") == BASIC6


def test_leaks_of_other_rows_are_refused(stills, write):
    faces = write(stills).faces
    with pytest.raises(BadManifest, match="run validate again"):
        rows.read(faces, write(stills[::-1], name="other").leaks, OFFICIAL, 0, COMMON7)
    with pytest.raises(BadManifest, match="run validate again"):
        rows.read(faces, write(stills[:50], name="short").leaks, OFFICIAL, 0, COMMON7)


def test_nothing_to_train_on_is_said(stills, write):
    drops = {row["id"]: "copy" for row in stills[:70]}
    with pytest.raises(MissingData, match="no usable rows"):
        rows.read(*write(stills, drops), OFFICIAL, 0, COMMON7)
