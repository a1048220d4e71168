"""Eyes inside a found face; the score as a threshold."""

import numpy as np
import pytest

from fer_pipeline.detectors import haar


def test_eyes_are_known_together_or_not_at_all(load, portraits):
    for faces in load("haar")([portrait.pixels for portrait in portraits]):
        for face in faces:
            known = ~np.isnan(face.landmarks).any(axis=1)
            assert known.tolist() in ([True, True, False, False, False], [False] * 5)


def test_a_face_without_eyes_is_still_found(load, portraits, five_points):
    pixels = portraits[0].pixels.copy()
    detect = load("haar", min_neighbors=2)
    plain = detect([pixels])[0][0]
    assert not np.isnan(plain.landmarks[:2]).any()
    x0, y0 = (five_points[0, :2].min(axis=0) - 12).astype(int)
    x1, y1 = (five_points[0, :2].max(axis=0) + 12).astype(int)
    pixels[y0:y1, x0:x1] = pixels[y1 : y1 + 1, x0:x1].mean(axis=(0, 1)).astype(np.uint8)
    for face in detect([pixels])[0]:
        assert np.isnan(face.landmarks).all()


@pytest.mark.parametrize(
    ("first", "second", "plausible"),
    [
        ((0.3, 0.4), (0.7, 0.4), True),
        ((0.7, 0.4), (0.3, 0.4), False),  # the wrong way round
        ((0.3, 0.4), (0.48, 0.4), False),  # both in one half
        ((0.42, 0.4), (0.58, 0.4), False),  # too near
        ((0.1, 0.4), (0.9, 0.4), False),  # too far apart
        ((0.3, 0.3), (0.7, 0.42), True),  # tilted by 17 degrees
        ((0.3, 0.3), (0.7, 0.46), False),  # tilted by 22
    ],
)
def test_what_can_be_a_pair_of_eyes(first, second, plausible):
    assert haar._plausible(np.array(first), np.array(second)) is plausible


def test_min_score_keeps_the_surest(load, group):
    scores = [face.score for face in load("haar", min_neighbors=1)([group])[0]]
    least = scores[0] - 1e-6
    kept = load("haar", min_neighbors=1, min_score=least)([group])[0]
    assert [face.score for face in kept] == [score for score in scores if score >= least]
    assert len(kept) < len(scores) or len(scores) == 1
