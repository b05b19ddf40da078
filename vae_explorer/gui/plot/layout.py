"""Where the parts of a chart are, and the way from its data to pixels."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from pyqtgraph.functions import arrayToQPolygonF
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QFont, QFontInfo, QFontMetricsF, QGuiApplication, QPolygonF

from vae_explorer.gui.plot.axis import Axis, Tick
from vae_explorer.gui.plot.marks import Entry, Mark, entries_of
from vae_explorer.types import Float64, Floats, Region

Aspect = Literal["free", "equal", "exact"]

_PAD = 6.0
_TICK = 4.0
_ACROSS, _UP = 50.0, 2.2  # room for a number: pixels, and heights of a line
_FAR = 1e4
"""Pixels; further away Qt's painting is slow, and overflows."""
_ROOM = "−000.00"
_NUMBER = "−000.0"
_LONGEST, _SHORT = 18, 2  # characters of a name in a legend
_BAR = 10.0  # the width of a colour bar, pixels


@dataclass(frozen=True)
class Bar:
    """The colours beside the frame, the smallest value at the bottom, and what they measure.

    They are those of a ``Field``, or a ``color`` of the theme that is the more opaque the larger
    the value is.
    """

    axis: Axis
    color: str = ""
    fading: bool = False


@dataclass(frozen=True)
class Plot:
    """All that a chart shows. ``front`` are the marks on top, which may change many times a second.

    ``subtitle`` stands after the title, and then the legend: ``entries``, by default the names of
    the marks, and what the colours of the ``bar`` are. ``note`` stands in the middle, and without
    marks in place of the numbers too: there is nothing that they would be of. ``aspect``
    "equal" lets a unit be as long upwards as across and shows more of the plane; "exact" shows no
    more, in a smaller frame.
    """

    title: str = ""
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    marks: tuple[Mark, ...] = ()
    front: tuple[Mark, ...] = ()
    entries: tuple[Entry, ...] | None = None
    note: str = ""
    aspect: Aspect = "free"
    bar: Bar | None = None
    subtitle: str = ""

    @cached_property
    def legend(self) -> tuple[Entry, ...]:
        """The entries shown."""
        named = self.entries
        if named is None:
            named = entries_of((*self.marks, *self.front))
        said = [self.subtitle, f"colour: {self.bar.axis.label}" if self.bar else ""]
        before, after = ([Entry("muted", "", text)] if text else [] for text in said)
        return (*before, *named, *after)

    @property
    def blank(self) -> bool:
        """Whether a note stands for all that it shows."""
        return bool(self.note) and not self.marks

    @cached_property
    def layout_of(self) -> tuple[object, ...]:
        """What decides where its parts are."""
        return self.title, self.x, self.y, self.aspect, self.bar, self.legend, self.blank


