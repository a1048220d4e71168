import numpy as np
import pytest

from fer_pipeline.sample.geometry import shape
from fer_pipeline.sample.identity import person

WHO = person(np.random.default_rng(1))
REST = shape(WHO, {}, 0).points


def moved(units, side=0):
    return shape(WHO, units, side).points - REST


def test_a_resting_face_is_symmetric():
    mirror = [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1)]
    mirror += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    mirror += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    assert np.allclose(REST[mirror] * (-1, 1), REST)


def test_points_follow_the_ibug_order():
    assert np.all(np.diff(REST[1:16, 0]) > 0), "jaw from the picture's left to right"
    assert REST[8, 1] == REST[:, 1].max(), "point 8 is the chin"
    assert np.all(np.diff(REST[17:27, 0]) > 0), "brows from left to right"
    assert np.all(np.diff(REST[27:31, 1]) > 0), "bridge of the nose downwards"
    assert REST[36, 0] < REST[39, 0] < REST[42, 0] < REST[45, 0], "eye corners"
    assert REST[37, 1] < REST[41, 1], "upper lid above lower lid"
    assert REST[48, 0] < REST[51, 0] < REST[54, 0], "mouth corners around the middle"
    assert REST[51, 1] < REST[62, 1] <= REST[66, 1] < REST[57, 1], "lips from top to bottom"


@pytest.mark.parametrize(
    ("unit", "points", "axis", "sign"),
    [
        (1, [21, 22], 1, -1),
        (2, [17, 26], 1, -1),
        (4, [20, 23], 1, 1),
        (5, [37, 38, 43, 44], 1, -1),
        (7, [40, 41, 46, 47], 1, -1),
        (9, [31, 35], 1, -1),
        (10, [51], 1, -1),
        (12, [48, 54], 1, -1),
        (15, [48, 54], 1, 1),
        (16, [57], 1, 1),
        (17, [57], 1, -1),
        (26, [8, 57], 1, 1),
        (27, [8, 57], 1, 1),
        (43, [37, 38], 1, 1),
    ],
)
def test_action_units_move_their_points(unit, points, axis, sign):
    shift = moved({unit: 5})[points, axis] * sign
    assert (shift > 0.01).all()


def test_stretch_and_tightening_change_the_width_of_the_mouth():
    for unit, wider in ((20, True), (12, True), (23, False), (27, False)):
        change = moved({unit: 5})
        assert bool(change[54, 0] > change[48, 0]) is wider


def test_jaw_drop_parts_the_lips_in_order_of_strength():
    gaps = []
    for unit in (25, 26, 27):
        points = shape(WHO, {unit: 5}, 0).points
        gaps.append(points[66, 1] - points[62, 1])
    assert 0 < gaps[0] < gaps[1] < gaps[2]
    assert REST[66, 1] == REST[62, 1], "a resting mouth is closed"


def test_half_the_intensity_is_less_movement():
    full, half = np.abs(moved({12: 5})).max(), np.abs(moved({12: 2.5})).max()
    assert half == pytest.approx(full / 2, rel=0.05)


@pytest.mark.parametrize("side", [-1, 1])
def test_one_sided_units_leave_the_other_corner_alone(side):
    change = moved({12: 4, 14: 4}, side)
    acting, still = (54, 48) if side > 0 else (48, 54)
    assert change[acting, 1] < -0.05
    assert np.allclose(change[still], 0, atol=1e-9)
