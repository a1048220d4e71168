import numpy as np
import pytest

from fer_pipeline.sample.casting import plan
from fer_pipeline.sample.generate import portraits
from fer_pipeline.sample.looks import LOOKS


def test_pictures_do_not_depend_on_the_workers():
    shots = plan(LOOKS["fer2013"], 7, 0.05)
    alone = list(portraits(shots, 1, "one"))
    shared = list(portraits(shots, 3, "three"))
    assert len(alone) == len(shared) == len(shots)
    for one, other in zip(alone, shared, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert (one.subject, one.emotion, one.votes) == (other.subject, other.emotion, other.votes)


@pytest.mark.parametrize("workers", [1, 2])
def test_frames_of_clips_follow_each_other(workers):
    shots = plan(LOOKS["ckplus"], 7, 0.08)
    faces = list(portraits(shots, workers, "clips"))
    expected = [(s.subject, s.sequence, frame) for s in shots for frame in range(s.frames)]
    assert [(face.subject, face.sequence, face.frame) for face in faces] == expected
