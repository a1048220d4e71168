"""Choice and alignment on cases worked by hand, and against OpenCV's own estimate."""

import cv2
import numpy as np
import pytest

from fer_pipeline import faces
from fer_pipeline.faces import Face


def face(box, landmarks=None, score=0.9):
    points = faces.no_landmarks() if landmarks is None else np.asarray(landmarks, np.float32)
    return Face(np.asarray(box, np.float32), points, score)


def moved(points, scale, degrees, shift):
    """Points under a similarity: turned clockwise as seen (y goes down), then shifted."""
    turn = np.radians(degrees)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return points @ matrix.T + shift


def test_iou():
    a = np.array([0, 0, 10, 10])
    assert faces.iou(a, a) == 1
    assert faces.iou(a, np.array([5, 0, 15, 10])) == pytest.approx(50 / 150)
    assert faces.iou(a, np.array([2, 2, 6, 7])) == pytest.approx(20 / 100)
    assert faces.iou(a, np.array([10, 0, 20, 10])) == 0
    assert faces.iou(a, np.array([20, 20, 30, 30])) == 0


def test_the_largest_face_is_chosen():
    small, large = face([40, 40, 60, 60]), face([20, 20, 80, 80])
    assert faces.choose([small, large], 100, 100) is large


def test_a_face_in_the_middle_beats_a_slightly_larger_one_at_the_edge():
    # Middle: 0.16. Corner: 0.2025 - 2 * 2 * 27.5^2 / 20000 = 0.2025 - 0.15125 = 0.05.
    middle, corner = face([30, 30, 70, 70]), face([0, 0, 45, 45])
    assert faces.choose([corner, middle], 100, 100) is middle
    # Far larger wins all the same: 0.64 - 2 * 2 * 10^2 / 20000 = 0.62.
    assert faces.choose([middle, big := face([0, 0, 80, 80])], 100, 100) is big


def test_ties_go_to_the_higher_score():
    first, second = face([30, 30, 70, 70], score=0.7), face([30, 30, 70, 70], score=0.8)
    assert faces.choose([first, second], 100, 100) is second


def test_a_given_box_decides():
    small, large = face([5, 5, 25, 25]), face([30, 30, 90, 90])
    given = np.array([4, 4, 26, 27])
    assert faces.choose([small, large], 100, 100, given) is small
    assert faces.choose([small, large], 100, 100, np.array([95, 0, 99, 4])) is large


def test_nothing_to_choose():
    with pytest.raises(ValueError, match="no face"):
        faces.choose([], 10, 10)


def test_similarity_recovers_turn_scale_and_shift():
    source = np.array([[0, 0], [10, 0], [3, 7], [1, 9], [8, 8]], float)
    target = moved(source, 2.5, 30, [4, -6])
    matrix = faces.similarity(source, target)
    assert matrix[0, 0] == pytest.approx(2.5 * np.cos(np.pi / 6))
    assert matrix[1, 0] == pytest.approx(2.5 * 0.5)
    np.testing.assert_allclose(matrix[:, 2], [4, -6], atol=1e-12)


def test_similarity_is_the_least_squares_one():
    """Against a general solver: parameters a, b, x, y of [[a, -b, x], [b, a, y]]."""
    rng = np.random.default_rng(4)
    source, target = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    rows = [[x, -y, 1, 0] for x, y in source] + [[y, x, 0, 1] for x, y in source]
    a, b, x, y = np.linalg.lstsq(np.array(rows), target.T.ravel(), rcond=None)[0]
    np.testing.assert_allclose(faces.similarity(source, target), [[a, -b, x], [b, a, y]])


def test_similarity_of_one_spot_is_refused():
    with pytest.raises(ValueError, match="one point"):
        faces.similarity(np.ones((2, 2)), np.eye(2))


def marked(points, height=300, width=260):
    """A black picture with a soft white dot on each point, as a camera would see it."""
    y, x = np.mgrid[:height, :width]
    dots = [np.exp(-((x - px) ** 2 + (y - py) ** 2) / 18) for px, py in points]
    return np.rint(255 * np.max(dots, axis=0)).astype(np.uint8)


def centre_of(crop, point, reach=6):
    """Centre of mass of the dot near `point`."""
    x0, y0 = (np.rint(point) - reach).astype(int)
    part = crop[y0 : y0 + 2 * reach + 1, x0 : x0 + 2 * reach + 1].astype(float)
    y, x = np.mgrid[: part.shape[0], : part.shape[1]]
    return np.array([(part * x).sum(), (part * y).sum()]) / part.sum() + (x0, y0)


@pytest.mark.parametrize("degrees", [0, 25, -70, 180])
def test_five_points_land_on_the_template(degrees):
    points = moved(faces.TEMPLATE - 56, 1.0, degrees, [130, 150])
    crop, how = faces.align(marked(points), face([70, 90, 190, 210], points), 112)
    assert how == faces.FIVE_POINTS
    assert crop.shape == (112, 112)
    for target in faces.TEMPLATE:
        np.testing.assert_allclose(centre_of(crop, target), target, atol=0.25)


