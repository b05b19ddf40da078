"""The toolbar: pictures with a word each, of what people do most."""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QSizePolicy, QToolBar, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.icons import SIDE

_GAP = 12  # logical pixels between the actions of two menus


class Toolbar(QToolBar):
    """Actions in groups; in a window too narrow for words the pictures stand alone.

    Args:
        window: gets it, above all else.
        groups: the last one stands at the far end.
    """

    def __init__(self, window: QMainWindow, groups: Iterable[Iterable[QAction]]) -> None:
        super().__init__("Main")
        self.setObjectName("toolbar")
        self.setMovable(False)
        *near, far = groups
        for group in near:
            self.addActions(list(group))
            self.addWidget(_space(QSizePolicy.Policy.Fixed))
        self.addWidget(_space(QSizePolicy.Policy.Expanding))
        self.addActions(list(far))
        self._words_need = 0
        self._measure()
        window.addToolBar(self)

    def _measure(self) -> None:
        side = max(SIDE, round(1.25 * self.fontMetrics().height()))
        self.setIconSize(QSize(side, side))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._words_need = self.sizeHint().width()
        self._choose_style()

    def _choose_style(self) -> None:
        style = Qt.ToolButtonStyle
        words = self.width() >= self._words_need
        self.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if words else style.ToolButtonIconOnly
        )

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._choose_style()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._measure()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        """A line under it is all the frame there is."""
        with QPainter(self) as painter:
            painter.setPen(current_theme().grid)
            painter.drawLine(self.rect().bottomLeft(), self.rect().bottomRight())


def _space(across: QSizePolicy.Policy) -> QWidget:
    space = QWidget()
    space.setFixedHeight(1)
    space.setSizePolicy(across, QSizePolicy.Policy.Fixed)
    space.setMinimumWidth(_GAP)
    return space
