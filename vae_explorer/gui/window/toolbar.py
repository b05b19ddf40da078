"""The toolbar: pictures with a word each, of what people do most."""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.theme import SPACE, current_theme
from vae_explorer.gui.widgets.icons import SIDE


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
        *near, far = ([_Button(action) for action in group] for group in groups)
        self._buttons = [button for group in (*near, far) for button in group]
        content = QWidget()
        self._row = QHBoxLayout(content)
        self._row.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        self._row.setSpacing(SPACE)
        for group in near:
            for button in group:
                self._row.addWidget(button)
            self._row.addSpacing(2 * SPACE)
        self._row.addStretch()
        for button in far:
            self._row.addWidget(button)
        self.addWidget(content)
        if layout := self.layout():
            layout.setContentsMargins(0, 0, 0, 0)
        window.addToolBar(self)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._choose_words()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._choose_words()

    def _choose_words(self) -> None:
        gaps = self._row.sizeHint().width() - sum(b.sizeHint().width() for b in self._buttons)
        words = self.width() >= gaps + sum(button.width_with_word() for button in self._buttons)
        for button in self._buttons:
            button.show_word(words)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        """A line under it is all the frame there is."""
        with QPainter(self) as painter:
            painter.setPen(current_theme().grid)
            painter.drawLine(self.rect().bottomLeft(), self.rect().bottomRight())


class _Button(QToolButton):
    """Of an action; with a ground only while it is on, pressed, or under the pointer."""

    def __init__(self, action: QAction) -> None:
        super().__init__()
        self._word = True
        self.setDefaultAction(action)
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the menus have all of them
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def show_word(self, shown: bool) -> None:
        """Have room for the word, or for the picture alone."""
        if self._word is not shown:
            self._word = shown
            self.updateGeometry()
            self.update()

    def width_with_word(self) -> int:
        """Logical pixels."""
        word = self.fontMetrics().horizontalAdvance(self.text())
        return self.minimumSizeHint().width() + SPACE + word + SPACE

    @override
    def sizeHint(self) -> QSize:
        alone = self.minimumSizeHint()
        return QSize(self.width_with_word(), alone.height()) if self._word else alone

    @override
    def minimumSizeHint(self) -> QSize:
        side = self._side() + 2 * SPACE
        return QSize(side + 2 * SPACE, side)

    def _side(self) -> int:
        return max(SIDE, round(1.25 * self.fontMetrics().height()))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, enabled, side = current_theme(), self.isEnabled(), self._side()
        on = self.isChecked() or self.isDown()
        with QPainter(self) as painter:
            if on or (enabled and self.underMouse()):
                ground = QColor(theme.accent if on else theme.text)
                ground.setAlphaF(0.16 if on else 0.08)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(ground)
                painter.drawRoundedRect(self.rect(), SPACE, SPACE)
            square = QRect(2 * SPACE, (self.height() - side) // 2, side, side)
            mode = QIcon.Mode.Normal if enabled else QIcon.Mode.Disabled
            state = QIcon.State.On if on else QIcon.State.Off
            self.icon().paint(painter, square, Qt.AlignmentFlag.AlignCenter, mode, state)
            if self._word:
                painter.setPen(QColor(theme.text if enabled else theme.muted))
                room = self.rect().adjusted(square.right() + 1 + SPACE, 0, 0, 0)
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.text())
