"""The picture of a head, and whether detectors take it for one."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fer_pipeline import registry
from fer_pipeline.faces import iou
from fer_pipeline.sample import geometry, identity, relief, render
from fer_pipeline.sample.casting import plan
from fer_pipeline.sample.looks import LOOKS
from fer_pipeline.sample.pose import Pose
from fer_pipeline.sample.shots import take

SIZE = 160
STREAKS = np.zeros(90)
FRONT = render.Light((0.0, 0.0, 1.0), 0.5, 1.0, (1.0, 1.0, 1.0))


def drawn(seed=3, units=None, pose=None, light=FRONT, who=None):
    who = who or identity.person(np.random.default_rng(seed), glasses=0)
    shape = geometry.shape(who, units or {}, 0)
    pose = pose or Pose(0, 0, 0, SIZE / 2, SIZE / 2, 40)
    return render.head(who, shape, pose, light, (SIZE, SIZE), (0.0, 0.0), STREAKS)


def on_white(head):
    picture = np.full((SIZE, SIZE, 3), 255.0)
    x0, y0, x1, y1 = head.place
    cover = head.cover[:, :, None] / 255
    picture[y0:y1, x0:x1] += (head.pixels - picture[y0:y1, x0:x1]) * cover
    return picture


def test_points_lie_on_what_they_name():
    picture, points = on_white(drawn()), drawn().landmarks
    gray = picture.mean(axis=2)

    def level(x, y):
        return cv2.getRectSubPix(gray.astype(np.float32), (5, 3), (float(x), float(y))).mean()

    cheek = level(*(points[2] * 0.4 + points[31] * 0.6))
    pupils = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    assert all(level(*pupil) < 0.6 * cheek for pupil in pupils)
    assert all(level(*points[brow]) < 0.8 * cheek for brow in (18, 19, 24, 25))
    assert level(*points[62]) < 0.8 * cheek


def test_the_box_holds_the_points():
    for yaw in (-20, 0, 20):
        head = drawn(pose=Pose(yaw, 5, -8, SIZE / 2, SIZE / 2, 40))
        x0, y0, x1, y1 = head.box
        assert (head.landmarks >= (x0 - 0.01, y0 - 0.01)).all()
        assert (head.landmarks <= (x1 + 0.01, y1 + 0.01)).all()


def worn(**changes):
    """A man's face, drawn with the changes."""
    plain = identity.person(np.random.default_rng(3), gender="male", glasses=0)
    return on_white(drawn(who=replace(plain, **({"beard": "none"} | changes))))


@pytest.mark.parametrize(
    ("change", "inside", "outside"),
    [
        ({"beard": "full"}, [8, 57], [27, 37, 44]),
        ({"beard": "moustache"}, [33, 51], [8, 27, 37]),
        ({"glasses": 2}, [36, 45], [8, 57]),
    ],
)
def test_what_a_face_wears_shows_where_it_is_worn(change, inside, outside):
    difference = np.abs(worn(**change) - worn()).mean(axis=2)
    points = drawn().landmarks

    def changed(point):
        x, y = (round(value) for value in points[point])
        return difference[y - 6 : y + 7, x - 6 : x + 7].max()

    assert max(changed(point) for point in inside) > 20
    assert max(changed(point) for point in outside) < 5


def test_hair_has_its_own_colour():
    dark, fair = worn(hair=(30, 24, 20)), worn(hair=(220, 190, 120))
    assert (fair - dark)[:, SIZE // 2].mean(axis=1).max() > 60


def test_light_from_one_side_shades_the_other():
    picture = on_white(drawn(light=render.Light((1.0, 0.0, 1.0), 0.4, 1.0, (1.0, 1.0, 1.0))))
    points = drawn().landmarks
    left, right = (
        picture[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4].mean()
        for x, y in (points[3] * 0.5 + points[31] * 0.5, points[13] * 0.5 + points[35] * 0.5)
    )
    assert right > 1.15 * left


def test_shading_of_a_plane_is_lamberts_law():
    flat = np.zeros((relief.GRID, relief.GRID), np.float32)
    light = np.array([np.sin(0.6), 0, np.cos(0.6)])
    bright, _ = relief.shading(flat, flat, light, 0.0)
    assert np.allclose(bright, np.cos(0.6), atol=1e-6)


def test_shading_of_a_slope_is_lamberts_law():
    # `bumps` rising by 0.5 per unit along x: the normal is (-0.5, 0, 1) / sqrt(1.25).
    step = 3.8 / relief.GRID
    ramp = np.tile(np.arange(relief.GRID, dtype=np.float32) * step * 0.5, (relief.GRID, 1))
    bright, _ = relief.shading(np.zeros_like(ramp), ramp, np.array([0.0, 0, 1]), 0.0)
    assert np.allclose(bright[5:-5, 5:-5], 1 / np.sqrt(1.25), atol=1e-4)


def test_the_same_head_is_drawn_twice():
    first, second = drawn(units={12: 4, 6: 3}), drawn(units={12: 4, 6: 3})
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.landmarks, second.landmarks)


def test_expressions_change_the_mouth_and_leave_the_forehead():
    calm, smiling = on_white(drawn()), on_white(drawn(units={12: 5, 25: 5}))
    change = np.abs(calm - smiling).mean(axis=2)
    points = drawn().landmarks
    mouth = change[int(points[51, 1]) : int(points[57, 1]) + 8].mean()
    forehead = change[20:40].mean()
    assert mouth > 5 > forehead


WIDEST = 320


@pytest.fixture(scope="module")
def stills():
    """120 pictures of five looks, 140 to 320 px wide, the clips at mid-course, and true boxes."""
    pictures = []
    for name in ("rafdb", "affectnet", "jaffe", "ckplus", "mmi"):
        shots = plan(LOOKS[name], 7, 1.0)
        for shot in shots[:: len(shots) // 24][:24]:
            faces = take(shot)
            face = faces[len(faces) // 2]
            height, width = face.pixels.shape[:2]
            scale = min(1.0, WIDEST / width)
            size = round(width * scale), round(height * scale)
            pixels = cv2.resize(face.pixels, size, interpolation=cv2.INTER_AREA)
            pictures.append((pixels, face.box * scale))
    return pictures


@pytest.mark.slow
@pytest.mark.parametrize(("detector", "share"), [("mtcnn", 0.95), ("dlib", 0.90), ("haar", 0.80)])
def test_detectors_find_the_faces_where_they_are(stills, detector, share):
    if detector == "dlib":
        pytest.importorskip("dlib")
    detect = registry.load("detectors", detector).load("cpu")
    answers = detect([pixels for pixels, _ in stills])
    found = [
        any(iou(face.box, box) > 0.4 for face in faces)
        for faces, (_, box) in zip(answers, stills, strict=True)
    ]
    print(f"{detector}: {np.mean(found):.3f}")
    assert np.mean(found) >= share
