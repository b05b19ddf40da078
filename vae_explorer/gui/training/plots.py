"""The curves of a training run."""

import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import (
    QHideEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QBoxLayout, QLabel, QStackedLayout, QWidget

from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.training.curve_panel import Curve, CurvePanel, Look
from vae_explorer.gui.training.history_table import Float64, HistoryTable
from vae_explorer.session.state import HistoryPoint

_MORE = (
    Look("log p(x) (held out)", "━◆", symbol="d"),
    Look("objective", "┄┄", Qt.PenStyle.DotLine),
)
_LEAST_ROW = 600
_LEAST_STACK = 240
_LEAST_PAUSE = 0.12
"""Seconds between two draws of one panel each, so that none keeps the window for long."""

_PAUSE_PER_COST = 9  # a very long history takes more, yet no more than a tenth of the time


class ElboPlot(QWidget):
    """ELBO, log-likelihood and KL against the epoch, training and held-out, in nats per image.

    Hovering reads values; so do the arrow keys (Shift: ten points) until Esc. The wheel and
    dragging zoom and move; a double click or Home shows the whole run again and follows it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Training curves")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoFillBackground(True)
        self._table = HistoryTable()
        self._following = True
        self._reading: int | None = None
        self._stale: set[int] = set()
        self._turn = 0
        self._pause = _LEAST_PAUSE
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._draw_next)

        self._elbo = CurvePanel("ELBO", markers=True, more=_MORE)
        self._elbo.setToolTip("The lower bound of log p(x), which is exact where it is shown")
        self._log_likelihood = CurvePanel("log p(x|z)", markers=False)
        self._log_likelihood.setToolTip("Expected log-likelihood of an image under its posterior")
        self._kl = CurvePanel("KL", markers=False)
        self._kl.setToolTip("Divergence of the posterior from the prior")
        self._panels = (self._elbo, self._log_likelihood, self._kl)
        curves = QWidget()
        self._row = QBoxLayout(QBoxLayout.Direction.TopToBottom, curves)
        self._row.setContentsMargins(6, 2, 6, 2)
        self._row.setSpacing(6)
        for panel in self._panels:
            self._row.addWidget(panel)
            panel.hovered.connect(self._read_at)
            panel.left.connect(self._stop_reading)
            panel.zoomed.connect(self._stop_following)
            panel.fit_requested.connect(self.fit)
            panel.epochs_changed.connect(self._share_epochs)

        self._empty = QLabel("No training yet: press Start")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(2, 2, 2, 2)  # room for the focus ring
        self._pages.addWidget(self._empty)
        self._pages.addWidget(curves)
        self._arrange()
        self.set_theme(current_theme())

    def set_history(self, points: Sequence[HistoryPoint]) -> None:
        """Show these points, in order of epoch, instead of those before."""
        self._table = HistoryTable()
        self._reading = None
        self._following = True
        self.append(points)
        if self.isVisible():
            self._draw()

    def append(self, points: Sequence[HistoryPoint]) -> None:
        """Add later points, at a cost that does not grow with the history."""
        self._table.append(points)
        self._stale = set(range(len(self._panels)))
        self._pages.setCurrentIndex(1 if self._table.train.size else 0)
        if self.isVisible() and not self._timer.isActive():
            self._timer.start(round(1000 * self._pause))

    def clear(self) -> None:
        """Forget all points."""
        self.set_history(())

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, theme.canvas)
        palette.setColor(QPalette.ColorRole.WindowText, theme.text)
        palette.setColor(QPalette.ColorRole.Accent, theme.accent)
        self.setPalette(palette)
        self._elbo.set_theme(theme, theme.train, theme.held_out, theme.log_likelihood, theme.muted)
        self._log_likelihood.set_theme(theme, theme.log_likelihood, theme.log_likelihood)
        self._kl.set_theme(theme, theme.kl, theme.kl)

    def fit(self) -> None:
        """Show the whole run and follow it as it grows."""
        self._following = True
        for panel in self._panels:
            panel.fit()

    def minimumSizeHint(self) -> QSize:
        """Small in both directions: the panels suit themselves to the space there is."""
        return QSize(200, 120)

    def sizeHint(self) -> QSize:
        """Enough for three panels, one above the other."""
        return QSize(400, 320)

    def event(self, event: QEvent) -> bool:
        """Claim Home, and Esc while reading, from the window's shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            reading = self._reading is not None
            if event.key() == Qt.Key.Key_Home or (event.key() == Qt.Key.Key_Escape and reading):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the reading, Home fits the view, Esc ends the reading."""
        count = self._table.train.shape[1]
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and count:
            step = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            start = count - 1 if self._reading is None else self._reading
            step = step if event.key() == Qt.Key.Key_Right else -step
            self._read(min(max(start + step, 0), count - 1))
        elif event.key() == Qt.Key.Key_Home:
            self.fit()
        elif event.key() == Qt.Key.Key_Escape and self._reading is not None:
            self._stop_reading()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a ring while the keyboard is here."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def leaveEvent(self, event: QEvent) -> None:
        """The values of the newest point come back when the pointer goes."""
        self._stop_reading()
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the panels side by side or one above the other; in a small space only the ELBO."""
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what came while hidden."""
        super().showEvent(event)
        if self._stale:
            self._draw()

    def hideEvent(self, event: QHideEvent) -> None:
        """Draw nothing while nobody looks."""
        self._timer.stop()
        super().hideEvent(event)

    def _arrange(self) -> None:
        wide = self.width() > max(1.8 * self.height(), _LEAST_ROW)
        more = (self._elbo.legend_lines - 1) * self.fontMetrics().lineSpacing()
        cramped = not wide and self.height() < _LEAST_STACK + more
        directions = QBoxLayout.Direction
        self._row.setDirection(directions.LeftToRight if wide else directions.TopToBottom)
        # One above the other the lowest also holds the axis.
        shares = (1, 1, 1) if wide else (5, 3, 4)
        lowest = self._elbo if cramped else self._kl
        for panel, share in zip(self._panels, shares, strict=True):
            panel.set_compact(not wide)
            panel.set_epoch_axis_shown(wide or panel is lowest)
            panel.setVisible(panel is self._elbo or not cramped)
            self._row.setStretchFactor(panel, share)

    def _draw(self) -> None:
        """Draw all panels, at a scale that suits them exactly."""
        for number in range(len(self._panels)):
            self._draw_panel(number)
        if self._following:
            self.fit()

    def _draw_next(self) -> None:
        """Draw the next panel that is behind, and come back for the others."""
        if not self._stale:  # all were drawn at once while the timer ran
            return
        start = time.perf_counter()
        count = len(self._panels)
        number = next(n for k in range(count) if (n := (self._turn + k) % count) in self._stale)
        self._turn = number + 1
        self._draw_panel(number)
        if self._following:
            self._panels[number].follow()
        self._pause = max(_LEAST_PAUSE, _PAUSE_PER_COST * (time.perf_counter() - start))
        if self._stale:
            self._timer.start(round(1000 * self._pause))

    def _draw_panel(self, number: int) -> None:
        train, held_out = self._table.train, self._table.held_out
        row, panel = number + 1, self._panels[number]
        curves: list[Curve] = [(train[0], train[row]), (held_out[0], held_out[row])]
        lines = panel.legend_lines
        if panel is self._elbo:
            exact = _exact(held_out)
            own = slice(None if self._table.own_objective else 0)
            curves += [(exact[0], exact[4]), (train[0, own], train[4, own])]
        panel.set_curves(*curves)
        self._show_value(number)
        self._stale.discard(number)
        if panel.legend_lines != lines:
            self._arrange()

    def _read_at(self, epoch: float) -> None:
        epochs = self._table.train[0]
        if len(epochs):
            right = min(int(np.searchsorted(epochs, epoch)), len(epochs) - 1)
            left = max(right - 1, 0)
            self._read(left if epoch - epochs[left] < epochs[right] - epoch else right)

    def _read(self, index: int) -> None:
        if index != self._reading:
            self._reading = index
            self._show_values()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading = None
            self._show_values()

    def _share_epochs(self, left: float, right: float) -> None:
        # pyqtgraph's own links align pixels, which goes wrong for hidden panels.
        for panel in self._panels:
            panel.set_epochs(left, right)

    def _stop_following(self) -> None:
        self._following = False

    def _show_values(self) -> None:
        for number in range(len(self._panels)):
            self._show_value(number)

    def _show_value(self, number: int) -> None:
        """Write the point read, or the newest one, into a panel's legend."""
        train, held_out = self._table.train, self._table.held_out
        index = train.shape[1] - 1 if self._reading is None else self._reading
        if index < 0:
            return
        epoch, row, panel = float(train[0, index]), number + 1, self._panels[number]
        values = [float(train[row, index]), _newest(held_out, row, epoch)]
        if panel is self._elbo:
            objective = float(train[4, index]) if self._table.own_objective else None
            values += [_newest(_exact(held_out), 4, epoch), objective]
        panel.set_values(*values)
        panel.set_crosshair(None if self._reading is None else epoch)


def _exact(held_out: Float64) -> Float64:
    """The columns with an exact log p(x)."""
    return held_out[:, ~np.isnan(held_out[4])]


def _newest(held_out: Float64, row: int, epoch: float) -> float | None:
    """The newest held-out figure at a moment."""
    last = int(np.searchsorted(held_out[0], epoch, side="right")) - 1
    return float(held_out[row, last]) if last >= 0 else None
