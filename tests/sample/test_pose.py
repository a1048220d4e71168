import numpy as np
import pytest

from fer_pipeline.sample.canvas import SPAN, TOP
from fer_pipeline.sample.pose import Pose, depth_at, lookup

POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
FLAT = np.zeros((64, 64), np.float32)


def pose(yaw=0.0, pitch=0.0, roll=0.0):
    return Pose(yaw, pitch, roll, 100, 80, 40)


def test_an_upright_head_is_scaled_and_shifted():
    seen = pose().project(POINTS, np.zeros(3))
    assert np.allclose(seen, [[100, 80], [140, 80], [100, 120]])


def test_roll_is_clockwise():
    seen = pose(roll=90).project(POINTS, np.zeros(3))
    assert np.allclose(seen, [[100, 80], [100, 120], [60, 80]])


def test_yaw_shortens_the_width_and_carries_the_nose_to_the_right():
    seen = pose(yaw=30).project(POINTS, np.array([0.5, 0.0, 0.0]))
    assert seen[1, 0] - 100 == pytest.approx(40 * np.cos(np.pi / 6))
    assert seen[0, 0] - 100 == pytest.approx(40 * 0.5 * np.sin(np.pi / 6))


def test_pitch_carries_the_nose_down():
    assert pose(pitch=20).project(POINTS[:1], np.array([0.5]))[0, 1] > 80


def test_directions_turn_with_the_head():
    # A lamp at the right of the room shines squarely on a face that is turned to it.
    lamp = np.array([np.sin(np.radians(30)), 0, np.cos(np.radians(30))])
    assert np.allclose(pose(yaw=30).turned(lamp), [0, 0, 1])
    assert np.linalg.norm(pose(20, -10, 5).turned(lamp)) == pytest.approx(1)


def test_depth_is_read_between_the_cells():
    field = np.tile(np.arange(64, dtype=np.float32), (64, 1))
    x = -SPAN / 2 + (20.5 + 0.25) * SPAN / 64
    assert depth_at(field, np.array([[x, 0.0]]))[0] == pytest.approx(20.25, abs=0.05)


@pytest.mark.parametrize("angles", [(0, 0, 0), (20, 0, 0), (-15, 10, 8), (25, -12, -20)])
def test_lookup_inverts_projection(angles):
    grid = (np.arange(64) + 0.5) / 64 * SPAN
    x, y = grid[None] - SPAN / 2, grid[:, None] + TOP
    field = (0.8 - 0.5 * (x**2 + 0.4 * y**2)).astype(np.float32)
    there = pose(*angles)
    points = np.array([[0.0, 0.4], [0.5, 0.0], [-0.6, 0.3], [0.1, 1.2]])
    seen = there.project(points, depth_at(field, points))
    found = np.dstack(lookup(there, field, (0, 0, 200, 200)))
    columns, rows = np.rint(seen).astype(int).T
    assert np.abs(found[rows, columns] - points).max() < 1.5 / 40


def test_lookup_of_a_part_is_a_part_of_the_whole():
    whole = np.dstack(lookup(pose(10, 5, 3), FLAT, (0, 0, 120, 100)))
    part = np.dstack(lookup(pose(10, 5, 3), FLAT, (40, 20, 120, 100)))
    assert np.allclose(part, whole[20:, 40:], atol=1e-4)
