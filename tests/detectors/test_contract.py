"""What every detector promises; a new file in detectors/ is tested the moment it exists."""

import inspect

import numpy as np
import pytest

from fer_pipeline import registry
from fer_pipeline.errors import BadParams
from fer_pipeline.faces import iou

NAMES = registry.names("detectors")
FINDERS = [name for name in NAMES if name != "precropped"]


@pytest.mark.parametrize("name", NAMES)
def test_documents_itself(name):
    module = registry.load("detectors", name)
    assert module.__doc__
    assert next(iter(inspect.signature(module.load).parameters)) == "device"


@pytest.mark.parametrize("name", NAMES)
def test_faces_have_the_shapes_and_types_of_the_vocabulary(name, load, portraits, group):
    found = load(name)([portraits[0].pixels, group])
    assert len(found) == 2
    for faces in found:
        assert faces
        for face in faces:
            assert (face.box.shape, face.box.dtype) == ((4,), np.float32)
            assert (face.landmarks.shape, face.landmarks.dtype) == ((5, 2), np.float32)
            assert isinstance(face.score, float)
            assert (face.box[2:] > face.box[:2]).all()


@pytest.mark.parametrize("name", NAMES)
def test_best_score_comes_first(name, load, group):
    scores = [face.score for face in load(name)([group])[0]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("name", FINDERS)
def test_the_drawn_faces_are_found_where_they_are(name, load, portraits):
    found = load(name)([portrait.pixels for portrait in portraits])
    hits = [
        any(iou(face.box, portrait.box) > 0.4 for face in faces)
        for faces, portrait in zip(found, portraits, strict=True)
    ]
    assert sum(hits) >= 3


@pytest.mark.parametrize("name", FINDERS)
def test_known_landmarks_are_in_the_order_of_the_template(name, load, portraits, five_points):
    found = load(name)([portrait.pixels for portrait in portraits])
    compared = 0
    for faces, portrait, truth in zip(found, portraits, five_points, strict=True):
        face = max(faces, key=lambda face: iou(face.box, portrait.box))
        known = ~np.isnan(face.landmarks).any(axis=1)
        errors = np.linalg.norm(face.landmarks - truth, axis=1)[known]
        # A swapped pair of eyes or mouth corners would be off by an eye distance or nearly.
        assert (errors < 0.35 * np.linalg.norm(truth[1] - truth[0])).all()
        compared += known.sum()
    assert compared >= 4


@pytest.mark.parametrize("name", FINDERS)
def test_two_faces_in_one_picture(name, load, group, portraits):
    found = load(name)([group])[0]
    for shift, portrait in zip((0, 640), portraits[:2], strict=True):
        box = portrait.box + np.array([shift, 0, shift, 0])
        assert any(iou(face.box, box) > 0.4 for face in found)


@pytest.mark.parametrize("name", FINDERS)
@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((120, 90, 3), np.uint8),
        np.full((64, 64, 3), 255, np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((5, 300, 3), np.uint8),
    ],
    ids=["black", "white", "one pixel", "a strip"],
)
def test_nothing_is_found_in_nothing(name, load, picture):
    assert load(name)([picture]) == [[]]


@pytest.mark.parametrize("name", NAMES)
def test_no_pictures_no_answers(name, load):
    assert load(name)([]) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_depends_on_the_picture_alone(name, load, portraits, group):
    """Not on its neighbours in the batch, nor on what was seen before; nor is it changed."""
    detect = load(name)
    pictures = [portraits[2].pixels, group, portraits[3].pixels]
    before = [picture.copy() for picture in pictures]
    together = detect(pictures)
    alone = [detect([picture])[0] for picture in reversed(pictures)][::-1]
    fresh = load(name)(pictures)
    for other in (alone, fresh):
        for faces, same in zip(together, other, strict=True):
            assert len(faces) == len(same)
            for face, twin in zip(faces, same, strict=True):
                np.testing.assert_array_equal(face.box, twin.box)
                np.testing.assert_array_equal(face.landmarks, twin.landmarks)
                assert face.score == twin.score
    for picture, copy in zip(pictures, before, strict=True):
        np.testing.assert_array_equal(picture, copy)


@pytest.mark.parametrize("name", NAMES)
def test_memory_layout_does_not_matter(name, load, portraits):
    """A view with strides of its own (a crop, a mirrored or planar picture) is read right."""
    planar = np.ascontiguousarray(portraits[0].pixels.transpose(2, 0, 1)).transpose(1, 2, 0)
    detect = load(name)
    (plain,), (strided,) = detect([portraits[0].pixels]), detect([planar])
    assert [face.box.tolist() for face in plain] == [face.box.tolist() for face in strided]


@pytest.mark.parametrize("name", NAMES)
def test_unknown_options_and_devices_are_refused(name):
    module = registry.load("detectors", name)
    with pytest.raises(BadParams, match=rf"detect\.options\.{name}\.min_scoer is no parameter"):
        module.load("cpu", min_scoer=0.5)
    with pytest.raises(ValueError, match="not on 'tpu'"):
        module.load("tpu")
