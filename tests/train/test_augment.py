"""Variation of pictures: albumentations' own transforms are the reference."""

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from fer_pipeline.train import augment
from fer_pipeline.train.params import Augment


@pytest.fixture(scope="module")
def pictures():
    """(40, 48, 48, 1) smooth random pictures."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 6, 6), dtype=np.uint8)
    return np.stack([cv2.resize(small, (48, 48)) for small in noise])[..., None]


def only(**settings):
    return augment.NOTHING.model_copy(update=settings)


def varied(pictures, settings, epoch=1, seed=0, size=48):
    recipe = augment.draw(settings, 48, size, len(pictures), seed, epoch)
    return augment.apply(pictures, np.arange(len(pictures)), recipe)


def test_nothing_changes_nothing(pictures):
    np.testing.assert_array_equal(varied(pictures, augment.NOTHING), pictures)


def test_flip_is_a_mirror_image(pictures):
    np.testing.assert_array_equal(varied(pictures, only(flip=1.0)), pictures[:, :, ::-1])


def test_half_are_flipped(pictures):
    many = np.repeat(pictures[:1], 2000, axis=0)
    changed = (varied(many, only(flip=0.5)) != many).any(axis=(1, 2, 3))
    assert changed.mean() == pytest.approx(0.5, abs=0.04)


def test_warp_is_albumentations_affine(pictures):
    import albumentations as A

    settings = only(rotate=20.0, shift=0.1, zoom=0.2)
    recipe = augment.draw(settings, 48, 48, len(pictures), 0, 1)
    found = augment.apply(pictures, np.arange(len(pictures)), recipe)
    for number, picture in enumerate(pictures):
        matrix = recipe.matrix[number]
        scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
        angle = float(np.rad2deg(np.arctan2(matrix[0, 1], matrix[0, 0])))
        shift = matrix[:, :2] @ [23.5, 23.5] + matrix[:, 2] - 23.5
        reference = A.Affine(
            scale=(scale, scale),
            rotate=(angle, angle),
            translate_px={"x": (0, 0), "y": (0, 0)},
            border_mode=cv2.BORDER_REPLICATE,
            p=1.0,
        )
        assert 0.8 <= scale <= 1.2
        assert abs(angle) <= 20
        assert np.abs(shift).max() <= 4.8
        centred = recipe.matrix[number].copy()
        centred[:, 2] -= shift
        unshifted = cv2.warpAffine(
            picture, centred, (48, 48), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        difference = reference(image=picture)["image"][..., 0].astype(int) - unshifted
        assert np.abs(difference).max() <= 2
        moved = cv2.warpAffine(
            picture, matrix, (48, 48), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        np.testing.assert_array_equal(found[number, ..., 0], moved)


def test_brightness_and_contrast_are_linear(pictures):
    settings = only(brightness=0.2, contrast=0.3)
    recipe = augment.draw(settings, 48, 48, len(pictures), 0, 1)
    found = augment.apply(pictures, np.arange(len(pictures)), recipe)
    alpha, beta = recipe.alpha[:, None, None, None], recipe.beta[:, None, None, None]
    expected = np.clip(pictures * alpha + beta, 0, 255)
    assert np.abs(found - expected).max() <= 1
    assert 0.7 <= recipe.alpha.min() < recipe.alpha.max() <= 1.3
    assert -51 <= recipe.beta.min() < recipe.beta.max() <= 51


def test_erasing_fills_one_rectangle(pictures):
    settings = only(erase=1.0, erase_area=0.2)
    recipe = augment.draw(settings, 48, 48, len(pictures), 0, 1)
    found = augment.apply(pictures, np.arange(len(pictures)), recipe)
    for number, (x0, y0, x1, y1) in enumerate(recipe.hole):
        expected = pictures[number].copy()
        expected[y0:y1, x0:x1] = recipe.gray[number]
        np.testing.assert_array_equal(found[number], expected)
        assert 0 <= x0 < x1 <= 48
        assert 0 <= y0 < y1 <= 48
        assert 0.01 < (x1 - x0) * (y1 - y0) / 48**2 < 0.23


def test_erasing_has_its_probability(pictures):
    recipe = augment.draw(only(erase=0.3), 48, 48, 4000, 0, 1)
    assert (recipe.hole[:, 2] > 0).mean() == pytest.approx(0.3, abs=0.03)


def test_smaller_pictures_keep_their_place(pictures):
    found = varied(pictures, augment.NOTHING, size=24)
    expected = pictures.reshape(40, 24, 2, 24, 2).mean(axis=(2, 4))[..., None]
    assert found.shape == (40, 24, 24, 1)
    assert np.abs(found - expected).max() <= 1


def test_depends_on_seed_epoch_and_row_alone(pictures):
    settings = Augment()
    recipe = augment.draw(settings, 48, 48, 40, 3, 5)
    whole = augment.apply(pictures, np.arange(40), recipe)
    order = np.random.default_rng(1).permutation(40)
    np.testing.assert_array_equal(augment.apply(pictures[order], order, recipe), whole[order])
    np.testing.assert_array_equal(varied(pictures, settings, epoch=5, seed=3), whole)
    assert (varied(pictures, settings, epoch=6, seed=3) != whole).any(axis=(1, 2, 3)).all()
    assert (varied(pictures, settings, epoch=5, seed=4) != whole).any(axis=(1, 2, 3)).all()


def test_colour_pictures(pictures):
    colour = np.repeat(pictures, 3, axis=3)
    gray = varied(pictures, Augment())
    np.testing.assert_array_equal(varied(colour, Augment()), np.repeat(gray, 3, axis=3))


def test_frames_of_a_clip_are_varied_alike(pictures):
    clips = np.repeat(pictures[:, None], 3, axis=1)
    found = varied(clips, Augment())
    assert found.shape == clips.shape
    np.testing.assert_array_equal(found[:, 0], varied(pictures, Augment()))
    np.testing.assert_array_equal(found[:, 0], found[:, 2])


def test_strength_grows_over_the_ramp():
    settings = Augment(rotate=10.0, erase=0.4, flip=0.5, ramp=0.5)
    rotations = [augment.grown(settings, epoch, 8).rotate for epoch in range(1, 9)]
    assert rotations == pytest.approx([0, 2.5, 5, 7.5, 10, 10, 10, 10])
    assert augment.grown(settings, 3, 8).erase == pytest.approx(0.2)
    assert augment.grown(settings, 1, 8).flip == 0.5
    assert augment.grown(Augment(rotate=10.0), 1, 8).rotate == 10.0


@pytest.mark.parametrize(
    "name", sorted(Augment.model_fields.keys() - {"erase_area", "ramp", "strength"})
)
def test_every_key_changes_something(pictures, name):
    value = 1.0 if name in ("flip", "erase") else 0.3
    assert (varied(pictures, only(**{name: value})) != pictures).any()


def test_strength_multiplies_what_varies():
    settings = Augment(strength=0.5, rotate=10.0, erase=0.4, flip=0.5)
    found = augment.grown(settings, 3, 8)
    assert (found.rotate, found.erase, found.flip) == (5.0, 0.2, 0.5)
    assert augment.grown(settings.model_copy(update={"strength": 2.0}), 3, 8).rotate == 20.0


def test_strength_keeps_pictures_from_turning_inside_out():
    with pytest.raises(ValidationError, match="strength x zoom must stay below 1"):
        Augment(strength=2.0, zoom=0.5)
