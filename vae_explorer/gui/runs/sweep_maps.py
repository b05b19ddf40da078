"""Small maps of the runs of a sweep, in rows and columns of its axes."""

from dataclasses import replace
from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.export.figure import FigureStyle
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.export import render_charts
from vae_explorer.gui.plot.layout import Plot
from vae_explorer.gui.plot.marks import Line, class_dots
from vae_explorer.gui.widgets.rows import Scrolled
from vae_explorer.number_format import figure
from vae_explorer.session.runs.sweeps import CellMap
from vae_explorer.training.meaning import named, no_likelihood
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.sweep import Cell, Sweep
from vae_explorer.training.sweep_folder import Result

_REACH = 4.0
"""Latent units from the middle of a small map to its edge."""
_SMALLEST, _LARGEST = 64, 260
"""Pixels on a side of a small map."""
_GAP = 8
_EDGE = Line(
    _REACH * np.array([-1, 1, 1, -1, -1]), _REACH * np.array([-1, -1, 1, 1, -1]), "accent", width=3
)


class SweepMaps(Scrolled):
    """A small map a cell: the second axis across, the first down; of a single axis a row.

    Signals:
        cell_chosen(int): the number of a cell, by click or Return.
    """

    cell_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__(QWidget(), sideways=True)
        self._cells: tuple[Cell, ...] = ()
        self._charts: list[Chart] = []
        self._results: tuple[Result, ...] = ()
        self._running = 0
        self._columns = 1
        self._margin = 0
        """Pixels of the widest value of the first axis."""
        self.setAccessibleName("Maps of the sweep")
        self.setProperty("export", "sweep")

    def set_sweep(self, sweep: Sweep) -> None:
        """Make room for another sweep."""
        self._cells, self._results = sweep.cells, ()
        *down, across = (
            [f"{Recipe.specs()[axis.field].label} {value}" for value in axis.values]
            for axis in sweep.axes
        )
        self._columns = len(across)
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setSpacing(_GAP)
        grid.setContentsMargins(0, 0, 0, 0)
        for column, text in enumerate(across, 1):
            above = QLabel(text, alignment=Qt.AlignmentFlag.AlignCenter)
            above.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            grid.addWidget(above, 0, column)
        beside = [QLabel(text) for texts in down for text in texts]
        for row, label in enumerate(beside, 1):
            grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignRight)
        self._margin = max((label.sizeHint().width() for label in beside), default=0)
        self._charts = [self._chart(index) for index in range(len(self._cells))]
        for index, chart in enumerate(self._charts):
            row, column = divmod(index, self._columns)
            grid.addWidget(chart, row + 1, column + 1)
        grid.setRowStretch(grid.rowCount(), 1)
        grid.setColumnStretch(grid.columnCount(), 1)
        self.setWidget(inside)
        self._fit()
        self._describe()

    def set_results(self, results: tuple[Result, ...]) -> None:
        """Know what became of the cells."""
        self._results = results
        self._describe()

    def set_running(self, number: int) -> None:
        """Mark the cell that is trained; 0 for none."""
        self._running = number
        self._describe()

    def set_map(self, made: CellMap) -> None:
        """Draw a cell's map."""
        chart = self._charts[made.number - 1]
        chart.set_plot(replace(chart.plot, marks=class_dots(made.codes, made.labels, 2.0), note=""))

    def export(self, kind: str, style: FigureStyle | None = None, /) -> bytes:
        """All maps, each under what it is of."""
        plots = [
            replace(chart.plot, title=cell.name, front=())
            for cell, chart in zip(self._cells, self._charts, strict=True)
        ]
        return render_charts(kind, plots, style, self._columns, "sweep")

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _chart(self, index: int) -> Chart:
        chart = Chart(movable=True)
        axis = Axis(-_REACH, _REACH, numbers=False)
        chart.set_plot(Plot(x=axis, y=axis, entries=()))
        if index:
            chart.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        chart.nudged.connect(partial(self._go, index))
        chart.pressed.connect(lambda _x, _y: self._choose(index))
        chart.keys["\r"] = partial(self._choose, index)
        return chart

    def _choose(self, index: int) -> None:
        self.cell_chosen.emit(index + 1)

    def _go(self, index: int, right: float, up: float) -> None:
        """Let the neighbour of a cell have the focus, and of all cells that of the Tab key."""
        wanted = index + int(np.sign(right) - np.sign(up) * self._columns)
        if 0 <= wanted < len(self._charts):
            chart = self._charts[wanted]
            self._charts[index].setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            chart.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            chart.setFocus()
            self.ensureWidgetVisible(chart)

    def _fit(self) -> None:
        """Make the maps as large as there is room."""
        room, rows = self.maximumViewportSize(), len(self._charts) // self._columns
        if rows:
            across = (room.width() - self._margin) // self._columns - _GAP
            down = (room.height() - self.fontMetrics().height()) // rows - _GAP
            side = min(max(min(across, down), _SMALLEST), _LARGEST)
            for chart in self._charts:
                chart.setFixedSize(side, side)

    def _describe(self) -> None:
        """Say of each cell what became of it."""
        for cell, chart in zip(self._cells, self._charts, strict=True):
            result = self._results[cell.number - 1] if self._results else None
            running = cell.number == self._running
            state = "training" if running else result.outcome if result else ""
            words = [cell.name, state]
            if result and result.held_out_elbo is not None:
                name = named("held-out ELBO", no_likelihood(result.measure))
                words.append(f"{name} {figure(result.held_out_elbo, 2)}")
            chart.setToolTip(" · ".join(words))
            chart.setAccessibleName(chart.toolTip())
            note, front = "" if chart.plot.marks else state, (_EDGE,) if running else ()
            chart.set_plot(replace(chart.plot, note=note, front=front))
