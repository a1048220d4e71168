import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline

from fer_pipeline.sample.canvas import SPAN, TOP, Canvas, ellipse, ribbon, soften, spline, toned

RED = (200.0, 0.0, 0.0)
WHITE = (255.0, 255.0, 255.0)


def test_spline_is_catmull_rom():
    points = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0], [4.0, 4.0]])
    # SciPy's Hermite spline with the tangents that define Catmull-Rom; ends reflect.
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    expected = CubicHermiteSpline(np.arange(4), points, (padded[2:] - padded[:-2]) / 2)
    assert np.allclose(spline(points, steps=5), expected(np.linspace(0, 3, 16)))


def test_closed_spline_goes_through_all_points_once():
    points = ellipse(0, 0, 1, 1, 7)
    curve = spline(points, closed=True, steps=3)
    assert len(curve) == 21
    assert np.allclose(curve[::3], points)


def test_ribbon_of_a_straight_line_is_a_rectangle():
    line = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    outline = ribbon(line, np.full(3, 0.4))
    assert outline.min(axis=0).tolist() == pytest.approx([0, -0.2])
    assert outline.max(axis=0).tolist() == pytest.approx([2, 0.2])


def test_fill_covers_the_area_of_the_shape():
    canvas = Canvas(380, WHITE)
    canvas.fill(ellipse(0.3, 0.2, 0.8, 0.5, 80), RED, cover=True)
    painted = (canvas.cover / 255).sum() / canvas.unit**2
    assert painted == pytest.approx(np.pi * 0.8 * 0.5, rel=0.03)
    ys, xs = np.nonzero(canvas.cover > 128)
    centre = (xs.mean() + 0.5) / canvas.unit - SPAN / 2, (ys.mean() + 0.5) / canvas.unit + TOP
    assert centre == pytest.approx((0.3, 0.2), abs=0.01)


def test_fill_mixes_by_alpha_and_stays_inside_the_clip():
    canvas = Canvas(190, WHITE)
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    canvas.fill(square, RED, alpha=0.5, clip=square * (0.5, 1) + (0.5, 0))
    row = round((0 - TOP) * canvas.unit)
    right, left = round((0.5 + SPAN / 2) * canvas.unit), round((-0.5 + SPAN / 2) * canvas.unit)
    assert canvas.planes[:, row, right].tolist() == pytest.approx([227.5, 127.5, 127.5], abs=1)
    assert canvas.planes[:, row, left].tolist() == [255, 255, 255]


def test_several_forms_paint_as_each_alone():
    one, two = ellipse(-0.8, 0, 0.3, 0.3), ellipse(0.8, 0.4, 0.3, 0.2)
    together, apart = Canvas(190, WHITE), Canvas(190, WHITE)
    together.fill([one, two], RED)
    apart.fill(one, RED)
    apart.fill(two, RED)
    assert np.array_equal(together.planes, apart.planes)


def test_shapes_beyond_the_edge_are_left_out():
    canvas = Canvas(100, WHITE)
    canvas.fill(ellipse(40, 40, 1, 1), RED)
    canvas.stroke(ellipse(-40, 0, 1, 1), RED, 0.1)
    assert (canvas.planes == 255).all()


def test_thin_strokes_fade_instead_of_widening():
    thick, thin = Canvas(190, WHITE), Canvas(190, WHITE)
    line = np.array([[-1.0, 0.0], [1.0, 0.0]])
    thick.stroke(line, RED, 1 / thick.unit)
    thin.stroke(line, RED, 0.25 / thin.unit)
    ink = [(255 - canvas.planes[1]).sum() for canvas in (thick, thin)]
    assert ink[1] / ink[0] == pytest.approx(0.25, rel=0.02)


@pytest.mark.parametrize("sigma", [1.0, 3.0, 8.0])
def test_soften_has_the_width_asked_for(sigma):
    dot = np.zeros((121, 121), np.uint8)
    dot[50:71, 50:71] = 255
    soft = soften(dot, sigma).astype(float)
    xs = np.arange(121)
    profile = soft.sum(axis=0) / soft.sum()
    variance = (profile * (xs - (profile * xs).sum()) ** 2).sum()
    # A box of 21 has variance (21^2 - 1) / 12; blurring adds sigma squared.
    assert np.sqrt(variance - 440 / 12) == pytest.approx(sigma, rel=0.12)


def test_streaks_keep_to_the_polygon():
    canvas = Canvas(190, (100.0, 100.0, 100.0))
    table = np.resize([1.0, -1.0], 60)
    canvas.streak(np.array([[-0.5, -1], [0.5, -1], [0.5, 0], [-0.5, 0]]), table, 0.5)
    changed = canvas.planes[0] != 100
    ys, xs = np.nonzero(changed)
    assert changed.any()
    assert xs.min() / canvas.unit - SPAN / 2 >= -0.55
    assert xs.max() / canvas.unit - SPAN / 2 <= 0.55
    inside = canvas.planes[0, ys.min() + 2 : ys.max() - 1, xs.min() + 2 : xs.max() - 1]
    assert set(inside.round().ravel()) == {50, 150}


def test_toned_stays_within_bounds():
    assert toned((100, 200, 10), 2, (0, 0, -30)) == (200, 255, 0)
