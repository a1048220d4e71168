from dataclasses import replace

import numpy as np
import pytest

from fer_pipeline.sample.casting import plan
from fer_pipeline.sample.looks import LOOKS
from fer_pipeline.sample.shots import take, timeline

STILLS = [name for name, look in LOOKS.items() if not look.frames]
CLIPS = [name for name, look in LOOKS.items() if look.frames]


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


def test_something_before_a_face_hides_part_of_it():
    look = replace(LOOKS["rafdb"], occlusion=0.0)
    shots = plan(look, 7, 0.1)[:8]
    hidden = 0
    for shot in shots:
        free, covered = (take(replace(shot, look=replace(look, occlusion=chance)))[0]
                         for chance in (0.0, 1.0))  # fmt: skip
        changed = np.abs(free.pixels.astype(int) - covered.pixels).max(axis=2) > 30
        assert changed.mean() < 0.6, "the rest is the same picture"
        x0, y0, x1, y1 = free.box.astype(int)
        hidden += changed[max(y0, 0) : y1, max(x0, 0) : x1].mean() > 0.03
    assert hidden >= 6
