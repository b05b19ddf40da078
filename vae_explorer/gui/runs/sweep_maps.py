"""Small maps of the runs of a sweep, in rows and columns of its axes."""

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import CLASS_COLORS, current_theme
from vae_explorer.number_format import figure
from vae_explorer.session.runs.sweeps import CellMap
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.sweep import Sweep
from vae_explorer.training.sweep_folder import Result

_REACH = 4.0
"""Latent units from the middle of a small map to its edge."""
_SIDE = 64
"""Pixels of a small map at least."""
_DOTS = 192
"""Pixels on a side of its picture."""
_LARGEST = 260
_GAP = 6


class SweepMaps(QWidget):
    """A small map a cell: the second axis across, the first down; of a single axis a row.

    Signals:
        cell_chosen(int): the number of a cell, by click or Return.
    """

    cell_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sweep: Sweep | None = None
        self._maps: dict[int, QImage] = {}
        self._results: tuple[Result, ...] = ()
        self._running = 0
        self._current = 1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Small maps of the sweep")

    def set_sweep(self, sweep: Sweep) -> None:
        """Make room for another sweep."""
        self._sweep, self._maps, self._results, self._current = sweep, {}, (), 1
        self.updateGeometry()
        self.update()

    def set_results(self, results: tuple[Result, ...]) -> None:
        """Know what became of the cells."""
        self._results = results
        self._describe()
        self.update()

    def set_running(self, number: int) -> None:
        """Mark the cell that is trained; 0 for none."""
        self._running = number
        self.update()

    def set_map(self, made: CellMap) -> None:
        """Draw a cell's map."""
        self._maps[made.number] = _picture(made)
        self.update()

    @override
    def sizeHint(self) -> QSize:
        rows, columns = self._shape
        left, top = self._margins
        return QSize(
            round(left + columns * (_SIDE + _GAP)), round(top + rows * (_SIDE + _GAP) + _GAP)
        )

    @override
    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if self._sweep is None:
            return
        painter = QPainter(self)
        theme = current_theme()
        self._draw_axes(painter)
        for cell in self._sweep.cells:
            box = self._box(cell.number)
            painter.setPen(theme.grid)
            painter.fillRect(box, theme.canvas)
            if cell.number in self._maps:
                painter.drawImage(box, self._maps[cell.number])
            else:
                painter.setPen(theme.muted)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._state(cell.number))
            focused = self.hasFocus() and cell.number == self._current
            strong = focused or cell.number == self._running
            painter.setPen(theme.accent if strong else theme.grid)
            painter.drawRect(box)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = self._at(event.position().x(), event.position().y())
        if number:
            self._current = number
            self.cell_chosen.emit(number)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        rows, columns = self._shape
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
        }
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._sweep:
            self.cell_chosen.emit(self._current)
        elif event.key() in moves and self._sweep:
            wanted = self._current + moves[Qt.Key(event.key())]
            if 1 <= wanted <= rows * columns:
                self._current = wanted
                self.update()
        else:
            super().keyPressEvent(event)

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            number = self._at(event.position().x(), event.position().y())
            text = self._words(number) if number else ""
            QToolTip.showText(event.globalPosition().toPoint(), text, self)
        return super().event(event)

    @property
    def _shape(self) -> tuple[int, int]:
        axes = self._sweep.axes if self._sweep else ()
        sizes = [len(axis.values) for axis in axes]
        return (sizes[0], sizes[1]) if len(sizes) == 2 else (1, sizes[0] if sizes else 1)

    @property
    def _margins(self) -> tuple[float, float]:
        """Room for the values on the left and above."""
        metrics = self.fontMetrics()
        axes = self._sweep.axes if self._sweep else ()
        texts = [self._label(0, value) for value in axes[0].values] if len(axes) == 2 else []
        width = max(map(metrics.horizontalAdvance, texts), default=0)
        return width + 2 * _GAP, metrics.height() + _GAP

    def _label(self, axis: int, value: object) -> str:
        assert self._sweep is not None
        field = self._sweep.axes[axis].field
        return f"{Recipe.specs()[field].label} {value}"

    def _side(self) -> float:
        rows, columns = self._shape
        left, top = self._margins
        across = (self.width() - left) / columns - _GAP
        down = (self.height() - top - _GAP) / rows - _GAP
        return float(min(max(min(across, down), _SIDE), _LARGEST))

    def _box(self, number: int) -> QRectF:
        _, columns = self._shape
        row, column = divmod(number - 1, columns)
        left, top = self._margins
        side = self._side()
        return QRectF(left + column * (side + _GAP), top + row * (side + _GAP), side, side)

    def _draw_axes(self, painter: QPainter) -> None:
        assert self._sweep is not None
        rows, columns = self._shape
        painter.setPen(current_theme().text)
        across = self._sweep.axes[-1]
        last = len(self._sweep.axes) - 1
        for column in range(columns):
            box = self._box(1 + column)
            place = QRectF(box.left(), 0, box.width(), box.top())
            text = self._label(last, across.values[column])
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
        if last:
            for row in range(rows):
                box = self._box(1 + row * columns)
                place = QRectF(_GAP, box.top(), box.left() - 2 * _GAP, box.height())
                text = self._label(0, self._sweep.axes[0].values[row])
                align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(place, align, text)

    def _at(self, x: float, y: float) -> int:
        cells = self._sweep.cells if self._sweep else ()
        found = (cell.number for cell in cells if self._box(cell.number).contains(x, y))
        return next(found, 0)

    def _state(self, number: int) -> str:
        if number == self._running:
            return "training"
        return self._results[number - 1].outcome if self._results else ""

    def _words(self, number: int) -> str:
        assert self._sweep is not None
        result = self._results[number - 1] if self._results else None
        words = [self._sweep.cells[number - 1].name, self._state(number)]
        if result and result.held_out_elbo is not None:
            words.append(f"held-out ELBO {figure(result.held_out_elbo, 2)}")
        return " · ".join(words)

    def _describe(self) -> None:
        cells = self._sweep.cells if self._sweep else ()
        self.setAccessibleDescription("; ".join(self._words(cell.number) for cell in cells))


def _picture(made: CellMap) -> QImage:
    """The codes as dots of the classes' colours on nothing."""
    side = _DOTS
    places = ((made.codes * (1, -1) / _REACH + 1) / 2 * side).astype(np.intp)
    inside = ((places >= 1) & (places < side - 1)).all(1)
    pixels = np.zeros((side, side, 4), np.uint8)
    columns, rows = places[inside].T
    colors = CLASS_COLORS[made.labels[inside] % len(CLASS_COLORS)]
    for right in (0, 1):
        for down in (0, 1):
            pixels[rows + down, columns + right, :3] = colors
            pixels[rows + down, columns + right, 3] = 255
    return QImage(pixels.data, side, side, 4 * side, QImage.Format.Format_RGBA8888).copy()
