"""Curves as charts in SVG, drawn without a browser, and as tables of some of their points.

Lines differ by colour, dash and marker, so that neither colour vision nor colour print is needed.
The colours themselves are the page's (`page.css`): this says only which of them a line has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import pairwise

from .report import Cell, Curve, Table

WIDTH, HEIGHT = 460, 300  # user units; the page scales them
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 12, 46
COLOURS = 8  # as many as page.css has; with seven markers 56 lines differ
DASHES = ("", "6 3", "2 3", "9 3 2 3")
MARKERS = (  # paths round a point, of about 8 units
    "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
    "m-3.2-3.2h6.4v6.4h-6.4z",
    "m0-4.4l4.2 7.4h-8.4z",
    "m0-4.6l4.6 4.6l-4.6 4.6l-4.6-4.6z",
    "m0 4.4l4.2-7.4h-8.4z",
    "m-1.2-4h2.4v2.8h2.8v2.4h-2.8v2.8h-2.4v-2.8h-2.8v-2.4h2.8z",
    "m-4-2.6l1.4-1.4l2.6 2.6l2.6-2.6l1.4 1.4l-2.6 2.6l2.6 2.6l-1.4 1.4l-2.6-2.6l-2.6 2.6l-1.4-1.4"
    "l2.6-2.6z",
)
MARKED = 8  # points of a line that get a marker, at most
DRAWN = 300  # points of a line that are drawn, at most: more cannot be told apart
TABLED = 12  # columns of a curve's table, at most
LARGEST = 1e15  # of a coordinate, and on a log axis its inverse; what is beyond is not drawn

Point = tuple[float, float]


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers (1, 2 or 5 times a power of ten apart) within [low, high]."""
    span = high - low
    if span <= 0:
        return [low]
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """The numbers 1, 2 and 5 times a power of ten within [low, high], which is above zero."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return [mark for mark in marks if low * (1 - 1e-9) <= mark <= high * (1 + 1e-9)]


def points_of(curve: Curve) -> dict[str, list[Point]]:
    """A curve's lines with the points that can be drawn: on a log axis those above zero."""
    return {
        name: [
            (x, y)
            for x, y in series
            if abs(x) <= LARGEST and abs(y) <= LARGEST and not (curve.log_x and x < 1 / LARGEST)
        ]
        for name, series in curve.series.items()
    }


def curve_table(curve: Curve) -> Table:
    """Some points of a curve as a table: a row for every line, a column for every x chosen.

    Where the lines have few values of x, these are the columns; else round numbers are, and y is
    interpolated linearly between a line's points.
    """
    lines = points_of(curve)
    columns = sorted({x for points in lines.values() for x, _ in points})
    interpolated = len(columns) > TABLED
    if interpolated:
        low, high = columns[0], columns[-1]
        columns = (log_ticks(low, high) if curve.log_x else ticks(low, high, 10))[:TABLED]
    rows = tuple(
        (Cell(text=name), *(_cell(_height(points, x)) for x in columns))
        for name, points in lines.items()
    )
    named = "" if curve.y in curve.caption else f": {curve.y} by {curve.x}"
    return Table(
        caption=curve.caption + named,
        columns=(curve.x, *(_number(x) for x in columns)),
        rows=rows,
        note="Interpolated between the points measured." if interpolated else "",
    )


def chart(curve: Curve, name: str) -> str:
    """The curve as an HTML figure: an SVG image, its legend and its caption.

    Args:
        name: starts the ids of its elements; unique on the page.
    """
    lines = {system: points for system, points in points_of(curve).items() if points}
    caption = f"<figcaption>{escape(curve.caption)}</figcaption>"
    if not lines:
        return f'<figure class="chart">{caption}<p class="note">No points.</p></figure>'
    axes = _Axes(curve, [point for points in lines.values() for point in points])
    drawn = "".join(
        _line(axes, number, system, points) for number, (system, points) in enumerate(lines.items())
    )
    described = f"{curve.y} by {curve.x}; {len(lines)} lines. The values are in the table below."
    legend = "".join(
        f"<li>{_key(number)}<span>{escape(system)}</span></li>"
        for number, system in enumerate(lines)
    )
    return (
        f'<figure class="chart">{caption}'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(curve.caption)}</title>'
        f'<desc id="{name}-d">{escape(described)}</desc>'
        f"{axes.drawn()}{drawn}</svg>"
        f'<ul class="legend">{legend}</ul></figure>'
    )


