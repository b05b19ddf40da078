"""How much of the variance the first components have, with a handle at some of them."""

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Level, Line
from vae_explorer.types import Floats


class VarianceCurve(Chart):
    """The curve from 1 component on, and a line to drag along it.

    Signals:
        chosen(int): this many components.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Variance kept", "components", movable=True, parent=parent)
        self._explained: Floats = np.empty(0)
        self._count = 1
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setToolTip("Share of the variance by the number of components. Drag, or use ← and →")
        self.dragged.connect(lambda x, _: self._choose(round(x)))
        self.nudged.connect(lambda step, _: self._choose(self._count + round(step)))

    def set_curve(self, explained: Floats, count: int) -> None:
        """Show the share (n,) of the first 1 … n components, and the line at ``count``."""
        self._explained, self._count = explained, count
        if not len(explained):
            return
        share = float(explained[count - 1])
        self.set_range(0.0, len(explained) + 1.0, 0.0, 1.0)
        self.set_marks([Line(np.arange(1.0, len(explained) + 1), explained, "train", filled=True)])
        self.set_front([Level(count, "accent", f"{count}: {share:.0%}", upright=True)])

    def _choose(self, count: int) -> None:
        if len(self._explained) and count != self._count:
            self.chosen.emit(min(max(count, 1), len(self._explained)))
