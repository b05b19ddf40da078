"""One figure of training against the epoch: the training images, the held-out ones, and more."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QBoxLayout, QLabel, QWidget

from vae_explorer.gui.readout import Readout
from vae_explorer.gui.theme import Theme, style_plot
from vae_explorer.gui.training.history_table import Float64

Curve = tuple[Float64, Float64]
"""Epochs (n,), ascending, and nats per image (n,)."""


class Look(NamedTuple):
    """How a curve is called and drawn: its stroke in the legend, its line and its markers."""

    name: str
    stroke: str
    line: Qt.PenStyle = Qt.PenStyle.SolidLine
    symbol: str | None = None


_TRAIN = Look("train", "━")
_MARKED = Look("held-out", "━●", symbol="o")
_DASHED = Look("held-out", "╍╍", Qt.PenStyle.DashLine)
_UNIT = "nats / image"
_MOST_MARKERS = 200
_THINNED = 4_096
_GROWTH = 1.25
_NOTHING: Float64 = np.empty(0)


def robust_range(curves: Iterable[Curve]) -> tuple[float, float] | None:
    """A y range in which the bulk of some curves (x, y) can be read.

    A run starts hundreds of nats below where it ends, so the first tenth of each curve's time does
    not count, nor do the outermost hundredths and values that are not finite. None without values.
    """
    ends: list[float] = []
    for x, y in curves:
        if not len(x):
            continue
        tail = y[np.searchsorted(x, x[0] + 0.1 * (x[-1] - x[0])) :]
        tail = tail[:: max(1, len(tail) // _THINNED)]
        tail = tail[np.isfinite(tail)]
        if len(tail):
            ends.extend(np.percentile(tail, (1, 99)))
    if not ends:
        return None
    low, high = float(min(ends)), float(max(ends))
    margin = 0.08 * (high - low) or max(1e-3 * abs(high), 1e-3)
    return low - margin, high + margin


class CurvePanel(QWidget):
    """A small plot under a legend that reads its values.

    It always has a curve of the training images and one of the held-out ones; each of ``more``
    takes a line of the legend while it has points.

    Signals:
        hovered(float): the pointer is at this epoch.
        left(): the pointer is on the plot no longer.
        epochs_changed(float, float): the view now shows the epochs between these.
        zoomed(): a person moved or zoomed the view.
        fit_requested(): a double click.
    """

    hovered = Signal(float)
    left = Signal()
    epochs_changed = Signal(float, float)
    zoomed = Signal()
    fit_requested = Signal()

    def __init__(
        self,
        title: str,
        *,
        markers: bool,
        more: tuple[Look, ...] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._looks = (_TRAIN, _MARKED if markers else _DASHED, *more)
        self._values: tuple[float | None, ...] = (None,) * len(self._looks)
        self._crosshair_epoch: float | None = None
        self._colors = ("",) * len(self._looks)
        self._curves: tuple[Curve, ...] = ((_NOTHING, _NOTHING),) * len(self._looks)
        self._lines = 1
        heading = QLabel(f"<b>{title}</b>")
        self._legend = Readout()
        self._heading = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._heading.addWidget(heading)
        self._heading.addWidget(self._legend, 1)

        self.plot = pg.PlotWidget()
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setAccessibleName(f"{title} against the epoch")
        self.plot.setMinimumHeight(56)
        self.plot.setMinimumWidth(120)
        self.plot.setMenuEnabled(False)
        # pyqtgraph makes a menu all the same; with a parent it goes when the plot does.
        self.plot.getPlotItem().ctrlMenu.setParent(self.plot, Qt.WindowType.Popup)
        self.plot.hideButtons()
        self.plot.setLabel("left", _UNIT)
        self.plot.showGrid(x=True, y=True, alpha=0.6)
        item = self.plot.getPlotItem()
        self._x_axis, self._y_axis = item.getAxis("bottom"), item.getAxis("left")
        for axis in (self._x_axis, self._y_axis):
            axis.enableAutoSIPrefix(False)
        self._x_axis.setLabel("epoch")
        item.layout.setContentsMargins(0, 0, 4, 0)
        self._y_axis.setWidth(self.fontMetrics().horizontalAdvance("−000.0") + 30)
        item.setDownsampling(auto=True, mode="peak")
        item.setClipToView(True)
        self._view = item.getViewBox()
        self._view.disableAutoRange()
        # Without this, pyqtgraph paints every item twice a step of panning or zooming.
        self._view.sigRangeChanged.connect(self._view.prepareForPaint)
        self._view.sigResized.connect(self._suit_y_axis)
        self._view.sigXRangeChanged.connect(self._on_x_range_changed)
        self._view.sigYRangeChanged.connect(self._suit_y_axis)
        self._view.sigRangeChangedManually.connect(self._on_zoomed)
        self.plot.scene().sigMouseMoved.connect(self._on_moved)
        self.plot.scene().sigMouseClicked.connect(self._on_clicked)

        self._items = [
            item.plot(connect="finite", symbolSize=6, symbolPen=None) for _ in self._looks
        ]
        self._crosshair = pg.InfiniteLine(angle=90)
        self._crosshair.hide()
        item.addItem(self._crosshair, ignoreBounds=True)

        layout = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._heading)
        layout.addWidget(self.plot, 1)

    def set_compact(self, compact: bool) -> None:
        """Put the legend beside the title (True) or under it."""
        directions = QBoxLayout.Direction
        self._heading.setDirection(directions.LeftToRight if compact else directions.TopToBottom)
        self._heading.setSpacing(8 if compact else 0)

    def set_epoch_axis_shown(self, shown: bool) -> None:
        """Show the numbers and the name of the epoch axis, or leave them to a panel below."""
        self._x_axis.setStyle(showValues=shown)
        self._x_axis.showLabel(shown)

    def set_theme(self, theme: Theme, *colors: str) -> None:
        """Take the theme's colours, and these for the curves."""
        self._colors = colors
        self.plot.setBackground(theme.canvas)
        style_plot(self.plot.getPlotItem(), theme)
        for item, look, color in zip(self._items, self._looks, colors, strict=True):
            shade = QColor(color)
            if look is _TRAIN and color == colors[1]:  # the dashes must be seen against it
                shade.setAlpha(150)
            item.setPen(pg.mkPen(shade, style=look.line))
            item.setSymbolBrush(pg.mkBrush(shade))
        self._crosshair.setPen(pg.mkPen(theme.muted))
        self._write_legend()

    def set_curves(self, *curves: Curve) -> None:
        """Draw the figures of the training images, of the held-out ones, and the others."""
        self._curves = curves
        for item, look, curve in zip(self._items, self._looks, curves, strict=True):
            item.setData(*curve, symbol=look.symbol if len(curve[0]) <= _MOST_MARKERS else None)
        lines = 1 + sum(len(x) > 0 for x, _ in curves[2:])
        if lines != self._lines:
            self._lines = lines
            self._legend.set_lines(lines)
            self._write_legend()

    @property
    def legend_lines(self) -> int:
        """How many lines the legend takes."""
        return self._lines

    def set_epochs(self, left: float, right: float) -> None:
        """Show the epochs between these."""
        self._view.setXRange(left, right, padding=0)

    def fit(self) -> None:
        """Show the whole run, at a scale in which it can be read."""
        x, _ = self._curves[0]
        if len(x):
            span = x[-1] - x[0] or 1.0
            # Room on the right for half of the last number.
            self.set_epochs(x[0], x[0] + 1.04 * span)
        limits = robust_range(self._curves)
        if limits:
            self._view.setYRange(*limits, padding=0)

    def follow(self) -> None:
        """Show the whole run as it grows, moving the axes only when they no longer suit it.

        Drawing an axis anew costs more than drawing the curves.
        """
        x, _ = self._curves[0]
        (left, right), (low, high) = self._view.viewRange()
        if len(x) and not (left == x[0] and x[-1] <= right <= x[0] + 2 * _GROWTH * (x[-1] - x[0])):
            self.set_epochs(x[0], x[0] + _GROWTH * ((x[-1] - x[0]) or 1.0))
        limits = robust_range(self._curves)
        if limits:
            span = limits[1] - limits[0]
            if limits[0] < low or limits[1] > high or high - low > 2 * span:
                self._view.setYRange(limits[0], limits[1] + (_GROWTH - 1) * span, padding=0)

    def set_values(self, *values: float | None) -> None:
        """Write the curves' values into the legend, nats per image; None for no value."""
        self._values = values
        self._write_legend()

    def set_crosshair(self, epoch: float | None) -> None:
        """Draw a line at an epoch and write its number under the axis, or take both away."""
        if epoch == self._crosshair_epoch:
            return
        self._crosshair_epoch = epoch
        self._crosshair.setVisible(epoch is not None)
        if epoch is not None:
            self._crosshair.setPos(epoch)
        shown = self._x_axis.label.isVisible()
        self._x_axis.setLabel("epoch" if epoch is None else f"epoch {epoch:.2f}")
        self._x_axis.showLabel(shown)

    def _write_legend(self) -> None:
        words: list[str] = []
        for color, look, value, (x, _) in zip(
            self._colors, self._looks, self._values, self._curves, strict=True
        ):
            if len(words) >= 2 and not len(x):
                continue
            name = look.name.replace(" ", "&nbsp;")
            number = "" if value is None else f"&nbsp;{value:.2f}".replace("-", "−")
            words.append(f'<span style="color:{color}">{look.stroke}</span>&nbsp;{name}{number}')
        self._legend.set_text("<br>".join(["&nbsp; ".join(words[:2]), *words[2:]]))

    def _suit_y_axis(self) -> None:
        """Name the y axis where there is room; where there is not, number it sparsely."""
        metrics, height = self.fontMetrics(), self._view.height()
        roomy = height > metrics.horizontalAdvance(_UNIT)
        self._y_axis.showLabel(roomy)
        if roomy or height <= 0:
            self._y_axis.setTickSpacing()
            return
        low, high = self._view.viewRange()[1]
        least = 1.1 * metrics.height() / height * (high - low)
        unit = 10.0 ** math.floor(math.log10(least))
        step = next(factor * unit for factor in (1, 2, 4, 5, 10) if factor * unit >= least)
        self._y_axis.setTickSpacing(step, step)

    def _on_x_range_changed(self) -> None:
        self.epochs_changed.emit(*self._view.viewRange()[0])

    def _on_zoomed(self) -> None:
        self.zoomed.emit()

    def _on_moved(self, position: QPointF) -> None:
        if self._view.sceneBoundingRect().contains(position):
            self.hovered.emit(self._view.mapSceneToView(position).x())
        else:
            self.left.emit()

    def _on_clicked(self, event: Any) -> None:
        if event.double():
            event.accept()
            self.fit_requested.emit()
