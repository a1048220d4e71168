import numpy as np
import pytest

from fer_pipeline.sample import scene
from fer_pipeline.sample.render import Head


def rng(seed=0):
    return np.random.default_rng(seed)


GRAY = np.full((60, 80, 3), 118, np.uint8)


def test_a_plain_camera_changes_nothing():
    picture = rng().integers(0, 256, (40, 50, 3), np.uint8)
    same = scene.photograph(picture, scene.Camera(0, 0, 1, 1, False), rng())
    assert np.abs(same.astype(int) - picture).max() <= 1


def test_noise_has_the_strength_asked_for():
    seen = scene.photograph(GRAY, scene.Camera(0, 6, 1, 1, True), rng())
    assert seen[:, :, 0].std() == pytest.approx(6, rel=0.05)
    assert np.ptp(seen, axis=2).max() == 0


def test_two_photographs_have_different_grain():
    draw, camera = rng(), scene.Camera(0, 6, 1, 1, True)
    one, two = (scene.photograph(GRAY, camera, draw) for _ in range(2))
    assert (one != two).mean() > 0.5


def test_contrast_turns_around_middle_gray():
    picture = np.full((4, 4, 3), 138, np.uint8)
    seen = scene.photograph(picture, scene.Camera(0, 0, 0.5, 1, False), rng())
    assert (seen == 128).all()


def test_gamma_by_hand():
    picture = np.full((4, 4, 3), 64, np.uint8)
    seen = scene.photograph(picture, scene.Camera(0, 0, 1, 2, False), rng())
    assert (seen == int((64 / 255) ** 2 * 255)).all()


def test_overlay_mixes_by_cover():
    picture = np.zeros((10, 10, 3), np.uint8)
    pixels = np.full((4, 4, 3), 200, np.uint8)
    cover = np.array([[0, 51, 102, 255]] * 4, np.uint8)
    head = Head(pixels, cover, (2, 3, 6, 7), np.zeros((68, 2)), np.zeros(4))
    scene.overlay(picture, head)
    assert picture[4, 2:6, 0].tolist() == [0, 40, 80, 200]
    assert picture[:3].max() == picture[7:].max() == 0


def test_walls_are_as_bright_as_asked():
    means = [scene.plain((60, 80), rng(seed), (100, 140)).mean() for seed in range(30)]
    assert min(means) > 90
    assert max(means) < 150


def test_places_differ():
    one, two = (scene.clutter((60, 80), rng(seed)) for seed in (1, 2))
    assert np.abs(one.astype(int) - two).mean() > 10
