"""Line charts as SVG for the documentation: ticks, units, logarithmic axes where wanted, a legend."""

import itertools
import math
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 760, 400
TITLE_Y, LEGEND_Y, TOP, BOTTOM, LEFT, RIGHT = 26, 50, 72, 54, 76, 34  # of a panel, in pixels
LETTER = 6.6  # width of an average one at 13 px
COLOURS = ("#2471a3", "#c0392b", "#1e8449", "#d68910", "#6c3483", "#17a589", "#7f8c8d")


@dataclass
class Line:
    """A curve through `points` (x, y)."""
    name: str
    points: list
    colour: str = ""  # one of COLOURS unless told
    dashed: bool = False
    dots: bool = True  # at the points, unless dashed


@dataclass
class Axis:
    """`low` and `high` are found in the data unless told; what lies beyond them is cut off."""
    label: str
    log: bool = False
    low: float = None
    high: float = None
    ticks: list = None

    def fit(self, values, tight):
        """The axis with its ends and ticks; one that is not tight ends at ticks."""
        low = min(values) if self.low is None else self.low
        high = max(values) if self.high is None else self.high
        if low == high:
            low, high = low / 2, high * 2 or 1
        ticks = self.ticks or (log_ticks if self.log else linear_ticks)(low, high)
        if not tight:
            low = min(low, ticks[0]) if self.low is None else low
            high = max(high, ticks[-1]) if self.high is None else high
        margin = 1e-9 * abs(high - low)
        return Axis(self.label, self.log, low, high, [tick for tick in ticks if low - margin <= tick <= high + margin])

    def share(self, value):
        """How far `value` is from `low` to `high`; of a fitted axis."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass
class Chart:
    title: str
    x: Axis
    y: Axis
    lines: list = field(default_factory=list)


def linear_ticks(low, high):
    """Four to eight multiples of 1, 2 or 5 times a power of ten, the outermost not within the range."""
    rough = (high - low) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [round(step * i, 12) for i in range(math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9) + 1)]


def log_ticks(low, high):
    """Powers of ten; over less than two decades also 2 and 5 times those."""
    factors = (1,) if high / low >= 100 else (1, 2, 5)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [factor * 10.0 ** decade for decade in decades for factor in factors]
    first = max((i for i, tick in enumerate(ticks) if tick <= low * 1.001), default=0)
    last = min((i for i, tick in enumerate(ticks) if tick >= high * 0.999), default=len(ticks) - 1)
    return ticks[first:last + 1]


def number(value):
    """1000000 -> "1,000,000"; 0.25 -> "0.25"."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"


def text(x, y, content, anchor="middle", **attributes):
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(content)}</text>'


class Panel:
    """One chart in a column of the picture that begins at `left`."""

    def __init__(self, chart, left, width):
        self.chart = chart
        self.left = left
        self.clip = f"panel{left:.0f}"
        self.x_axis = chart.x.fit([x for line in chart.lines for x, _ in line.points], tight=True)
        self.y_axis = chart.y.fit([y for line in chart.lines for _, y in line.points], tight=False)
        self.x0, self.x1, self.y0, self.y1 = left + LEFT, left + width - RIGHT, HEIGHT - BOTTOM, TOP

    def x_of(self, value):
        return self.x0 + (self.x1 - self.x0) * self.x_axis.share(value)

    def y_of(self, value):
        return self.y0 + (self.y1 - self.y0) * self.y_axis.share(value)

    def elements(self):
        yield text(self.x0, TITLE_Y, self.chart.title, "start", font_size=16)
        border = f'x="{self.x0 - 5}" y="{self.y1 - 5}" width="{self.x1 - self.x0 + 10}" height="{self.y0 - self.y1 + 10}"'
        yield f'<clipPath id="{self.clip}"><rect {border}/></clipPath>'
        yield from self.axes()
        legend = self.x0
        for line, fallback in zip(self.chart.lines, itertools.cycle(COLOURS)):
            colour = line.colour or fallback
            look = f'stroke="{colour}" stroke-width="2"' + (' stroke-dasharray="6 4"' if line.dashed else "")
            yield from self.curve(line, colour, look)
            yield f'<path d="M{legend:.1f} {LEGEND_Y - 4}h22" {look}/>'
            yield text(legend + 28, LEGEND_Y, line.name, "start")
            legend += 28 + LETTER * len(line.name) + 20

    def axes(self):
        for tick in self.y_axis.ticks:
            yield f'<path d="M{self.x0} {self.y_of(tick):.1f}H{self.x1}" stroke="#e0e0e0"/>'
            yield text(self.x0 - 8, self.y_of(tick) + 4.5, number(tick), "end")
        for tick in self.x_axis.ticks:
            yield f'<path d="M{self.x_of(tick):.1f} {self.y0}v5" stroke="#555"/>'
            yield text(self.x_of(tick), self.y0 + 20, number(tick))
        yield f'<path d="M{self.x0} {self.y1}V{self.y0}H{self.x1}" fill="none" stroke="#555"/>'
        yield text((self.x0 + self.x1) / 2, self.y0 + 42, self.x_axis.label)
        x, y = self.left + 22, (self.y0 + self.y1) / 2
        yield text(x, y, self.y_axis.label, transform=f"rotate(-90 {x} {y:.1f})")

    def curve(self, line, colour, look):
        """Cut off at the panel's border."""
        points = [(self.x_of(x), self.y_of(y)) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<g clip-path="url(#{self.clip})"><polyline fill="none" {look} points="{path}"/>'
        if line.dots and not line.dashed:
            yield "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
        yield "</g>"


def draw(*charts):
    """An SVG of the charts side by side."""
    width = WIDTH / len(charts)
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" font-family="sans-serif" '
            f'font-size="13" fill="#222">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    body = [element for index, chart in enumerate(charts) for element in Panel(chart, index * width, width).elements()]
    return "\n".join([head, *body, "</svg>\n"])
