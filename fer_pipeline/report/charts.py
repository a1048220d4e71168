"""Line charts as inline SVG: no script, no font, colours from the page's own style sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from math import ceil, floor, log10
from typing import Final

LEFT, RIGHT, TOP, BOTTOM = 34, 15, 20, 20
"""Margins around the drawing, for labels."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a chart, in units that are about pixels where the page is wide."""

    width: int
    height: int


SMALL: Final = Size(170, 125)
SQUARE: Final = Size(230, 215)


@dataclass(frozen=True, slots=True)
class Line:
    """Points of one line, and the CSS classes that say its colour and stroke."""

    xs: Sequence[float]
    ys: Sequence[float]
    style: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Range shown and where the ticks are; `percent` writes 0.5 as 50 %."""

    low: float
    high: float
    ticks: Sequence[float]
    percent: bool = False

    def label(self, value: float) -> str:
        """A tick's text."""
        return f"{value * 100:.0f}%" if self.percent else f"{value:g}"


def fitted(values: Sequence[float], ticks: int = 4, percent: bool = False) -> Axis:
    """An axis around the values with round ticks (1, 2 or 5 times a power of ten)."""
    low, high = min(values), max(values)
    if high - low < 1e-9:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    step = _round_step((high - low) / ticks)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    marks = [round(number * step, 10) for number in range(first, last + 1)]
    return Axis(marks[0], marks[-1], marks, percent)


def epochs(count: int) -> Axis:
    """The axis of epochs 1 to `count`, ticks at whole numbers."""
    step = max(1, round(_round_step(count / 4)))
    marks = [1, *range(step, count + 1, step)] if step > 1 else list(range(1, count + 1))
    return Axis(1, max(count, 2), marks)


SHARE: Final = Axis(0, 1, (0, 0.25, 0.5, 0.75, 1), percent=True)


def line_chart(
    title: str, alt: str, lines: Sequence[Line], x: Axis, y: Axis, size: Size = SMALL
) -> str:
    """One chart that scales with its column.

    alt: what a reader who does not see the chart is told.
    """
    across = partial(_place, x, LEFT, size.width - RIGHT)
    down = partial(_place, y, size.height - BOTTOM, TOP)
    parts = [
        f'<svg class="chart" viewBox="0 0 {size.width} {size.height}" role="img" '
        f'aria-label="{escape(alt)}">',
        f'<text class="name" x="{LEFT}" y="12">{escape(title)}</text>',
    ]
    for tick in y.ticks:
        parts.append(f'<path class="rule" d="M{LEFT} {down(tick)}H{size.width - RIGHT}"/>')
        parts.append(
            f'<text class="tick" text-anchor="end" x="{LEFT - 4}" y="{down(tick) + 3:g}">'
            f"{y.label(tick)}</text>"
        )
    for tick in x.ticks:
        parts.append(
            f'<text class="tick" text-anchor="middle" x="{across(tick)}" '
            f'y="{size.height - BOTTOM + 13}">{x.label(tick)}</text>'
        )
    for line in lines:
        points = [f"{across(a)} {down(b)}" for a, b in zip(line.xs, line.ys, strict=True)]
        # A single point is drawn as a dot: a line of no length with round ends.
        path = "L".join(points if len(points) > 1 else points * 2)
        parts.append(f'<path class="line {line.style}" d="M{path}"/>')
    return "".join([*parts, "</svg>"])


def thinned(xs: Sequence[float], ys: Sequence[float], most: int) -> tuple[list[float], list[float]]:
    """At most `most` of the points, evenly picked, both ends kept."""
    if len(xs) <= most:
        return list(xs), list(ys)
    picks = sorted({round(number * (len(xs) - 1) / (most - 1)) for number in range(most)})
    return [xs[pick] for pick in picks], [ys[pick] for pick in picks]


def _place(axis: Axis, start: float, end: float, value: float) -> float:
    share = (min(max(value, axis.low), axis.high) - axis.low) / (axis.high - axis.low)
    return round(start + share * (end - start), 1)


def _round_step(raw: float) -> float:
    power = 10.0 ** floor(log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if raw <= factor * power * 1.0001)
