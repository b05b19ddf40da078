"""A small plot under a title and a legend: what all panels of the training curves share."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QLabel, QWidget
from typing_extensions import override

from vae_explorer.gui.curves.decimation import Vertices
from vae_explorer.gui.curves.legend import Legend
from vae_explorer.gui.curves.sheet import Sheet
from vae_explorer.gui.curves.ticks import NumberAxis
from vae_explorer.gui.theme import LIGHT, Theme, style_plot

_NEAR = 8  # pixels
_LEAST_HEIGHT = 48


class PanelFrame(QWidget):
    """Draws nothing by itself.

    Signals:
        hovered(QPointF): the pointer is here, in units of the axes.
        left(): the pointer is on the plot no longer.
        clicked(QPointF): a click on a curve, not a drag.
        x_range_changed(float, float): the view now shows what is between these.
        zoomed(): a person moved or zoomed the view.
        fit_requested(): a double click.
    """

    timed = True
    """Whether the x axis is time, shared with the other panels."""

    hovered = Signal(QPointF)
    left = Signal()
    clicked = Signal(QPointF)
    x_range_changed = Signal(float, float)
    zoomed = Signal()
    fit_requested = Signal()

    def __init__(self, title: str, x_label: str, y_label: str) -> None:
        super().__init__()
        self.title = title
        self.y_label = y_label
        self.theme = LIGHT
        self._legend = Legend()
        heading = QLabel(f"<b>{title}</b>")
        self._heading = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._heading.addWidget(heading, 0, Qt.AlignmentFlag.AlignTop)
        self._heading.addWidget(self._legend, 1)

        self.plot = pg.PlotWidget(axisItems={side: NumberAxis(side) for side in ("bottom", "left")})
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setAccessibleName(f"{title}, curves")
        self.plot.setMinimumHeight(_LEAST_HEIGHT)
        self.plot.setMinimumWidth(120)
        self.plot.setMenuEnabled(False)
        # pyqtgraph makes a menu all the same; with a parent it goes when the plot does.
        self.plot.getPlotItem().ctrlMenu.setParent(self.plot, Qt.WindowType.Popup)
        self.plot.hideButtons()
        self.plot.showGrid(x=True, y=True, alpha=0.6)
        item = self.plot.getPlotItem()
        self.x_axis, self.y_axis = item.getAxis("bottom"), item.getAxis("left")
        for axis in (self.x_axis, self.y_axis):
            axis.enableAutoSIPrefix(False)
            axis.setZValue(-1)  # the grid, under the curves
        self.x_axis.setLabel(x_label)
        self.y_axis.setLabel(y_label)
        item.layout.setContentsMargins(0, 0, 4, 0)
        self.y_axis.setWidth(self.fontMetrics().horizontalAdvance("−000.0") + 30)
        self.view = item.getViewBox()
        self.view.disableAutoRange()
        # Without this, pyqtgraph paints every item twice a step of panning or zooming.
        self.view.sigRangeChanged.connect(self.view.prepareForPaint)
        self.view.sigResized.connect(self._suit_y_axis)
        self.view.sigXRangeChanged.connect(self._on_x_range_changed)
        self.view.sigYRangeChanged.connect(self._suit_y_axis)
        self.view.sigRangeChangedManually.connect(self._on_zoomed)
        self.plot.scene().sigMouseMoved.connect(self._on_moved)
        self.plot.scene().sigMouseClicked.connect(self._on_clicked)
        self._note = QLabel(self.plot)
        self._note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._note.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._note.setWordWrap(True)
        self._note.hide()
        self.plot.installEventFilter(self)

        layout = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._heading)
        layout.addWidget(self.plot, 1)

    # What a panel is asked

    def refresh(self) -> None:
        """Draw the figures as they are now."""
        raise NotImplementedError

    def fit(self) -> None:
        """Show the whole run, at a scale in which it can be read."""
        raise NotImplementedError

    def fit_y(self) -> None:
        """Show the values of this panel, whatever part of the time is in sight."""
        raise NotImplementedError

    def follow(self) -> None:
        """Show the whole run as it grows, moving the axes only when they no longer suit it."""
        raise NotImplementedError

    def show_values(self) -> None:
        """Write the values at the reading, or the newest, into the legend."""
        raise NotImplementedError

    def sheet(self, theme: Theme) -> Sheet:
        """What is shown, in a theme's colours."""
        raise NotImplementedError

    def vertices(self) -> list[Vertices]:
        """The curves a click can hit, as they are drawn."""
        raise NotImplementedError

    # What all panels do

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self.theme = theme
        self.plot.setBackground(theme.canvas)
        style_plot(self.plot.getPlotItem(), theme)

    def set_compact(self, compact: bool) -> None:
        """Put the legend beside the title (True) or under it."""
        directions = QBoxLayout.Direction
        self._heading.setDirection(directions.LeftToRight if compact else directions.TopToBottom)
        self._heading.setSpacing(8 if compact else 0)

    def set_x_axis_shown(self, shown: bool) -> None:
        """Show the numbers and the name of the x axis, or leave them to a panel below."""
        self.x_axis.setStyle(showValues=shown)
        self.x_axis.showLabel(shown)
        axis = 2 * self.fontMetrics().height() if shown else 0
        self.plot.setMinimumHeight(_LEAST_HEIGHT + axis)

    def set_x_label(self, text: str) -> None:
        """Name the x axis, if it is shown, by what it is or by the moment read."""
        if text != self.x_axis.labelText:
            shown = self.x_axis.label.isVisible()
            self.x_axis.setLabel(text)
            self.x_axis.showLabel(shown)

    def set_note(self, text: str) -> None:
        """Say in the middle of the plot why there is nothing, or take that away."""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    @property
    def note(self) -> str:
        """What stands in the middle of the plot."""
        return self._note.text()

    def is_near(self, place: QPointF) -> bool:
        """Whether a place, in units of the axes, is within a few pixels of a curve."""
        width, height = self.view.viewPixelSize()
        return any(
            distance(curve, place, width, height) <= _NEAR
            for curve in self.vertices()
            if len(curve.x)
        )

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._note.setGeometry(self.plot.rect().adjusted(70, 4, -8, -24))
        return super().eventFilter(watched, event)

    def _suit_y_axis(self) -> None:
        """Name the y axis where there is room; where there is not, number it sparsely."""
        metrics, height = self.fontMetrics(), self.view.height()
        roomy = height > metrics.horizontalAdvance(self.y_label)
        self.y_axis.showLabel(roomy)
        if roomy or height <= 0 or self.y_axis.logMode:
            self.y_axis.setTickSpacing()
            return
        low, high = self.view.viewRange()[1]
        least = 1.1 * metrics.height() / height * (high - low)
        unit = 10.0 ** math.floor(math.log10(least))
        step = next(factor * unit for factor in (1, 2, 4, 5, 10) if factor * unit >= least)
        self.y_axis.setTickSpacing(step, step)

    def _on_x_range_changed(self) -> None:
        self.x_range_changed.emit(*self.view.viewRange()[0])

    def _on_zoomed(self) -> None:
        self.zoomed.emit()

    def _on_moved(self, position: QPointF) -> None:
        if self.view.sceneBoundingRect().contains(position):
            place = self.view.mapSceneToView(position)
            shapes = Qt.CursorShape
            self.plot.viewport().setCursor(
                shapes.PointingHandCursor if self.is_near(place) else shapes.ArrowCursor
            )
            self.hovered.emit(place)
        else:
            self.left.emit()

    def _on_clicked(self, event: Any) -> None:
        position = event.scenePos()
        if event.double():
            event.accept()
            self.fit_requested.emit()
        elif event.button() == Qt.MouseButton.LeftButton and self.view.sceneBoundingRect().contains(
            position
        ):
            place = self.view.mapSceneToView(position)
            if self.is_near(place):
                event.accept()
                self.clicked.emit(place)


def distance(curve: Vertices, place: QPointF, width: float, height: float) -> float:
    """Pixels from a place to the nearest point of a polyline, a pixel being width × height."""
    points = np.stack([(curve.x - place.x()) / width, (curve.y - place.y()) / height], axis=1)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        return float(np.hypot(*points.T).min()) if len(points) else math.inf
    starts, ways = points[:-1], np.diff(points, axis=0)
    lengths = np.maximum((ways**2).sum(axis=1), 1e-12)
    shares = np.clip(-(starts * ways).sum(axis=1) / lengths, 0, 1)
    return float(np.hypot(*(starts + shares[:, None] * ways).T).min())
