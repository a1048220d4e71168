"""MTCNN against facenet-pytorch's own `MTCNN.detect`, picture by picture."""

import cv2
import numpy as np
import pytest

from fer_pipeline import images
from fer_pipeline.detectors import mtcnn
from fer_pipeline.errors import BadParams


def facenet(pictures, **settings):
    """[(boxes, probabilities, landmarks)] of facenet-pytorch, best first."""
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(1)
    detector = MTCNN(keep_all=True, select_largest=False, **settings)
    return [detector.detect(picture.copy(), landmarks=True) for picture in pictures]


def assert_same_faces(pictures, **settings):
    """Returns how many faces both found."""
    ours = mtcnn.load("cpu", **settings)(pictures)
    total = 0
    for found, (boxes, scores, points) in zip(ours, facenet(pictures, **settings), strict=True):
        assert len(found) == (0 if boxes is None else len(boxes))
        if found:
            np.testing.assert_allclose([face.box for face in found], boxes.astype(float), atol=0.02)
            np.testing.assert_allclose(
                [face.landmarks for face in found], points.astype(float), atol=0.02
            )
            np.testing.assert_allclose(
                [face.score for face in found], scores.astype(float), atol=1e-4
            )
        total += len(found)
    return total


def test_finds_what_facenet_finds(portraits, group):
    small = cv2.resize(portraits[0].pixels, (150, 115), interpolation=cv2.INTER_AREA)
    odd = np.ascontiguousarray(portraits[1].pixels[7:408, 31:622])
    assert assert_same_faces([*(each.pixels for each in portraits), group, small, odd]) >= 8


@pytest.mark.parametrize(
    "settings",
    [
        {"min_face_size": 60},
        {"thresholds": (0.5, 0.6, 0.9)},
        {"factor": 0.5},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_every_option_means_what_it_means_there(portraits, settings):
    assert assert_same_faces([portraits[0].pixels, portraits[2].pixels], **settings) >= 2


def test_noise_gives_the_same_false_alarms():
    rng = np.random.default_rng(5)
    blocks = rng.integers(0, 256, (12, 16, 3), np.uint8)
    noise = cv2.resize(blocks, (320, 240), interpolation=cv2.INTER_CUBIC)
    assert_same_faces([noise], thresholds=(0.3, 0.1, 0.05))


@pytest.mark.realdata
def test_finds_what_facenet_finds_in_photos(shared_data):
    pictures = []
    for path in sorted((shared_data / "photos").iterdir()):
        pixels = images.to_rgb(images.decode(path.read_bytes()))
        scale = 400 / max(pixels.shape)
        pictures.append(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    assert assert_same_faces(pictures) >= 40


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"min_face_size": 5}, "min_face_size"),
        ({"thresholds": (0.5, 0.6)}, "thresholds"),
        ({"thresholds": (0.5, 0.6, 1.0)}, "thresholds"),
        ({"factor": 1.0}, "factor"),
        ({"treshold": 1.0}, "did you mean 'thresholds'"),
    ],
)
def test_bad_options_are_named(options, key):
    with pytest.raises(BadParams, match=key):
        mtcnn.load("cpu", **options)