@pytest.mark.parametrize("size", [56, 112, 224])
def test_the_template_scales_with_the_crop(size):
    points = faces.TEMPLATE + 70
    crop, _ = faces.align(marked(points), face([70, 70, 182, 182], points), size)
    scaled = faces.TEMPLATE * size / 112
    np.testing.assert_allclose(centre_of(crop, scaled[2], max(3, size // 18)), scaled[2], atol=0.6)


def test_a_large_face_is_averaged_and_not_shifted():
    """Shrunk eightfold: the picture is averaged first, about pixel centres."""
    points = faces.TEMPLATE * 8 + 3.5
    ramp = np.tile(np.arange(900) * 0.25, (900, 1)).astype(np.uint8)
    noise = ((np.indices((900, 900)).sum(axis=0) % 2) * 20).astype(np.uint8)
    crop, how = faces.align(ramp + noise, face([0, 0, 890, 890], points), 112)
    assert how == faces.FIVE_POINTS
    # Crop pixel x shows the picture about 8 * x + 3.5: value 2 * x + 0.875, less 0.375 for
    # rounding down, plus the mean 10 of the fine checks, which must not show.
    expected = 2 * np.arange(112) + 10.5
    np.testing.assert_allclose(crop[50, 5:105], expected[5:105], atol=1)


def test_eyes_alone_align_both_exactly():
    points = faces.no_landmarks()
    points[:2] = moved(faces.TEMPLATE[:2] - 56, 1.1, 12, [120, 140])
    crop, how = faces.align(marked(points[:2]), face([60, 80, 180, 200], points), 112)
    assert how == faces.EYES
    for target in faces.TEMPLATE[:2]:
        np.testing.assert_allclose(centre_of(crop, target), target, atol=0.2)


def test_four_points_count_as_eyes_and_one_eye_as_none():
    points = (faces.TEMPLATE + 60).astype(np.float32)
    points[4] = np.nan
    assert faces.align(marked(points[:4]), face([60, 60, 172, 172], points), 112)[1] == faces.EYES
    points[1] = np.nan
    assert faces.align(marked(points[:1]), face([60, 60, 172, 172], points), 112)[1] == faces.BOX


def test_a_box_is_made_square_and_widened_by_a_tenth():
    # 60 x 100 about (100, 100): a square of 110 from 45 to 155.
    crop, how = faces.align(marked([(100, 100)]), face([70, 50, 130, 150]), 110)
    assert how == faces.BOX
    np.testing.assert_allclose(centre_of(crop, np.array([55, 55])), [55, 55], atol=0.1)
    picture = np.zeros((300, 260), np.uint8)
    picture[:, 45:155] = 200
    crop, _ = faces.align(picture, face([70, 50, 130, 150]), 110)
    assert crop[:, 1:-1].min() == 200


@pytest.mark.parametrize(
    "points",
    [
        np.full((5, 2), 90.0),
        np.full((5, 2), 90.0) + np.eye(5, 2) * 0.01,
        faces.TEMPLATE[[1, 0, 2, 3, 4]] * 0.01 + 90,
        np.array([[80, 100], [81, 100], [np.nan] * 2, [np.nan] * 2, [np.nan] * 2]),
    ],
    ids=["one spot", "nearly", "tiny", "eyes a pixel apart"],
)
def test_landmarks_that_make_no_face_leave_the_box(points):
    picture = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    with_points = faces.align(picture, face([50, 50, 150, 150], points), 64)
    without = faces.align(picture, face([50, 50, 150, 150]), 64)
    assert with_points[1] == faces.BOX
    np.testing.assert_array_equal(with_points[0], without[0])


def test_beyond_the_edge_the_edge_is_repeated():
    picture = np.full((50, 50, 3), (10, 20, 30), np.uint8)
    crop, _ = faces.align(picture, face([-30, -30, 60, 60]), 80)
    assert (crop == (10, 20, 30)).all()


def test_colour_and_gray_are_kept():
    points = faces.TEMPLATE + 10
    for shape in ((130, 130), (130, 130, 3)):
        crop, _ = faces.align(np.zeros(shape, np.uint8), face([10, 10, 122, 122], points), 96)
        assert crop.shape == (96, 96, *shape[2:])
        assert crop.dtype == np.uint8


def test_as_opencv_estimates_it():
    rng = np.random.default_rng(8)
    points = moved(faces.TEMPLATE, 1.7, 9, [30, 20]) + rng.normal(0, 0.05, (5, 2))
    # With next to no noise RANSAC's refined estimate and least squares agree.
    theirs, _ = cv2.estimateAffinePartial2D(points, faces.TEMPLATE.astype(np.float64))
    np.testing.assert_allclose(faces.similarity(points, faces.TEMPLATE), theirs, atol=0.05)
