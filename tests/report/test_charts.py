import re

import pytest

from fer_pipeline.report.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    SHARE,
    SMALL,
    TOP,
    Axis,
    Line,
    epochs,
    fitted,
    line_chart,
    thinned,
)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.31, 1.87], [0, 0.5, 1, 1.5, 2]),
        ([3, 17], [0, 5, 10, 15, 20]),
        ([0.012, 0.019], [0.012, 0.014, 0.016, 0.018, 0.02]),
        ([2, 2], [1, 1.5, 2, 2.5, 3]),
    ],
)
def test_fitted_axes_have_round_ticks_around_the_values(values, ticks):
    axis = fitted(values)
    assert list(axis.ticks) == pytest.approx(ticks)
    assert axis.low <= min(values) <= max(values) <= axis.high


def test_epochs_are_whole_numbers_from_one():
    assert list(epochs(3).ticks) == [1, 2, 3]
    assert list(epochs(40).ticks) == [1, 10, 20, 30, 40]
    assert epochs(1).high > epochs(1).low


def points(svg, style):
    path = re.search(rf'<path class="line {style}" d="M([^"]+)"', svg).group(1)
    return [tuple(map(float, point.split())) for point in path.split("L")]


def test_line_runs_through_the_right_places():
    line = Line((0, 0.5, 1), (0, 1, 0.5), "val")
    svg = line_chart("a", "alt", [line], SHARE, SHARE)
    left, right = LEFT, SMALL.width - RIGHT
    top, bottom = TOP, SMALL.height - BOTTOM
    middle = (left + right) / 2
    assert points(svg, "val") == [(left, bottom), (middle, top), (right, (top + bottom) / 2)]


def test_one_epoch_is_a_dot_and_values_beyond_the_axis_stay_on_it():
    svg = line_chart("a", "alt", [Line((1,), (3,), "val")], Axis(1, 2, (1, 2)), SHARE)
    assert points(svg, "val") == [(LEFT, TOP)] * 2


def test_names_are_escaped():
    assert "<b>" not in line_chart("<b>", '"<b>', [], SHARE, SHARE)


def test_thinned_keeps_both_ends():
    xs, ys = thinned(list(range(1000)), list(range(1000)), 60)
    assert xs == ys
    assert (len(xs), xs[0], xs[-1]) == (60, 0, 999)
    assert thinned([1, 2], [3, 4], 60) == ([1, 2], [3, 4])
