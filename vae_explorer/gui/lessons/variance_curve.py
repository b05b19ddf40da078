"""How much of the variance the first components have, with a handle at some of them."""

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vae_explorer.gui.lessons.sketch import Sketch
from vae_explorer.gui.lessons.sketch_marks import Level, Line
from vae_explorer.gui.theme import Theme
from vae_explorer.types import Floats


class VarianceCurve(Sketch):
    """The curve from 1 component on, and a line to drag along it.

    Signals:
        chosen(int): so many components.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Variance kept", "components", parent)
        self._explained: Floats | None = None
        self._count = 1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setToolTip("Share of the variance by the number of components. Drag, or use ← and →")

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        super().set_theme(theme)
        self._show()

    def set_curve(self, explained: Floats, count: int) -> None:
        """Show the share (n,) of the first 1 … n components, and the line at ``count``."""
        self._explained, self._count = explained, count
        self._show()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(round(self.to_place(event.position())[0]))

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(round(self.to_place(event.position())[0]))

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        fast = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        self._choose(self._count + (10 * step if fast else step))

    def _choose(self, count: int) -> None:
        if self._explained is not None and len(self._explained):
            self.chosen.emit(min(max(count, 1), len(self._explained)))

    def _show(self) -> None:
        explained, theme = self._explained, self._theme
        if explained is None or not len(explained):
            return
        count = np.arange(1.0, len(explained) + 1)
        share = float(explained[self._count - 1])
        self.set_range(0.0, len(explained) + 1.0, 0.0, 1.0)
        self.set_marks(
            [
                Line(count, explained, theme.train, filled=True),
                Level(self._count, theme.accent, f"{self._count}: {share:.0%}", upright=True),
            ]
        )
