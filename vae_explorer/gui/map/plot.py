"""The plane of the map: axes in latent units at one scale, and the way to and from pixels."""

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtWidgets import QGraphicsItem, QGridLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import Theme, Themed, current_theme, style_plot
from vae_explorer.number_format import AXES

SMALLEST_SPAN, LARGEST_SPAN = 1e-3, 1e7
"""Width of the view in latent units; below the first, float32 positions fall between pixels."""

_PADDING = 0.04
_AXIS_WIDTH = 3.3  # lines of text


class LatentPlot(Themed):
    """A pyqtgraph plot with locked aspect, moved by its owner only.

    The plot inside is deaf: mouse and keyboard reach this widget. Pixels are this widget's
    logical pixels.
    """

    view_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._plot = pg.PlotWidget()
        self._plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setAccessibleName("Latent plane")
        item = self._plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickLength=4, maxTickLevel=1)  # a third level: a millisecond a frame
        self.axes = ("", "")
        self.set_axes(AXES)
        self._fit_axes()
        self.view_box = item.getViewBox()
        self.view_box.setMouseEnabled(False, False)
        self.view_box.disableAutoRange()
        self.view_box.setAspectLocked(True, 1)
        # Without this every move of the view is painted twice: pyqtgraph puts off its matrix to
        # the first paint, which then dirties all that it has just painted.
        self.view_box.sigRangeChanged.connect(self.view_box.prepareForPaint)
        self.view_box.sigRangeChanged.connect(self._announce)
        self.view_box.sigResized.connect(self._announce)
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self._plot, 0, 0)
        self.show_region(-3.0, 3.0, -3.0, 3.0)
        self.set_theme(current_theme())

    @override
    def set_theme(self, theme: Theme) -> None:
        self._plot.setBackground(theme.canvas)
        style_plot(self._plot.getPlotItem(), theme)
        self._show_focus()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_axes()

    def _fit_axes(self) -> None:
        """Make room for numbers and names as large as text is."""
        line, item = self.fontMetrics().height(), self._plot.getPlotItem()
        for side in ("left", "bottom"):
            item.getAxis(side).label.setFont(self.font())
        item.getAxis("left").setWidth(round(_AXIS_WIDTH * line))
        item.getAxis("bottom").setHeight(2 * line + 12)

    def set_axes(self, axes: tuple[str, str]) -> None:
        """Call the horizontal and the vertical axis otherwise."""
        if axes != self.axes:
            self.axes = axes
            for side, name in zip(("bottom", "left"), axes, strict=True):
                self._plot.getPlotItem().getAxis(side).setLabel(name)

    def add_item(self, item: QGraphicsItem) -> None:
        """Put an item, in latent units, on the plane; it does not change the view."""
        self.view_box.addItem(item, ignoreBounds=True)

    def add_overlay(self, widget: QWidget) -> None:
        """Lay a widget, deaf like the plot, over all of it."""
        widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._layout.addWidget(widget, 0, 0)

    def plot_rect(self) -> QRectF:
        """The plane without its axes, in pixels."""
        return QRectF(self.view_box.mapRectToScene(self.view_box.rect()))

    def pixels_per_unit(self) -> tuple[float, float]:
        """Pixels per latent unit, across and up."""
        rect, view = self.plot_rect(), self.view_box.viewRect()
        return rect.width() / view.width(), rect.height() / view.height()

    def to_latent(self, pixel: QPointF) -> tuple[float, float]:
        """Latent position under a pixel."""
        rect, view = self.plot_rect(), self.view_box.viewRect()
        sx, sy = self.pixels_per_unit()
        z1 = view.left() + (pixel.x() - rect.left()) / sx
        return z1, view.top() + (rect.bottom() - pixel.y()) / sy  # the view's top is its least z₂

    def to_pixel(self, z1: float, z2: float) -> QPointF:
        """Pixel of a latent position."""
        rect, view = self.plot_rect(), self.view_box.viewRect()
        across = (z1 - view.left()) * rect.width() / view.width()
        return QPointF(
            rect.left() + across, rect.bottom() - (z2 - view.top()) * rect.height() / view.height()
        )

    def show_region(self, left: float, right: float, bottom: float, top: float) -> None:
        """Show at least this region, with a little air around it; it may be a single position."""
        width, height = max(right - left, 1e-2), max(top - bottom, 1e-2)
        center = QPointF((left + right) / 2, (bottom + top) / 2)
        self._show(center, width * (1 + 2 * _PADDING), height * (1 + 2 * _PADDING))

    def show_exactly(self, left: float, right: float, bottom: float, top: float) -> None:
        """Show this region, as ``show_region`` without the air."""
        center = QPointF((left + right) / 2, (bottom + top) / 2)
        self._show(center, max(right - left, SMALLEST_SPAN), max(top - bottom, SMALLEST_SPAN))

    def pan_by(self, dx: float, dy: float) -> None:
        """Move what is shown by (dx, dy) pixels."""
        sx, sy = self.pixels_per_unit()
        view = self.view_box.viewRect()
        center = view.center() + QPointF(-dx / sx, dy / sy)
        self._show(center, view.width(), view.height())

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Magnify by ``factor``, keeping the position under pixel ``at`` (or the middle) there."""
        view = self.view_box.viewRect()
        span = min(max(view.width() / factor, SMALLEST_SPAN), LARGEST_SPAN)
        shrink = span / view.width()
        fixed = view.center() if at is None else QPointF(*self.to_latent(at))
        center = fixed + (view.center() - fixed) * shrink
        self._show(center, span, view.height() * shrink)

    def _show(self, center: QPointF, width: float, height: float) -> None:
        corner = center - QPointF(width / 2, height / 2)
        self.view_box.setRange(
            QRectF(corner.x(), corner.y(), width, height), padding=0, disableAutoRange=False
        )

    def _announce(self) -> None:
        self.view_changed.emit()

    def _show_focus(self) -> None:
        theme = current_theme()
        color = theme.accent if self.hasFocus() else theme.grid
        self.view_box.setBorder(pg.mkPen(color, width=1))
