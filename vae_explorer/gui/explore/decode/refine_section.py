"""Refining the posterior of a digit: the ELBO as it climbs, and log p(x) above it."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGroupBox, QPushButton, QVBoxLayout, QWidget

from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Level, Line, Mark
from vae_explorer.gui.theme import MARGIN
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.number_format import figure
from vae_explorer.session.explore.refinement import RefinementStep
from vae_explorer.training.meaning import Remark, explained, named

_HINT = "Climb the ELBO of this image from the encoder's q"
_FIGURES = (
    "What the encoder's q reaches → what the best q of its family found so far does; what is left "
    "below log p(x) is the divergence of q from the posterior"
)
_LEAST_WIDTH, _LEAST_HEIGHT, _MOST_HEIGHT = 120, 130, 320  # of the plot, logical pixels


class RefineSection(QGroupBox):
    """A button, a plot of the ELBO against the step, and its figures in a line.

    Signals:
        start_requested: a person wants the digit's posterior refined.
        stop_requested: a person wants it to end where it is.

    No order emits any of them.
    """

    start_requested = Signal()
    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Refine the posterior", parent)
        self.setProperty("export", "refinement")
        self._steps: list[RefinementStep] = []
        self._ceiling: float | None = None
        self._remark: Remark | None = None
        self._running = False
        self._button = QPushButton()
        self._button.setToolTip(f"{_HINT}, or stop where it is")
        self._button.setProperty("command", "refine")
        self._button.clicked.connect(self._on_clicked)
        self._text = Readout(lines=2)

        self._plot = Chart("", "step", "nats")
        self._plot.setAccessibleName("ELBO against the step")
        self._plot.setMinimumSize(_LEAST_WIDTH, _LEAST_HEIGHT)
        self._plot.setMaximumHeight(_MOST_HEIGHT)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.addWidget(self._button)
        column.addWidget(self._plot, 1)
        column.addWidget(self._text)
        column.addStretch()
        self.set_running(False)
        self.clear()

    def set_running(self, running: bool) -> None:
        """Let the button stop a refinement, or start one."""
        self._running = running
        self._button.setText("Stop" if running else "Refine")

    def set_steps(self, steps: Sequence[RefinementStep]) -> None:
        """Show these steps of one image, in their order, instead of those before."""
        self._steps = list(steps)
        self._draw()

    def append_step(self, step: RefinementStep) -> None:
        """Show one more."""
        self._steps.append(step)
        self._draw()

    def set_ceiling(self, log_marginal: float | None) -> None:
        """Show log p(x) in nats, or that it is not known."""
        self._ceiling = log_marginal
        self._draw()

    def set_remark(self, remark: Remark | None) -> None:
        """Mark what is no likelihood, and say why."""
        self._remark = remark
        self._draw()

    def clear(self) -> None:
        """Forget the steps and log p(x)."""
        self._ceiling = None
        self.set_steps(())

    def _on_clicked(self) -> None:
        (self.stop_requested if self._running else self.start_requested).emit()

    def _draw(self) -> None:
        x = np.array([one.step for one in self._steps], np.float64)
        y = np.array([one.elbo for one in self._steps], np.float64)
        marks: list[Mark] = [Line(x, y, "train", named("ELBO", self._remark))]
        values = y.tolist()
        if self._ceiling is not None:
            marks.append(Level(self._ceiling, "log_likelihood", named("log p(x)", self._remark)))
            values.append(self._ceiling)
        self._plot.set_marks(marks)
        if self._steps:
            last, margin = self._steps[-1].steps, 0.1 * max(max(values) - min(values), 0.1)
            self._plot.set_range(0.0, 1.02 * last, min(values) - margin, max(values) + margin)
        self._text.set_text(self._figures())
        self._text.setToolTip(explained(_FIGURES, self._remark))

    def _figures(self) -> str:
        """Each figure in one piece, so that a narrow line breaks between them."""
        if not self._steps:
            return _HINT
        first, last = self._steps[0].elbo, self._steps[-1].elbo
        parts = [f"{named('ELBO', self._remark)} {figure(first, 1)} → {figure(last, 1)}"]
        if self._ceiling is not None:
            parts.append(f"{named('log p(x)', self._remark)} {figure(self._ceiling, 1)}")
            parts.append(f"gap {figure(self._ceiling - last, 1)}")
        whole = [part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts]
        return " · ".join(whole) + "\N{NO-BREAK SPACE}nats"
