from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from fer_pipeline.sample.generate import portraits
from fer_pipeline.sample.looks import LOOKS
from fer_pipeline.sample.shots import plan, take, timeline

STILLS = [name for name, look in LOOKS.items() if not look.frames]
CLIPS = [name for name, look in LOOKS.items() if look.frames]


@pytest.mark.parametrize("name", LOOKS)
def test_people_are_in_one_split_only(name):
    shots = plan(LOOKS[name], 7, 1.0)
    splits = {shot.subject: set() for shot in shots}
    for shot in shots:
        splits[shot.subject].add(shot.split)
    assert {len(found) for found in splits.values()} == {1}
    assert {split for found in splits.values() for split in found} == (
        set(LOOKS[name].splits) or {None}
    )


@pytest.mark.parametrize("name", LOOKS)
def test_each_split_has_its_share_of_every_emotion(name):
    look = LOOKS[name]
    shots = plan(look, 7, 1.0)
    total = sum(look.shares.values())
    for split in set(look.splits) or {None}:
        dealt = Counter(shot.emotion for shot in shots if shot.split == split)
        count = sum(dealt.values())
        for emotion, share in look.shares.items():
            assert abs(dealt[emotion] - count * share / total) <= 1


@pytest.mark.parametrize("name", LOOKS)
def test_split_sizes_follow_the_look(name):
    look = LOOKS[name]
    people = Counter({shot.subject: shot.split for shot in plan(look, 7, 1.0)}.values())
    for split, share in look.splits.items():
        assert people[split] == pytest.approx(share * look.subjects, abs=1)


def test_ferplus_plans_what_fer2013_plans():
    assert plan(LOOKS["ferplus"], 7, 0.1) == plan(LOOKS["fer2013"], 7, 0.1)


def test_other_seeds_make_other_faces():
    one, two = (take(plan(LOOKS["jaffe"], seed, 1.0)[0])[0] for seed in (1, 2))
    assert not np.array_equal(one.pixels, two.pixels)


@pytest.mark.parametrize("name", LOOKS)
def test_portraits_are_well_formed(name):
    look = LOOKS[name]
    for shot in plan(look, 7, 1.0)[:6]:
        for face in take(shot):
            assert face.pixels.shape == (*look.size, 3)
            assert face.pixels.dtype == np.uint8
            assert face.landmarks.shape == (68, 2)
            assert face.box.shape == (4,)
            assert face.landmarks.dtype == face.box.dtype == np.float32
            assert sum(face.votes) == 10
            assert len(face.votes) == 10
            assert -1 <= face.valence <= 1
            assert -1 <= face.arousal <= 1
            assert all(0 < level <= 5 for level in face.action_units.values())
            assert 0 <= face.intensity <= 1
            if look.gray:
                assert np.ptp(face.pixels, axis=2).max() == 0


@pytest.mark.parametrize("name", STILLS)
def test_faces_lie_inside_the_picture(name):
    look = LOOKS[name]
    height, width = look.size
    for shot in plan(look, 7, 1.0)[::40]:
        face = take(shot)[0]
        eyes = face.landmarks[36:48]
        assert (eyes >= 0).all()
        assert (eyes < (width, height)).all()


def test_a_still_is_neutral_only_when_it_is_meant_to_be():
    look = replace(LOOKS["rafdb"], mislabelled=0.0)
    for shot in plan(look, 7, 0.1):
        face = take(shot)[0]
        assert (face.intensity == 0) == (face.emotion == "neutral")
        resting = face.action_units == pytest.approx(look.rest, rel=0.5)
        assert resting == (face.emotion == "neutral")


def test_mislabelled_stills_have_the_chance_of_the_look():
    look = replace(LOOKS["fer2013"], mislabelled=1.0, size=(8, 8), scale=(3.0, 3.0))
    shots = plan(look, 7, 0.05)
    wrong = [take(shot)[0].emotion != shot.emotion for shot in shots]
    assert all(wrong)


def test_people_keep_their_looks_in_all_their_pictures():
    shots = [shot for shot in plan(LOOKS["jaffe"], 7, 1.0) if shot.subject == "s001"]
    described = {(f.gender, f.race, f.age) for shot in shots[:5] for f in take(shot)}
    assert described == {("female", "Asian", next(iter(described))[2])}


@pytest.mark.parametrize("name", CLIPS)
def test_clips_run_from_neutral_over_the_apex_to_their_end(name):
    look = LOOKS[name]
    faces = take(plan(look, 7, 1.0)[0])
    levels = [face.intensity for face in faces]
    phases = [face.phase for face in faces]
    assert [face.frame for face in faces] == list(range(len(faces)))
    assert {face.sequence for face in faces} == {1}
    assert phases[0] == "neutral"
    assert levels[0] == 0
    peak = max(levels)
    assert all(levels[i] == peak for i, phase in enumerate(phases) if phase == "apex")
    assert phases[-1] == ("apex" if look.ends == "apex" else "neutral")
    assert levels[-1] == (peak if look.ends == "apex" else 0)
    assert look.frames[0] <= len(faces) <= look.frames[1]


def test_the_timeline_by_hand():
    levels, phases = timeline(7, "apex")
    # Quarters of the rise, eased by 3 t^2 - 2 t^3.
    assert levels == pytest.approx([0, 0.15625, 0.5, 0.84375, 1, 1, 1])
    assert phases == ["neutral", "onset", "onset", "onset", "apex", "apex", "apex"]


@pytest.mark.parametrize("frames", range(12, 30))
def test_a_returning_timeline_rises_once_and_falls_once(frames):
    levels, phases = timeline(frames, "neutral")
    assert len(levels) == len(phases) == frames
    peak = int(np.argmax(levels))
    assert all(np.diff(levels[: peak + 1]) >= 0)
    assert all(np.diff(levels[peak:]) <= 0)
    order = [phase for i, phase in enumerate(phases) if i == 0 or phase != phases[i - 1]]
    assert order == ["neutral", "onset", "apex", "offset", "neutral"]


def test_frames_of_a_clip_share_the_room():
    faces = take(plan(LOOKS["mmi"], 7, 1.0)[0])
    corners = np.array([face.pixels[:40, :40].mean() for face in faces])
    assert np.ptp(corners) < 2


def test_pictures_do_not_depend_on_the_workers():
    shots = plan(LOOKS["fer2013"], 7, 0.05)
    alone = list(portraits(shots, 1, "one"))
    shared = list(portraits(shots, 3, "three"))
    assert len(alone) == len(shared) == len(shots)
    for one, other in zip(alone, shared, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert (one.subject, one.emotion, one.votes) == (other.subject, other.emotion, other.votes)