@dataclass(frozen=True)
class Layout:
    """A plot within ``rect``: its ``frame`` in pixels, and the axes and ticks as shown there."""

    rect: QRectF
    frame: QRectF
    font: QFont
    x: Axis
    y: Axis
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    starts: tuple[QPointF, ...]
    """Where each entry of the legend begins, on the base line."""
    label_below: bool
    """Whether x is named on a line of its own: where y is named too."""
    scale: float
    """How many times larger all is than on a usual chart: as its font is."""
    bar: QRectF
    """Where the colour bar is."""
    bar_ticks: list[Tick]
    density: float = 0.0
    """Pixels of a picture in a file to one of the layout; 0 on screen, where speed matters too."""

    @staticmethod
    def of(plot: Plot, rect: QRectF, font: QFont, density: float = 0.0) -> "Layout":
        """Lay a plot out; text keeps the size it has on screen, whatever is painted on."""
        usual = QFontInfo(QGuiApplication.font()).pixelSize()
        font = pixel_font(font)
        scale = 1.0 if density else font.pixelSize() / usual
        metrics = QFontMetricsF(font)
        line = metrics.height()
        starts, head = _flow(plot, rect, font, "" if density else _ROOM)
        beside = metrics.horizontalAdvance(_NUMBER) + _PAD if plot.y.numbers else 1.0
        below = bool(plot.x.label and plot.y.label)
        bottom = line * (1 + below) + _TICK + 2 if plot.x.numbers else 1.0
        frame = rect.adjusted(0.0, head, 0.0, -bottom)
        y_ticks: list[Tick] = []

        def most(frame: QRectF) -> int:
            return min(max(int(frame.height() / (_UP * line)), 2), 10)

        if plot.y.numbers:
            y_ticks = plot.y.ticks(most(frame))
            widths = [metrics.horizontalAdvance(tick.text) + _PAD for tick in y_ticks]
            beside = max([beside, *widths])
            beside += line * bool(plot.y.label)  # even too low for it, or a stack would not align
        frame.adjust(beside, 0.0, -12.0 if plot.x.numbers or plot.y.numbers else -1.0, 0.0)
        bar_ticks = plot.bar.axis.ticks(most(frame)) if plot.bar else []
        bar, gap = _BAR * scale, 0.8 * _BAR * scale
        if plot.bar:
            widths = [metrics.horizontalAdvance(tick.text) for tick in bar_ticks]
            frame.setRight(rect.right() - gap - bar - _PAD - max(widths, default=0.0))
        frame.setWidth(max(frame.width(), 1.0))
        frame.setHeight(max(frame.height(), 1.0))
        x, y = plot.x, plot.y
        if plot.aspect == "equal":
            x, y = _equal(x, y, frame)
        elif plot.aspect == "exact":
            frame = _exact(x, y, frame)
        if y.numbers and plot.aspect != "free":
            y_ticks = y.ticks(most(frame))
        if plot.bar and plot.aspect == "exact":
            bar_ticks = plot.bar.axis.ticks(most(frame))
        across = max(int(frame.width() / (_ACROSS * scale)), 2)
        x_ticks = x.ticks(across) if x.numbers else []
        if len(x_ticks) == 1:
            x_ticks = x.ticks(2 * across)
        if plot.blank:
            x_ticks, y_ticks = [], []
        bar_at = QRectF(frame.right() + gap, frame.top(), bar, frame.height())
        return Layout(
            rect, frame, font, x, y, x_ticks, y_ticks, starts, below, scale, bar_at, bar_ticks,
            density,
        )  # fmt: skip

    @property
    def region(self) -> Region:
        """What is in sight."""
        return self.x.low, self.x.high, self.y.low, self.y.high

    def pixels(self, x: Floats, y: Floats) -> Float64:
        """(n, 2) pixels of positions (n,) and (n,); NaN where there is none."""
        frame = self.frame
        with np.errstate(over="ignore"):
            across = frame.left() + frame.width() * self.x.to_share(x)
            up = frame.bottom() - frame.height() * self.y.to_share(y)
        found = np.stack(np.broadcast_arrays(across, up), axis=-1)
        found[~np.isfinite(found).all(-1)] = np.nan
        return np.asarray(found.clip(-_FAR, _FAR))

    def to_pixel(self, x: float, y: float) -> QPointF:
        """The pixel of a position."""
        frame = self.frame
        across = frame.left() + frame.width() * self.x.share(x)
        up = frame.bottom() - frame.height() * self.y.share(y)
        return QPointF(*(min(max(at, -_FAR), _FAR) if at == at else -_FAR for at in (across, up)))

    def to_data(self, pixel: QPointF) -> tuple[float, float]:
        """The position of a pixel."""
        frame = self.frame
        return (
            self.x.at_share((pixel.x() - frame.left()) / frame.width()),
            self.y.at_share((frame.bottom() - pixel.y()) / frame.height()),
        )

    def polygons(self, pixels: Float64) -> Iterator[QPolygonF]:
        """The pieces of a line through pixels (n, 2), between those that are NaN."""
        finite = np.isfinite(pixels).all(1)
        if finite.all():
            pieces = [pixels] if len(pixels) else []
        else:
            cuts = np.flatnonzero(np.diff(finite.astype(np.int8))) + 1
            pieces = [part for part in np.split(pixels, cuts) if np.isfinite(part[0]).all()]
        for piece in pieces:
            yield arrayToQPolygonF(*np.ascontiguousarray(piece.T))


