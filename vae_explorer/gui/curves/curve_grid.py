"""Panels in as many columns as suit the space, one above the other in a narrow one."""

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.curves.panel import Panel
from vae_explorer.gui.plot.export import columns_for
from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.widgets.rows import Scrolled

_LEAST_ROW = 600
_LEAST_STACK = 320


def is_cramped(size: QSize) -> bool:
    """Whether there is room for the first panel alone."""
    wide = size.width() > max(1.8 * size.height(), _LEAST_ROW)
    return not wide and size.height() < _LEAST_STACK


class CurveGrid(Scrolled):
    """Shares its space among panels; it scrolls when they would be too low to be read."""

    def __init__(self) -> None:
        self._place = QWidget()
        super().__init__(self._place, sideways=True)
        self._panels: Sequence[Panel] = ()
        self._columns = 0
        self._grid = QGridLayout(self._place)
        self._grid.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        self._grid.setSpacing(MARGIN)
        self._place.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)

    @property
    def columns(self) -> int:
        """How many panels stand side by side."""
        return self._columns

    def set_panels(self, panels: Sequence[Panel]) -> None:
        """Show these, in this order."""
        for panel in self._panels:
            if panel not in panels:
                self._grid.removeWidget(panel)
                panel.hide()
        self._panels = panels
        self._columns = 0
        self._arrange()

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(160, 80)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        count = len(self._panels)
        if not count:
            return
        columns = columns_for(count, self.width(), self.height())
        if columns == self._columns:
            return
        self._columns = columns
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        for number, panel in enumerate(self._panels):
            row, column = divmod(number, columns)
            self._grid.addWidget(panel, row, column)
            self._grid.setColumnStretch(column, 1)
            # In a stack the first has the most to show, and the lowest also holds the axis.
            stack = 5 if number == 0 else 4 if number == count - 1 else 3
            self._grid.setRowStretch(row, stack if columns == 1 else 1)
            # Numbered alike along a row, or its panels would differ in height.
            below = self._panels[(row + 1) * columns :][:columns]
            same = len(below) == columns and all(p.timed for p in (panel, *below))
            panel.set_x_axis_shown(not same)
            panel.show()
