"""The curves of a training run."""

from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QStackedLayout, QWidget
from typing_extensions import override

from vae_explorer.export.figure import FigureStyle
from vae_explorer.gui.curves.curve_controls import CurveChoices, CurveControls, panels_of
from vae_explorer.gui.curves.curve_grid import CurveGrid, is_cramped
from vae_explorer.gui.curves.curve_runs import CurveRuns
from vae_explorer.gui.curves.curve_table import Overlay
from vae_explorer.gui.curves.panel import Panel
from vae_explorer.gui.curves.trace import TimeScale
from vae_explorer.gui.plot.export import render_charts
from vae_explorer.gui.theme import Theme, Themed, current_theme
from vae_explorer.gui.widgets.empty_state import EmptyState
from vae_explorer.gui.widgets.rows import column, held
from vae_explorer.session.files.workspace import CurvesPlace
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.history import to_csv
from vae_explorer.training.meaning import Remark
from vae_explorer.types import Float64

_SOON = "The first values come after some steps"
_NO_CURVES = "The ELBO and its two terms are shown here as a model is trained."
_PAUSE = 120
"""Milliseconds between two paintings of a run that goes on."""


class ElboPlot(Themed):
    """ELBO, log-likelihood, KL and more of a run over time, training and held-out.

    Hovering reads values; so do the arrow keys (Shift: ten points) until Esc. The wheel and
    dragging zoom and move; a double click or Home shows the whole run again and follows it. A click
    on a curve, or Enter while reading, chooses that moment.

    Signals:
        moment_chosen(float): the epoch of it.
        export_requested(): a person wants to keep the curves; ``export`` has them.
        start_requested(): a person wants a run whose curves there are.
    """

    moment_chosen = Signal(float)
    export_requested = Signal()
    start_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Training curves")
        self.setProperty("export", "curves")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoFillBackground(True)
        self._runs = CurveRuns()
        self._choices = CurveChoices()
        self._following = True
        self._reading: int | None = None
        self._moment: float | None = None
        self._stale = False
        self._timer = QTimer(self, singleShot=True, interval=_PAUSE)
        self._timer.timeout.connect(self._draw)
        self._panels: dict[str, Panel] = {}
        self._shown: tuple[Panel, ...] = ()
        self._controls = CurveControls()
        self._controls.choices_changed.connect(self._take)
        self._controls.export.clicked.connect(self.export_requested)
        self._grid = CurveGrid()
        curves = column(self._controls, (self._grid, 1))
        curves.setSpacing(0)
        self._empty = EmptyState(_NO_CURVES, "Start", "train")
        self._empty.asked.connect(self.start_requested)
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(2, 2, 2, 2)  # room for the focus ring
        self._pages.addWidget(self._empty)
        self._pages.addWidget(held(curves))
        self._build()
        self.set_theme(current_theme())

    # What the window says

    def set_history(self, history: RunHistory, remark: Remark | None = None) -> None:
        """Show this run instead of the one before; ``remark``: its figures are no likelihood."""
        self._runs.history, self._runs.remark = history, remark
        self._reading = None
        self._following = True
        self._build()

    def set_running(self, running: bool) -> None:
        """Say of a run without figures that they will come, and offer none meanwhile."""
        if running:
            self._empty.say(_SOON, mood="busy")
        else:
            self._empty.say(_NO_CURVES, "Start")

    def grow(self) -> None:
        """Show what has come to the history since."""
        if self._reading is not None and self._reading >= len(self.history):
            self.stop_reading()
        if self._runs.conditions != self._conditions:
            self._build()
        else:
            self._spoil()

    def set_overlays(self, overlays: tuple[Overlay, ...]) -> None:
        """Draw other runs, thin, beside this one."""
        self._runs.overlays = overlays
        self._build()

    def set_moment(self, epoch: float | None) -> None:
        """Mark the moment that the rest of the window shows, or none."""
        self._moment = epoch
        self._mark()

    def set_choices(self, choices: CurveChoices) -> None:
        """Choose panels, axes and smoothing."""
        self._controls.set_choices(choices)
        self._take(choices)

    @property
    def place(self) -> CurvesPlace:
        """The choices, as a workspace has them."""
        choices = self._choices
        panels, scale = tuple(sorted(choices.panels)), choices.scale
        moved = {} if self._following else {p.name: p.view for p in self._wanted()}
        return CurvesPlace(panels, scale.unit, scale.log, choices.log_y, choices.smoothing, moved)

    def restore(self, place: CurvesPlace) -> None:
        """Choose as a workspace says."""
        scale = TimeScale(place.unit, place.log_x)
        panels = frozenset(place.panels)
        self.set_choices(CurveChoices(panels, scale, place.log_y, place.smoothing))
        self._following = not place.views
        for panel in self._wanted():
            if panel.name in place.views:
                panel.set_range(*place.views[panel.name])
            elif self._following:
                panel.fit()

    @property
    def history(self) -> RunHistory:
        """The run on screen, which others may share."""
        return self._runs.history

    @property
    def up_to_date(self) -> bool:
        """Whether the panels show all that is known."""
        return not self._stale

    def export(self, kind: str, style: FigureStyle | None = None, /) -> bytes:
        """The panels as shown, as a file of "png", "svg" or "pdf", or all figures as "csv".

        Raises:
            ExportError: the kind is none of these.
        """
        if kind == "csv":
            remark = self._runs.remark
            return to_csv(self.history.points, remark.mark if remark else "").encode()
        self._draw(whole=True)  # the dock may be hidden, and a run that grows leaves room
        plots = [panel.whole for panel in self._wanted()]
        return render_charts(kind, plots, style, title="training curves")

    @override
    def set_theme(self, theme: Theme) -> None:
        palette = self.palette()
        palette.setColor(palette.ColorRole.Window, theme.canvas)
        self.setPalette(palette)

    def fit(self) -> None:
        """Show the whole run and follow it as it grows."""
        self._following = True
        for panel in self._wanted():
            panel.fit()

    # What Qt asks

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(200, 120)

    @override
    def sizeHint(self) -> QSize:
        return QSize(400, 320)

    @override
    def event(self, event: QEvent) -> bool:
        asked = event.type() == QEvent.Type.ShortcutOverride
        if asked and isinstance(event, QKeyEvent) and self._meaning(event):
            event.accept()
            return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        act = self._meaning(event)
        if act:
            act()
        else:
            super().keyPressEvent(event)

    def _meaning(self, event: QKeyEvent) -> Callable[[], object] | None:
        """What a key does."""
        key, count, reading = event.key(), len(self.history), self._reading
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and count:
            step = 1 if key == Qt.Key.Key_Right else -1
            step *= 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            start = count - 1 if reading is None else reading
            return partial(self._read, min(max(start + step, 0), count - 1))
        if key == Qt.Key.Key_Home:
            return self.fit
        if reading is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return self._choose
        return self.stop_reading if reading is not None and key == Qt.Key.Key_Escape else None

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), QColor(theme.canvas))
            if self.hasFocus():
                painter.setPen(QPen(QColor(theme.accent), 2))
                painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_panels()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw(whole=True)

    # Which panels and curves there are

    def _build(self) -> None:
        """Make the curves again, for other data or by other choices."""
        self._conditions = self._runs.conditions
        self._controls.set_known(self._runs.offered, self._runs.units)
        for panel in self._panels.values():
            self._runs.fill(panel, self._choices)
        self._pages.setCurrentIndex(0 if self._runs.empty else 1)
        self._show_panels()
        self._mark()
        self._spoil(at_once=True)

    def _made(self, name: str) -> Panel:
        panel = self._panels[name] = self._runs.panel(name, self._choices)
        panel.hovered.connect(partial(self._on_hovered, panel))
        panel.left.connect(self.stop_reading)
        panel.view_changed.connect(partial(self._on_view_changed, panel))
        panel.reset_requested.connect(self.fit)
        panel.chosen.connect(partial(self._on_chosen, panel))
        return panel

    def _show_panels(self) -> None:
        shown, cramped = self._wanted(), is_cramped(self.size())
        shown = shown[:1] if cramped else shown
        self._controls.setVisible(not cramped)
        if shown != self._shown:
            new = set(shown) - set(self._shown)
            self._shown = shown
            self._grid.set_panels(shown)
            times = shown[0].region[:2]
            for panel in new:
                panel.refresh()
                if panel.timed:
                    panel.set_x_range(*times)
                panel.fit_y()

    def _wanted(self) -> tuple[Panel, ...]:
        """The panels that are chosen, shown or not as there is room."""
        names = panels_of(self._choices.panels & self._runs.offered)
        return tuple(self._panels.get(name) or self._made(name) for name in names)

    # Painting

    def _spoil(self, at_once: bool = False) -> None:
        self._controls.export.setEnabled(len(self.history) > 0)
        self._stale = True
        if at_once and self.isVisible():
            self._draw(whole=True)
        elif self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _draw(self, whole: bool = False) -> None:
        """Draw what is new and follow it: the ``whole`` run, or as far as the axes suit it."""
        stale, self._stale = self._stale, False
        for panel in self._wanted():
            if stale:
                panel.refresh()
            if self._following:
                panel.fit() if whole else panel.follow()

    # Reading

    def _on_hovered(self, panel: Panel, x: float, y: float) -> None:
        """Read the report nearest to a position on a panel."""
        times, time = self._times(panel), panel.time_at(x, y)
        if len(times) and time is not None:
            self._read(int(np.abs(times - time).argmin()))

    def _on_chosen(self, panel: Panel, x: float, y: float) -> None:
        self._on_hovered(panel, x, y)
        self._choose()

    def _times(self, panel: Panel) -> Float64:
        """When each report was, in the unit of a panel."""
        scale = self._runs.scale(self._choices.scale)
        return self.history.column(scale.unit if panel.timed else "epoch")

    def _read(self, index: int | None) -> None:
        if index != self._reading:
            self._reading = index
            self._mark()

    def _choose(self) -> None:
        if self._reading is not None:
            self.moment_chosen.emit(float(self.history.column("epoch")[self._reading]))

    def stop_reading(self) -> None:
        """Let no moment be read."""
        self._read(None)

    def _mark(self) -> None:
        """Show in each panel what is read, and the moment that the window shows."""
        index, moment, epochs = self._reading, self._moment, self.history.column("epoch")
        for panel in self._panels.values():
            times = self._times(panel)
            panel.set_reading(None if index is None else float(times[index]))
            known = None if moment is None or not len(epochs) else np.interp(moment, epochs, times)
            panel.set_moment(None if known is None else float(known))

    def _on_view_changed(self, moved: Panel) -> None:
        self._following = False
        if moved.timed:
            for panel in self._shown:
                if panel.timed:
                    panel.set_x_range(*moved.region[:2])

    def _take(self, choices: CurveChoices) -> None:
        self.stop_reading()
        before, self._choices = self._choices, choices
        # A view that a person zoomed into means nothing on another axis.
        self._following |= (choices.scale, choices.log_y) != (before.scale, before.log_y)
        self._build()
