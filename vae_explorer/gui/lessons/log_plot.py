"""Curves over a logarithmic axis, with lines to compare them with and a place under the hand."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import (
    QGraphicsObject,
    QLabel,
    QSizePolicy,
    QStyleOptionGraphicsItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.theme import Theme, style_plot
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.types import Float64

_NAMES = {0: "1", 1: "10", 2: "100", 3: "1,000"}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_AXIS_WIDTH = 52
_DOT = 3.0  # pixels, its radius


@dataclass(frozen=True, eq=False)
class Line:
    """A curve, ``x`` (n,) and ``y`` (n,), in the colour of one of the theme's fields.

    NaN breaks it. A ``name`` puts it into the legend; a ``faint`` one stays in the background;
    ``markers`` draws its points alone. ``band`` (n,) is shaded on both sides.
    """

    x: NDArray[np.number]
    y: Float64
    color: str
    name: str = ""
    faint: bool = False
    dashed: bool = False
    markers: bool = False
    band: Float64 | None = None


@dataclass(frozen=True)
class Level:
    """A straight line across the plot at ``value``, or from bottom to top if ``upright``."""

    value: float
    color: str
    name: str = ""
    upright: bool = False


_Shape = tuple[QPainterPath, QPen, QBrush]
_Dots = tuple[list[QPointF], QColor]
_Straight = tuple[float, bool, QPen]
"""Where it is, and whether it stands upright."""


class _Content(QGraphicsObject):
    """All that a plot shows, in one item: pyqtgraph takes a millisecond or two for each of its own.

    Shapes and places are in the view's coordinates.
    """

    def __init__(self, view_box: Any) -> None:
        super().__init__()
        self._view_box = view_box
        self._shapes: list[_Shape] = []
        self._dots: list[_Dots] = []
        self._levels: list[_Straight] = []
        view_box.sigRangeChanged.connect(self.prepareGeometryChange)

    def set_shapes(self, shapes: list[_Shape], dots: list[_Dots], levels: list[_Straight]) -> None:
        """Show these."""
        self._shapes, self._dots, self._levels = shapes, dots, levels
        self.update()

    @override
    def boundingRect(self) -> QRectF:
        return QRectF(self._view_box.viewRect())

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for path, pen, brush in self._shapes:
            painter.setPen(pen)
            painter.setBrush(brush)
            painter.drawPath(path)
        view = self.boundingRect()
        for at, upright, pen in self._levels:
            painter.setPen(pen)
            ends = (
                (at, view.top(), at, view.bottom())
                if upright
                else (view.left(), at, view.right(), at)
            )
            painter.drawLine(QLineF(*ends))
        to_pixels = painter.worldTransform()
        painter.resetTransform()
        painter.setPen(Qt.PenStyle.NoPen)
        for places, color in self._dots:
            painter.setBrush(color)
            for place in places:
                painter.drawEllipse(to_pixels.map(place), _DOT, _DOT)


class LogPlot(QWidget):
    """A plot whose x axis, and if ``log_y`` also the y axis, is logarithmic.

    Signals:
        dragged(float): the x that is pressed or dragged to.
    """

    dragged = Signal(float)

    def __init__(
        self, title: str, x_name: str, y_name: str, *, log_y: bool = False, parent: Any = None
    ) -> None:
        super().__init__(parent)
        self._log_y = log_y
        self._theme: Theme | None = None
        self._lines: tuple[Line, ...] = ()
        self._levels: tuple[Level, ...] = ()
        self._limits: tuple[float, float] | None = None
        self._draggable = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(180, 150)
        self.setAccessibleName(title)
        self.plot = pg.PlotWidget()
        self.plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setAccessibleName(f"{title}: {y_name} against {x_name}")
        item = self.plot.getPlotItem()
        item.setMenuEnabled(False)
        # pyqtgraph makes a menu all the same; with a parent it goes when the plot does.
        item.ctrlMenu.setParent(self.plot, Qt.WindowType.Popup)
        item.hideButtons()
        item.layout.setContentsMargins(0, 0, 20, 0)
        item.setLabel("bottom", x_name)
        item.setLabel("left", y_name)
        item.showGrid(x=True, y=True, alpha=0.5)
        item.getAxis("left").setWidth(_AXIS_WIDTH)
        for side in ("left", "bottom"):
            item.getAxis(side).enableAutoSIPrefix(False)
        self._view = item.getViewBox()
        self._view.disableAutoRange()
        # Without this, pyqtgraph paints every item twice as the range changes.
        self._view.sigRangeChanged.connect(self._view.prepareForPaint)
        self._content = _Content(self._view)
        item.addItem(self._content, ignoreBounds=True)
        self._view.setZValue(1)  # above the grid, which the axes draw
        self._cursor = pg.InfiniteLine(angle=90)
        self._cursor.hide()
        item.addItem(self._cursor, ignoreBounds=True)
        heading = QLabel(f"<b>{title}</b>")
        self._legend = Readout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(heading)
        layout.addWidget(self._legend)
        layout.addWidget(self.plot, 1)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        self.plot.setBackground(theme.canvas)
        style_plot(self.plot.getPlotItem(), theme)
        self._cursor.setPen(pg.mkPen(theme.text, width=1.5))
        self._draw()

    def set_content(
        self,
        lines: Sequence[Line],
        levels: Sequence[Level] = (),
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Show these, with y between ``limits`` or where the lines are."""
        self._lines, self._levels, self._limits = tuple(lines), tuple(levels), limits
        self._draw()

    def set_cursor(self, x: float | None) -> None:
        """Mark a place that can be dragged, or none."""
        self._draggable = x is not None
        self._cursor.setVisible(x is not None)
        self.setCursor(
            Qt.CursorShape.SplitHCursor if self._draggable else Qt.CursorShape.ArrowCursor
        )
        if x is not None:
            self._cursor.setPos(math.log10(x))

    def set_x_range(self, low: float, high: float) -> None:
        """Show x from ``low`` to ``high``."""
        left, right = math.log10(low), math.log10(high)
        self._view.setXRange(left, right, padding=0.02)
        item = self.plot.getPlotItem()
        item.getAxis("bottom").setTicks(_ticks(left, right))

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag(event)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._drag(event)

    def to_pixel(self, x: float, y: float) -> QPointF:
        """Pixel of this widget at a place of the plot."""
        place = QPointF(math.log10(x), math.log10(y) if self._log_y else y)
        at: QPointF = self._view.mapViewToScene(place)
        return QPointF(self.plot.pos()) + at

    def legend(self) -> str:
        """What the legend says."""
        return self._legend.text()

    def _drag(self, event: QMouseEvent) -> None:
        if not self._draggable:
            return
        rect, view = self._view.sceneBoundingRect(), QRectF(self._view.viewRect())
        share = (event.position().x() - self.plot.x() - rect.left()) / rect.width()
        self.dragged.emit(10.0 ** (view.left() + min(max(share, 0.0), 1.0) * view.width()))

    def _draw(self) -> None:
        if self._theme is None:
            return
        plot = self.plot.getPlotItem()
        limits = self._limits or _limits(self._lines, self._log_y)
        if limits:
            low, high = (math.log10(end) if self._log_y else end for end in limits)
            self._view.setYRange(low, high, padding=0.02)
            if self._log_y:
                plot.getAxis("left").setTicks(_ticks(low, high))
        self._content.set_shapes(
            [shape for line in self._lines for shape in self._shapes(line)],
            [self._dots(line) for line in self._lines if line.markers],
            [self._level(level) for level in self._levels],
        )
        entries: list[Line | Level] = [*self._lines, *self._levels]
        words = [
            f'<span style="color:{self._color(entry.color).name()}">{_stroke(entry)}</span>'
            f"&nbsp;{entry.name}"
            for entry in entries
            if entry.name
        ]
        self._legend.set_text("&nbsp;&nbsp; ".join(words))

    def _shapes(self, line: Line) -> Iterator[_Shape]:
        """Its band, and the curve."""
        color, x, none = self._color(line.color), np.log10(line.x), QPen(Qt.PenStyle.NoPen)
        if line.band is not None:
            low, high = (self._height(line.y + side * line.band) for side in (-1, 1))
            some = np.isfinite(low) & np.isfinite(high)
            outline = np.concatenate([low[some], high[some][::-1]])
            shade = QColor(color)
            shade.setAlpha(60)
            yield _path(np.concatenate([x[some], x[some][::-1]]), outline), none, QBrush(shade)
        if line.markers:
            return
        if line.faint:
            color.setAlpha(110)
        style = Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine
        pen = pg.mkPen(color, width=1 if line.faint else 2, style=style)
        yield _path(x, self._height(line.y)), pen, QBrush()

    def _dots(self, line: Line) -> _Dots:
        places = np.stack([np.log10(line.x), self._height(line.y)], axis=1)
        finite = places[np.isfinite(places).all(1)]
        return [QPointF(*place) for place in finite.tolist()], self._color(line.color)

    def _level(self, level: Level) -> _Straight:
        pen = pg.mkPen(self._color(level.color), width=1.5, style=Qt.PenStyle.DashLine)
        logarithmic = level.upright or self._log_y
        return math.log10(level.value) if logarithmic else level.value, level.upright, pen

    def _height(self, y: Float64) -> Float64:
        return np.log10(np.maximum(y, 1e-300)) if self._log_y else y

    def _color(self, name: str) -> QColor:
        return QColor(getattr(self._theme, name))


def _path(x: Float64, y: Float64) -> QPainterPath:
    path: QPainterPath = pg.arrayToQPath(x, y, connect="finite")
    return path


def _stroke(entry: Line | Level) -> str:
    if isinstance(entry, Level):
        return "╎" if entry.upright else "╍╍"
    return "●" if entry.markers else "╍╍" if entry.dashed else "━"


def _limits(lines: Sequence[Line], log_y: bool) -> tuple[float, float] | None:
    values = np.concatenate([line.y for line in lines]) if lines else np.empty(0)
    values = values[np.isfinite(values) & ((values > 0) | (not log_y))]
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    if log_y:
        return low / 1.3, high * 1.3
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[list[tuple[float, str]]]:
    """Of an axis between two logarithms: powers of ten, each with a name, and what lies between."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    skip = 1 + len(powers) // 9
    major = [(float(power), _name(power)) for power in powers if power % skip == 0]
    minor = [(power + math.log10(digit), "") for power in powers for digit in range(2, 10)]
    return [major, minor if skip == 1 else []]


def _name(power: int) -> str:
    if -3 <= power < 0:
        return f"{10.0**power:.{-power}f}"
    return _NAMES.get(power, "10" + str(power).translate(_SUPERSCRIPTS))