class _Axes:
    """The two axes of a chart: where a point lies, and how they are drawn."""

    def __init__(self, curve: Curve, points: Sequence[Point]) -> None:
        self.curve = curve
        xs, ys = [self._scaled(x) for x, _ in points], [y for _, y in points]
        low, high = min(xs), max(xs)
        self.x_low, self.x_high = _range(low if curve.log_x else _or_zero(low, high), high)
        low, high = min(ys), max(ys)
        self.y_low, self.y_high = _rounded(*_range(_or_zero(low, high), high))

    def _scaled(self, x: float) -> float:
        return math.log10(x) if self.curve.log_x else x

    def x(self, value: float) -> float:
        share = (self._scaled(value) - self.x_low) / (self.x_high - self.x_low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def drawn(self) -> str:
        floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        low, high = self.x_low, self.x_high
        marks = log_ticks(10**low, 10**high) if self.curve.log_x else ticks(low, high)
        parts = []
        for value in ticks(self.y_low, self.y_high):
            y = f"{self.y(value):.1f}"
            parts.append(f'<path class="grid" d="M{LEFT} {y}H{right}"/>')
            parts.append(
                f'<text x="{LEFT - 7}" y="{y}" dy=".35em" text-anchor="end">{_number(value)}</text>'
            )
        for value in _apart(marks, self.x):
            x = f"{self.x(value):.1f}"
            parts.append(f'<path class="tick" d="M{x} {floor}v4"/>')
            parts.append(
                f'<text x="{x}" y="{floor + 17}" text-anchor="middle">{_number(value)}</text>'
            )
        middle_x, middle_y = (LEFT + right) / 2, (TOP + floor) / 2
        parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{floor}H{right}"/>')
        parts.append(
            f'<text class="name" x="{middle_x:.0f}" y="{HEIGHT - 8}" text-anchor="middle">'
            f"{escape(self.curve.x)}</text>"
            f'<text class="name" transform="translate(13 {middle_y:.0f}) rotate(-90)"'
            f' text-anchor="middle">{escape(self.curve.y)}</text>'
        )
        return "".join(parts)


def _line(axes: _Axes, number: int, system: str, points: Sequence[Point]) -> str:
    """One system's line: some of its points marked, not the same ones as its neighbours'."""
    kept = [points[i] for i in _spread(len(points), DRAWN)]
    places = [f"{axes.x(x):.1f} {axes.y(y):.1f}" for x, y in kept]
    every = math.ceil(len(places) / MARKED)
    marked = places if every == 1 else places[(number * every // 3) % every :: every]
    markers = "".join(f"M{place}{_marker(number)}" for place in marked)
    return (
        f'<g class="line c{number % COLOURS}"><title>{escape(system)}</title>'
        f'<path class="stroke"{_dash(number)} d="M{"L".join(places)}"/>'
        f'<path class="marks" d="{markers}"/></g>'
    )


def _key(number: int) -> str:
    """A line's sample in the legend."""
    return (
        f'<svg class="key c{number % COLOURS}" viewBox="0 0 34 12" aria-hidden="true">'
        f'<path class="stroke"{_dash(number)} d="M1 6H33"/>'
        f'<path class="marks" d="M17 6{_marker(number)}"/></svg>'
    )


def _dash(number: int) -> str:
    dash = DASHES[(number + number // COLOURS) % len(DASHES)]
    return f' stroke-dasharray="{dash}"' if dash else ""


def _marker(number: int) -> str:
    return MARKERS[number % len(MARKERS)]


def _or_zero(low: float, high: float) -> float:
    """Where an axis begins: at zero where that is near enough, to show how much is left."""
    return 0.0 if 0 < low < 0.4 * high else low


def _range(low: float, high: float) -> Point:
    """The same range, or one around it where it has no length."""
    if high - low > 1e-9 * max(abs(low), abs(high), 1):
        return low, high
    margin = max(abs(low), abs(high)) / 2 or 0.5
    return low - margin, high + margin


def _rounded(low: float, high: float) -> Point:
    """The range, up to the next ticks."""
    marks = ticks(low, high)
    step = marks[1] - marks[0] if len(marks) > 1 else high - low
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def _apart(values: Iterable[float], place: Callable[[float], float]) -> list[float]:
    """Those values whose labels have room beside one another."""
    kept: list[float] = []
    for value in values:
        room = 8 + 6.5 * len(_number(value))
        if not kept or place(value) - place(kept[-1]) >= room:
            kept.append(value)
    return kept


def _spread(count: int, most: int) -> list[int]:
    """At most `most` of the indices below `count`, evenly spread, both ends included."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def _height(points: Sequence[Point], x: float) -> float | None:
    """The line's y at `x`, or None where it does not reach."""
    for point in points:
        if point[0] == x:
            return point[1]
    for (x1, y1), (x2, y2) in pairwise(points):
        if x1 < x < x2:
            return y1 + (y2 - y1) * (x - x1) / (x2 - x1)
    return None


def _cell(value: float | None) -> Cell:
    return Cell(text="–") if value is None else Cell(text=f"{value:.3f}", value=value)


def _number(value: float) -> str:
    """A round number as people write it: 0.2, 50, 10,000; zero without a sign."""
    return f"{value:,.10g}" if value else "0"