def pixel_font(font: QFont, bold: bool = False) -> QFont:
    """The font at a size in pixels, which no printer's resolution scales."""
    found = QFont(font)
    found.setPixelSize(QFontInfo(font).pixelSize())
    found.setBold(bold)
    return found


def entry_words(entry: Entry) -> str:
    """What an entry says after its stroke; a name beside a value is of the usual length."""
    name = entry.name
    if entry.value and len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 1]}…"
    return f"{name} {entry.value}".strip()


def _flow(plot: Plot, rect: QRectF, font: QFont, room: str) -> tuple[tuple[QPointF, ...], float]:
    """Where the legend's entries begin, after the title and on lines under it, and their height.

    Strokes with their names begin a line of their own if they have room in one there alone. A value
    takes ``room`` at least, so that none moves as they change.
    """
    metrics, bold = QFontMetricsF(font), QFontMetricsF(pixel_font(font, bold=True))
    left, right = rect.left() + 2.0, rect.right()
    base = rect.top() + metrics.ascent() + 1.0
    x = left + (bold.horizontalAdvance(plot.title) + 14.0 if plot.title else 0.0)
    widths = []
    for entry in plot.legend:
        words = f"{entry.stroke} {entry_words(replace(entry, value=' ' * bool(entry.value)))} "
        dense = entry.stroke == "●" and len(entry.name) <= _SHORT  # a class
        width = metrics.horizontalAdvance(words) + (2.0 if dense else 8.0)
        if entry.value:
            width += max(map(metrics.horizontalAdvance, (room, entry.value)))
        widths.append(width)
    strokes = [bool(entry.stroke) for entry in plot.legend]
    starts = []
    for number, width in enumerate(widths):
        alone = sum(widths[number:]) if strokes[number] and True not in strokes[:number] else width
        needed = alone if alone <= right - left else width
        if x + needed > right + 8.0 and x > left:
            x, base = left, base + metrics.lineSpacing()
        starts.append(QPointF(x, base))
        x += width
    head = base + metrics.descent() + 4.0 - rect.top() if plot.title or starts else 1.0
    return tuple(starts), head


def words(plot: Plot, layout: Layout) -> list[tuple[QRectF, str]]:
    """Where the title and the names in the legend are."""
    metrics, bold = QFontMetricsF(layout.font), QFontMetricsF(pixel_font(layout.font, bold=True))
    title = layout.rect.topLeft() + QPointF(2.0, metrics.ascent() + 1.0)
    named = [(title, bold.horizontalAdvance(plot.title), plot.title)] if plot.title else []
    for entry, start in zip(plot.legend, layout.starts, strict=False):
        before = metrics.horizontalAdvance(f"{entry.stroke} ") if entry.stroke else 0.0
        name = entry_words(entry).removesuffix(entry.value).strip()
        wide = metrics.horizontalAdvance(name)
        named.append((start + QPointF(before, 0.0), wide, entry.name))
    up = QPointF(0.0, metrics.ascent())
    return [(QRectF(at - up, QSizeF(wide, metrics.height())), name) for at, wide, name in named]


def _equal(x: Axis, y: Axis, frame: QRectF) -> tuple[Axis, Axis]:
    """Axes of one scale that show at least what these do."""
    (left, right), (bottom, top) = x.ends, y.ends
    scale = max((right - left) / frame.width(), (top - bottom) / frame.height()) / 2
    across, up = (left + right) / 2, (bottom + top) / 2
    wide, high = scale * frame.width(), scale * frame.height()
    return (
        replace(x, low=across - wide, high=across + wide),
        replace(y, low=up - high, high=up + high),
    )


def _exact(x: Axis, y: Axis, frame: QRectF) -> QRectF:
    """The largest frame in the middle in which these axes have one scale."""
    across, up = (axis.ends[1] - axis.ends[0] for axis in (x, y))
    scale = min(frame.width() / across, frame.height() / up)
    found = QRectF(0.0, 0.0, scale * across, scale * up)
    found.moveCenter(frame.center())
    return found
