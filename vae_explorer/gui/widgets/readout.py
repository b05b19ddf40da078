"""A label for text that changes many times a second."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget
from typing_extensions import override


class Readout(QWidget):
    """Room for ``lines`` lines of text that never asks for another size.

    A plain label tells every layout above it at each new text, and the whole window is laid out and
    painted again. The label in here has a parent without a layout, where its request ends.

    Args:
        lines: the room, which a text with more is cut at.
        growing: a text with more has room made for it, which stays until the width is another.
    """

    def __init__(
        self, lines: int = 1, parent: QWidget | None = None, *, growing: bool = False
    ) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._label = QLabel(self)
        self._label.setWordWrap(lines > 1 or growing)
        self._lines = self._least = lines
        self._growing = growing

    def set_lines(self, lines: int) -> None:
        """Make room for this many lines."""
        self._lines = lines
        self._label.setWordWrap(lines > 1 or self._growing)
        self.updateGeometry()

    def set_text(self, text: str) -> None:
        """Show another text, plain or rich."""
        self._label.setText(text)
        self._make_room(self._lines)

    def text(self) -> str:
        """The text shown."""
        return self._label.text()

    @override
    def sizeHint(self) -> QSize:
        """Wide enough for a few words; the layout may give it any width."""
        metrics = self.fontMetrics()
        return QSize(20 * metrics.averageCharWidth(), self._lines * metrics.lineSpacing() + 2)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._label.setGeometry(self.rect())
        if event.oldSize().width() != event.size().width():
            self._make_room(self._least)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._make_room(self._least)
            self.updateGeometry()

    def _make_room(self, least: int) -> None:
        if not (self._growing and self.testAttribute(Qt.WidgetAttribute.WA_Resized)):
            return  # it has no width yet
        height = self._label.heightForWidth(self.width())
        lines = max(least, -(-height // self.fontMetrics().lineSpacing()))
        if lines != self._lines:
            self.set_lines(lines)
